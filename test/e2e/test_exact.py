"""Every logit of a compiled program against a float64 evaluation in numpy.

Input: the driver and a checkpoint (`--model`) or a seed (`--random`, 14 random
models; `--quantised`, some whose blocks llama.cpp's quantiser made). Each is compiled with float32 activations; the program continues
prompts greedily by 32 ids and writes the logits of all rows, and the reference
(llama_reference.py) is fed the same ids. Also checked: the same ids as one
prompt give the same bits, greedy ids agree wherever the reference is sure, and
with --negative that an f16 cache fails this check, so that the check can fail.

The bounds are derived, not fitted: on a model of 30 layers sums in blocks of 32
err by 0.8 to 1.7e-6 of the largest logit in the median and by 9e-6 at most, one
long float32 sum by up to 2.5e-6 and 1.2e-5, a cache in f16 by 3e-4.

With --activations=q8 programs round rows to 8 bits, and so does the reference. A value
near the middle of two quants becomes another one by an error of float32; that is a
127th of its block's largest value, which makes other values cross a middle, layer after
layer. In the reference with errors of 2^-22 and 2^-20 before each rounding the random
models err so by 2.1e-2 at most and by 1.4e-2 in the median, half of what the rounding
itself costs (4.3e-2 and 2.4e-2); deeper models err by more (docs/bits.md). With bf16 the
models of BF16 err by 4.8e-3 at most and by 2.7e-3 in the median, and the rounding costs 1.0e-2 and 5e-3. So
these two are coarse nets, for a model whose numerics are wrong; kernels are compared bit for
bit by DotU8S8Test.cpp and DotBF16Test.cpp. Rows of x24 err as float32's do, so programs
with them are compared with the reference that rounds nothing.
"""

import os

import numpy as np

import harness
import llama_reference
import llama_cpp
import make_models

NEW_IDS = 32
# (of the largest |logit|, for every logit; of the same, for the median over rows of the
# largest error), by --activations
BOUNDS = {"f32": (5e-5, 3e-6), "x24": (5e-5, 3e-6), "q8": (4e-2, 2e-2),
          "bf16": (8e-3, 4e-3)}

PROSE = ("The harbour was quiet when the last of the fishing boats came in. An old "
         "man sat on the wall, mending a net by the light of the lamp above the "
         "inn, and told anyone who would listen about the winter of the great "
         "storm, when the sea had taken the lower road and two of the houses. ")
CODE = ("#include <stdio.h>\n\nint main(int argc, char **argv) {\n  for (int i = 1; "
        "i < argc; ++i) {\n    printf(\"%d: %s\\n\", i, argv[i]);\n  }\n  return 0;"
        "\n}\n\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n\n"
        "SELECT name, count(*) FROM users WHERE age >= 18 GROUP BY name;\n")
SCRIPTS = ("Быстрая коричневая лиса прыгает через ленивую собаку. 天地玄黃,宇宙洪荒。"
           "日月盈昃,辰宿列張。 こんにちは、世界。 안녕하세요 세계. "
           "السلام عليكم ورحمة الله. שלום עולם. नमस्ते दुनिया। ")


def prompts(model, tokenizer, seed):
    """Ten (name, ids) of 1 to 200 ids."""
    rng = np.random.default_rng([seed, 77])
    v = model.vocabulary

    def text(source, count):
        ids = tokenizer.encode(source * (1 + 2 * count // 40)).ids[:count]
        assert len(ids) == count
        return ids

    def draw(count):
        return rng.integers(0, v, count).tolist()

    if tokenizer is None:
        return [(f"{n} ids", draw(n)) for n in
                (1, 2, 45, 200, 16, 120, 33, 150, 199)] + [
                    ("64 times one id", draw(1) * 64)]
    return [
        ("one id", draw(1)),
        ("prose, 2 ids", text(PROSE, 2)),
        ("prose, 45 ids", text(PROSE, 45)),
        ("prose, 200 ids", text(PROSE, 200)),
        ("code, 16 ids", text(CODE, 16)),
        ("code, 120 ids", text(CODE, 120)),
        ("scripts, 33 ids", text(SCRIPTS, 33)),
        ("scripts, 150 ids", text(SCRIPTS, 150)),
        ("random, 199 ids", draw(199)),
        ("64 times one id", draw(1) * 64),
    ]


def judge(got, want):
    """(worst error, median over rows, largest |logit|), errors relative."""
    largest = np.abs(want).max()
    errors = np.abs(got.astype(np.float64) - want).max(axis=1) / largest
    # A NaN is an error beyond all bounds.
    errors = np.where(np.isfinite(errors), errors, np.inf)
    return errors.max(), float(np.median(errors)), largest


def unsure(ids, first_row, want, tolerance):
    """Index of the first generated id that the reference surely excludes."""
    for i, chosen in enumerate(ids):
        row = want[first_row + i]
        best = int(np.argmax(row))
        if chosen != best:
            runner = np.partition(row, -2)[-2]
            if row[best] - runner > 2 * tolerance:
                return i, best
    return None


def run_prompt(program, ids, folder):
    """((generated ids, logits), None) or (None, why)."""
    path = folder / "logits.npy"
    result, new = harness.generate(program, ids, NEW_IDS, logits=path)
    if new is None:
        return None, result.why()
    if len(new) != NEW_IDS:
        return None, f"{len(new)} ids were generated, {NEW_IDS} were asked for"
    logits = np.load(path)
    os.unlink(path)
    return (new, logits), None


class Reference:
    """The reference's logits of the last ids: programs for several targets choose the
    same ids as a rule, and the reference takes longer than they do."""

    def __init__(self, model):
        self.model, self.ids, self.rows = model, None, None

    def logits(self, ids):
        if self.ids != ids:
            self.ids, self.rows = ids, llama_reference.logits(self.model, ids)
        return self.rows


def exact(report, name, program, reference, ids, folder, bounds):
    most, middle = bounds
    made, why = run_prompt(program, ids, folder)
    if made is None:
        report.fail(name, why)
        return
    new, got = made
    all_ids = ids + new[:-1]
    want = reference.logits(all_ids)
    if got.dtype != np.float32 or got.shape != want.shape:
        report.fail(name, f"logits are {got.dtype} {list(got.shape)}, expected "
                          f"float32 {list(want.shape)}")
        return
    worst, median, largest = judge(got, want)
    report.check(f"{name}: logits", worst <= most and median <= middle,
                 f"largest error {worst:.2e} (bound {most:.0e}), median "
                 f"{median:.2e} (bound {middle:.0e}) of {largest:.3g}",
                 f"worst {worst:.1e}, median {median:.1e}")
    rows = got[len(ids) - 1:]
    own = rows.argmax(axis=1).tolist()
    bad = unsure(new, len(ids) - 1, want, most * largest)
    report.check(f"{name}: greedy ids", own == new and bad is None,
                 f"the program chose {new}, its own logits say {own}"
                 if own != new else
                 bad and f"id {bad[0]} is {new[bad[0]]}, the reference's is {bad[1]}")

    path = folder / "again.npy"
    result, _ = harness.generate(program, all_ids, 1, logits=path)
    if result.code != 0:
        report.fail(f"{name}: as one prompt", result.why())
        return
    again = np.load(path)
    os.unlink(path)
    same = again.shape == got.shape and again.tobytes() == got.tobytes()

    def why():
        if again.shape != got.shape:
            return f"logits are {list(again.shape)}, were {list(got.shape)}"
        rows = np.flatnonzero((again.view(np.uint32) != got.view(np.uint32)).any(1))
        return (f"{len(rows)} of {len(got)} rows differ in bits, the first is row "
                f"{rows[0]}; the prompt has {len(ids)} ids")
    report.check(f"{name}: as one prompt", same, why)


def test_model(report, args, targets, path, label, folder, tokenizer):
    rounded = args.activations not in ("f32", "x24")
    model = llama_reference.Model(path, args.activations if rounded else "f32")
    reference = Reference(model)
    programs = []
    for target in targets:
        name = f"{label} for {target}"
        program = folder / target.replace(":", "-")
        made = harness.compile_model(args.corellama, path, program, "--cache-type=f32",
                                     f"--activations={args.activations}",
                                     f"--target={target}")
        if report.check(f"{name}: compiles", made.code == 0, made.why):
            programs.append((name, program))
    for kind, ids in prompts(model, tokenizer, args.seed)[:args.prompts]:
        for name, program in programs:
            exact(report, f"{name}, {kind}", program, reference, ids, folder,
                  BOUNDS[args.activations])
    for _, program in programs:
        os.unlink(program)


def test_negative(report, args, path, label, folder, tokenizer):
    """With an f16 cache the same check must not pass."""
    model = llama_reference.Model(path)
    program = folder / "program-f16"
    made = harness.compile_model(args.corellama, path, program,
                                 "--activations=f32", "--cache-type=f16",
                                 f"--target={args.target[0]}")
    name = f"{label}: an f16 cache fails the check"
    if made.code != 0:
        report.fail(name, made.why())
        return
    _, ids = prompts(model, tokenizer, args.seed)[3]
    made, why = run_prompt(program, ids, folder)
    os.unlink(program)
    if made is None:
        report.fail(name, why)
        return
    new, got = made
    worst, median, _ = judge(got, llama_reference.logits(model, ids + new[:-1]))
    most, middle = BOUNDS["f32"]
    # It must fail by its rounding, not because the logits are nonsense.
    report.check(name, (worst > most or median > middle) and worst < 0.05,
                 f"largest error {worst:.2e}, median {median:.2e}",
                 f"worst {worst:.1e}, median {median:.1e}")


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--model", type=harness.existing, help="a GGUF checkpoint")
    p.add_argument("--random", action="store_true",
                   help="the 14 random models of --seed")
    p.add_argument("--quantised", action="store_true",
                   help="random models in blocks that llama.cpp's quantiser made")
    p.add_argument("--only", metavar="I,J", help="of these, only I, J")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--target", default="native",
                   help="comma separated; default native")
    p.add_argument("--all", action="store_true",
                   help="each random model for each target, which else take turns")
    p.add_argument("--activations", default="f32", choices=list(BOUNDS))
    p.add_argument("--prompts", type=int, default=10, metavar="N",
                   help="only the first N of the ten prompts")
    p.add_argument("--negative", action="store_true",
                   help="with --model: show that an f16 cache fails the check")
    args = p.parse_args()
    if not args.model and not args.random and not args.quantised:
        p.error("give --model GGUF, --random or --quantised")
    args.target = args.target.split(",")
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        if args.model:
            label = os.path.basename(args.model)
            tokenizer = llama_reference.tokenizer(args.model)
            test_model(report, args, args.target, args.model, label, folder, tokenizer)
            if args.negative:
                test_negative(report, args, args.model, label, folder, tokenizer)
        if args.random:
            only = ([int(i) for i in args.only.split(",")] if args.only
                    else make_models.FEW)
            for i, (path, what) in enumerate(make_models.write_all(folder, args.seed, only)):
                label = f"{what['file']} of seed {args.seed}"
                turn = i % len(args.target)
                targets = args.target if args.all else args.target[turn:turn + 1]
                test_model(report, args, targets, path, label, folder, None)
        if args.quantised:
            for path, what in make_models.write_all(
                    folder, args.seed, make_models.QUANTISED, llama_cpp.quantiser()):
                label = f"{what['file']} by llama.cpp's quantiser"
                test_model(report, args, args.target, path, label, folder, None)
    report.finish()


if __name__ == "__main__":
    main()
