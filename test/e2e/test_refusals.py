"""Checkpoints that must not compile: damaged ones, and other models.

Input: the driver; output: PASS/FAIL lines. Fifty damaged files, and one for
each thing that would change a model's meaning and is not supported; each has to
give one line that names it, exit code 1, and leave nothing behind. Whether the
reader survives every damaged byte is tested in process elsewhere; here it is
what a person sees.
"""

import gguf
import numpy as np

import harness
import make_models


def refused(report, args, folder, name, path, words):
    before = sorted(f.name for f in folder.iterdir())
    r = harness.compile_model(args.corellama, path, folder / "program")
    after = sorted(f.name for f in folder.iterdir())
    missing = [w for w in words if w not in r.err_text]
    problem = (f"exit code {r.code}, expected 1" if r.code != 1 else
               "stderr is not one line" if not harness.one_line(r.err) else
               "stdout is not empty" if r.out else
               f"left behind: {set(after) - set(before)}" if before != after else
               f"does not name {missing}" if missing else None)
    report.check(name, problem is None, lambda: f"{problem}: {r.err_text[:300]}")


def damaged(data):
    """Fifty (name, bytes): none of these can be a whole checkpoint."""
    size = len(data)
    rng = np.random.default_rng(9)
    for at in [0, 1, 3, 4, 8, 16, 20, 23, 24, 28, 32, 40]:
        yield f"cut at byte {at}", data[:at]
    for at in sorted(rng.integers(41, size - 1, 18)):
        yield f"cut at byte {at}", data[:at]
    fields = [("magic", 0, 4), ("version", 4, 4), ("tensor count", 8, 8),
              ("key count", 16, 8), ("length of the first key", 24, 8)]
    for field, at, width in fields:
        for value in [0, 1, (1 << 8 * width) - 1, (1 << 8 * width - 1) - 1]:
            yield (f"{field} is {value:#x}", data[:at]
                   + value.to_bytes(width, "little") + data[at + width:])


def vector(writer, name, count):
    writer.add_tensor(name, np.zeros(count, np.float32))


# What is added to a good model, and what the message has to name.
OTHERS = [
    ("a bias of one layer",
     lambda w, s: vector(w, "blk.0.attn_q.bias", s["heads"] * s["head_size"]),
     ["blk.1.attn_q.bias"]),
    ("RoPE factors of 0", lambda w, s: vector(w, "rope_freqs.weight", s["head_size"] // 2),
     ["rope_freqs.weight"]),
    ("an unknown tensor", lambda w, s: vector(w, "blk.0.attn_gizmo.weight", 8),
     ["blk.0.attn_gizmo.weight"]),
    ("another RoPE scaling",
     lambda w, s: w.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE),
     ["llama.rope.scaling.type", "'longrope'", "'yarn'"]),
    ("another YaRN", lambda w, s: (
        w.add_rope_scaling_type(gguf.RopeScalingType.YARN),
        w.add_float32("llama.rope.scaling.yarn_log_multiplier", 0.1)),
     ["llama.rope.scaling.yarn_log_multiplier"]),
    ("a sliding window of every second layer",
     lambda w, s: w.add_uint32("llama.attention.sliding_window_pattern", 2),
     ["llama.attention.sliding_window_pattern"]),
    ("experts", lambda w, s: (w.add_expert_count(4), w.add_expert_used_count(2)),
     ["llama.expert"]),
    ("an unknown key of the architecture",
     lambda w, s: w.add_float32("llama.attention.gizmo_scale", 0.5),
     ["llama.attention.gizmo_scale"]),
    ("a tensor of an unsupported type", lambda w, s: w.add_tensor(
        "output.weight", np.zeros((s["vocabulary"], s["dim"] // 256 * 110), np.uint8),
        raw_dtype=gguf.GGMLQuantizationType.IQ3_S), ["output.weight", "IQ3_S"]),
]


def main():
    args = harness.parser(__doc__.splitlines()[0], model=False).parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        path = folder / "good.gguf"
        # Tied, and dim is a multiple of 256: OTHERS may add a head of any type.
        make_models.write_model(path, 1, 8)
        made = harness.compile_model(args.corellama, path, folder / "program")
        if report.check("the sound one compiles", made.code == 0, made.why):
            (folder / "program").unlink()
        data = path.read_bytes()
        for name, bad in damaged(data):
            path = folder / "damaged.gguf"
            path.write_bytes(bad)
            refused(report, args, folder, name, path, ["damaged.gguf"])
        for name, extra, words in OTHERS:
            path = folder / "other.gguf"
            make_models.write_model(path, 1, 8, extra=extra)
            refused(report, args, folder, name, path, ["other.gguf", *words])
        make_models.write_model(path, 1, 8, architecture="mamba")
        refused(report, args, folder, "another architecture", path, ["mamba"])

        # inspect shows it all the same, with every reason.
        def several(writer, sizes):
            writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
            writer.add_expert_count(4)
            writer.add_float32("llama.attention.gizmo_scale", 0.5)
            vector(writer, "blk.0.attn_gizmo.weight", 8)
            vector(writer, "blk.1.attn_gizmo.weight", 8)
        make_models.write_model(path, 1, 8, extra=several)
        shown = harness.run([args.corellama, "inspect", path])
        words = ["reasons: 4", "'longrope'", "llama.expert_count': is 4",
                 "llama.attention.gizmo_scale': is 0.5",
                 "tensor 'blk.0.attn_gizmo.weight' (and 1 more): is unknown",
                 "blk.0.attn_q.weight"]
        missing = [w for w in words if w not in shown.text]
        report.check("inspect lists all reasons", shown.code == 0 and not missing,
                     f"exit code {shown.code}, lacks {missing}: {shown.text[:300]}")
        path.unlink()
        path.mkdir()
        refused(report, args, folder, "a folder", path, ["other.gguf"])
    report.finish()


if __name__ == "__main__":
    main()
