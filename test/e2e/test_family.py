"""Features of the family against a float64 evaluation in numpy, each with a model of its own.

Input: the driver and the emulator's tool; output: PASS/FAIL lines. For each row of
family_models.FEATURES: a program of float32 activations gives the reference's logits
(bounds of test_exact, which says where they come from), for a prompt and 32 ids that
follow it, and the same bits for all of them as one prompt; without the feature's tensors
and keys the reference says something else, so that the check can fail; the compilation
left at a phase (at every one with --all, otherwise at some) and entered again gives the
same file; the emulator runs the GPU's code to the same logits (with --all for all models, otherwise for
those whose kernels are not those of others). With rows rounded as a CPU's defaults round
them (to 8 bits, to bf16) the program gives the reference that rounds alike, within what
test_exact derives for that. llama.cpp's logits of the same weights are the program's
within what llama.cpp rounds, and where its likeliest id is clear it is ours, too. Also:
the table of docs/checkpoints.md is the one that these models make.
"""

import os
from pathlib import Path

import numpy as np

import family_models
import harness
import llama_cpp
import llama_reference
import test_emulator
import test_exact

TARGETS = ["cuda:sm_80", "cuda:sm_90a"]


def table(made):
    """The rows of the table in docs/checkpoints.md."""
    most, middle = test_exact.BOUNDS["f32"]
    lines = []
    for _, name, what in made:
        row = family_models.FEATURES[name]
        lines.append(f"| {name} | `{row.get('architecture', 'llama')}` | "
                     f"{' '.join(what['formats'])} | {what['layers']} layers of "
                     f"{what['dim']}, {what['heads']} heads of {what['head_size']} over "
                     f"{what['kv_heads']} | {most:.0e}, {middle:.0e} |")
    return lines


def differs(report, name, path, ids, folder):
    """The feature is more than a rounding: without it, logits are others."""
    plain = os.path.join(folder, "plain.gguf")
    family_models.write(plain, 1, name, without=True)
    got = llama_reference.logits(llama_reference.Model(plain), ids)
    want = llama_reference.logits(llama_reference.Model(path), ids)
    worst, _, _ = test_exact.judge(got, want)
    report.check(f"{name}: is visible", worst > 1e-3, f"logits differ by {worst:.1e} only",
                 f"{worst:.1e}")
    os.unlink(plain)


def rounded(report, args, number, path, name, folder, to):
    """The numerics that a CPU has by default, or would have with the instruction."""
    program = folder / "rounded"
    made = harness.compile_model(args.corellama, path, program, "--cache-type=f32",
                                 f"--activations={to}")
    if not report.check(f"{name}, rows of {to}: compiles", made.code == 0, made.why):
        return
    model = llama_reference.Model(path, to)
    ids = np.random.default_rng([2, number]).integers(0, model.vocabulary, 70).tolist()
    test_exact.exact(report, f"{name}, rows of {to}", program,
                     test_exact.Reference(model), ids, folder, test_exact.BOUNDS[to])


# Bounds as test_exact's, but of what llama.cpp rounds and the program does not. It rounds
# rows to 8 bits where weights are quantised, which costs 4.3e-2 and 2.4e-2 in the random
# models of test_exact; else to f16, an eighth of bf16's 1.0e-2 and 5e-3, or not at all.
# Both with room for other models: half as much again, and twice.
OF_8_BITS, OF_F16 = (6.4e-2, 3.6e-2), (2.5e-3, 1.3e-3)
LLAMA_CPP_BOUNDS = {"Q8_0": OF_8_BITS, "Q4_1": OF_8_BITS, "F16": OF_F16, "F32": OF_F16}


def agrees(report, name, program, what, model, ids, folder):
    """With llama.cpp: all logits, and the likeliest ids where they are clear."""
    path, file = folder / "agrees.npy", folder / "llama-cpp.gguf"
    family_models.write(file, 1, name, more=family_models.no_tokenizer)
    want = llama_cpp.Model(file, len(ids), cache="F32").logits(ids)
    os.unlink(file)
    result, _ = harness.generate(program, ids, 1, logits=path)
    if result.code != 0:
        report.fail(f"{name}: llama.cpp", result.why())
        return
    got = np.load(path)
    most, middle = LLAMA_CPP_BOUNDS[what["formats"][0]]
    worst, median, largest = test_exact.judge(got, want)
    report.check(f"{name}: llama.cpp's logits", worst <= most and median <= middle,
                 f"largest error {worst:.2e} (bound {most:.1e}), median {median:.2e} "
                 f"(bound {middle:.1e}) of {largest:.3g}",
                 f"worst {worst:.1e}, median {median:.1e}")
    second, first = np.sort(want, axis=1)[:, -2:].T
    clear = first - second > 2 * most * largest
    same = got.argmax(axis=1)[clear] == want.argmax(axis=1)[clear]
    report.check(f"{name}: llama.cpp's ids", same.all() and clear.sum() > len(ids) / 20,
                 f"{(~same).sum()} of {clear.sum()} clear ids are others",
                 f"{clear.sum()} of {len(ids)} are clear")


def test_feature(report, args, number, path, name, what, folder):
    row = family_models.FEATURES[name]
    program = folder / "program"
    made = harness.compile_model(
        args.corellama, path, program, "--cache-type=f32", "--activations=f32",
        f"--rows={row.get('rows', '1,512')}",
        f"--dump-compilation-phases-to={folder / 'phases'}")
    if not report.check(f"{name}: compiles", made.code == 0, made.why):
        return
    harness.reenter(report, args.corellama, name, path, program, folder / "phases",
                    harness.PHASES if args.all else row.get("phases", []))
    model = llama_reference.Model(path)
    reference = test_exact.Reference(model)
    rng = np.random.default_rng([1, number])
    ids = rng.integers(0, model.vocabulary, row.get("ids", 100)).tolist()
    test_exact.exact(report, name, program, reference, ids, folder,
                     test_exact.BOUNDS["f32"])
    differs(report, name, path, ids[:300], folder)
    if row.get("agrees"):
        agrees(report, name, program, what, model, ids, folder)
    to = row.get("rounded")
    # A CPU without the instruction cannot run rows of bf16.
    if to and (args.all or row.get("often")) and (
            to != "bf16" or "avx512_bf16" in Path("/proc/cpuinfo").read_text()):
        rounded(report, args, number, path, name, folder, to)
    if args.all or row.get("gpu"):
        test_emulator.run_model(report, args, f"{name} on {TARGETS[number % 2]}", path,
                                ids[:24], TARGETS[number % 2], folder, seed=number + 1)


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--emulator", required=True, type=harness.existing)
    p.add_argument("--docs", required=True, type=harness.existing,
                   help="docs/checkpoints.md")
    p.add_argument("--only", metavar="I,J", help="only models I, J")
    p.add_argument("--all", action="store_true", help="re-enter at every phase")
    p.add_argument("--table", action="store_true", help="print the table, and no more")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        made = family_models.write_all(folder / "models", 1)
        lines = table(made)
        if args.table:
            print("\n".join(lines))
            return
        with open(args.docs, encoding="utf-8") as docs:
            text = docs.read()
        missing = [line for line in lines if line not in text]
        report.check("the table of docs/checkpoints.md", not missing,
                     f"lacks {missing[:1]}; --table prints it")
        only = [int(i) for i in args.only.split(",")] if args.only else range(len(made))
        for number in only:
            path, name, what = made[number]
            test_feature(report, args, number, path, name, what, folder)
    report.finish()


if __name__ == "__main__":
    main()
