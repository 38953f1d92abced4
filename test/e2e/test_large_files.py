"""Checkpoints and images beyond 4 GiB, as holes in files.

Input: the driver; output: PASS and FAIL lines. A model whose embedding alone has 4.3 GB is
all zeros but for some rows at both ends; its twin has these rows and no others. The
programs of both must give the same logits to the bit, the large one must be as sparse as
its checkpoint, and the compiler may take little memory of its own. With --all a
checkpoint of 70 billion numbers, too. A file of its own because nothing else makes files
of this size, which take no place on the disk.

    build/venv/bin/python test/e2e/test_large_files.py --corellama build/bin/corellama
"""

import os

import gguf
import numpy as np

import harness
import make_models

DIM, HIDDEN, HEADS, HEAD_SIZE = 2048, 64, 4, 16
# 530,000 rows of 2048 numbers of 4 bytes: 4.34e9 bytes, 2^32 and a little more.
VOCABULARY = 530_000
EACH_END = 40
# Memory of the compiler's own, beside the pages of files: the limit of RLIMIT_DATA.
MOST_BYTES = 2 << 30
LLAMA_70B = dict(layers=80, dim=8192, heads=64, kv_heads=8, head_size=128, hidden=28672,
                 vocabulary=128256)


def write_model(path, vocabulary, ends):
    """A hole but for `ends`, rows at both ends of the embedding, and a layer."""
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(64)
    w.add_embedding_length(DIM)
    w.add_block_count(1)
    w.add_feed_forward_length(HIDDEN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_key_length(HEAD_SIZE)
    w.add_value_length(HEAD_SIZE)
    w.add_rope_dimension_count(HEAD_SIZE)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(1e4)
    w.add_vocab_size(vocabulary)
    rng = np.random.default_rng(3)
    inner = HEADS * HEAD_SIZE
    tensors = [("token_embd.weight", None, (vocabulary, DIM))]
    for name, *shape in [("attn_norm", DIM), ("attn_q", inner, DIM), ("attn_k", inner, DIM),
                         ("attn_v", inner, DIM), ("attn_output", DIM, inner),
                         ("ffn_norm", DIM), ("ffn_gate", HIDDEN, DIM), ("ffn_up", HIDDEN, DIM),
                         ("ffn_down", DIM, HIDDEN)]:
        values = rng.standard_normal(shape) / np.sqrt(shape[-1])
        tensors.append((f"blk.0.{name}.weight", values.astype(np.float32), shape))
    tensors.append(("output_norm.weight", np.ones(DIM, np.float32), (DIM,)))
    for name, _, shape in tensors:
        w.add_tensor_info(name, shape, np.dtype("float32"), 4 * int(np.prod(shape)))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_ti_data_to_file()
    w.close()
    with open(path, "r+b") as f:
        at = -(-f.seek(0, os.SEEK_END) // 32) * 32
        for _, values, shape in tensors:
            size = 4 * int(np.prod(shape))
            f.truncate(at + size)
            pieces = [(0, values)] if values is not None else [
                (0, ends[:EACH_END]), (size - ends[EACH_END:].nbytes, ends[EACH_END:])]
            for place, piece in pieces:
                f.seek(at + place)
                f.write(piece.tobytes())
            at += size


def limited(command):
    """A command under the limit; the shell's, which counts in KiB."""
    return ["bash", "-c", f'ulimit -d {MOST_BYTES >> 10} && exec "$@"', "limited", *command]


def on_disk(path):
    return os.stat(path).st_blocks * 512


def compile_large(report, args, model, program, name, *flags):
    result = harness.run(limited([args.corellama, "compile", model, "-o", program, *flags]),
                         timeout=1800)
    return report.check(f"{name}: compiles with 2 GiB of its own", result.code == 0,
                        result.why, f"{result.seconds:.0f} s")


def test_beyond_4_gib(report, args, folder):
    rng = np.random.default_rng(4)
    ends = (rng.standard_normal((2 * EACH_END, DIM)) / np.sqrt(DIM)).astype(np.float32)
    flags = ["--target=x86-64-v3", "--rows=1"]
    logits = {}
    for name, vocabulary in (("large", VOCABULARY), ("twin", 2 * EACH_END)):
        model, program = folder / f"{name}.gguf", folder / name
        write_model(model, vocabulary, ends)
        if not compile_large(report, args, model, program, name, *flags):
            return
        # The last rows, whose bytes are beyond 4 GiB, and the first ones.
        ids = [vocabulary - 1, 0, vocabulary - EACH_END, EACH_END - 1]
        out = folder / f"{name}.npy"
        result, _ = harness.generate(program, ids, 1, logits=out)
        if not report.check(f"{name}: runs", result.code == 0, result.why):
            return
        rows = np.load(out, mmap_mode="r")
        logits[name] = np.array(rows[-1])
        if name == "large":
            report.check("the image is as sparse as the checkpoint",
                         os.path.getsize(program) > 2**32
                         and on_disk(program) < on_disk(model) + (16 << 20),
                         f"{on_disk(program)} bytes of {os.path.getsize(program)}")
        model.unlink()
        program.unlink()
    large = logits["large"]
    report.check("logits of the rows at both ends are the twin's, to the bit",
                 np.concatenate([large[:EACH_END], large[-EACH_END:]]).tobytes()
                 == logits["twin"].tobytes() and np.any(logits["twin"]))
    report.check("those of zeros are zero", not np.any(large[EACH_END:-EACH_END]))


def test_70b(report, args, folder):
    model, program = folder / "70b.gguf", folder / "70b"
    make_models.write_shapes(model, LLAMA_70B, "Q4_0")
    if compile_large(report, args, model, program, "70B in Q4_0"):
        report.check("70B: zeros are not written", os.path.getsize(program) > 39e9
                     and on_disk(program) < 64 << 20, on_disk(program))
        result = harness.run([args.corellama, "inspect", program])
        report.check("70B: the program is read back", result.code == 0, result.why)
    model.unlink()


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--all", action="store_true", help="a checkpoint of 70 billion, too")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        test_beyond_4_gib(report, args, folder)
        if args.all:
            test_70b(report, args, folder)
    report.finish()


if __name__ == "__main__":
    main()
