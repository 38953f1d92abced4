"""Programs for different CPUs write the same logits, bit for bit.

Input: the driver; output: PASS/FAIL lines. Random models of every group of formats are
compiled with --activations=q8 for the baseline and for each CPU whose products of bytes
are other instructions (docs/bits.md), as far as this machine runs them, and once with
float32 rows, one of them also with x24; one prompt is continued with 1 to 8 threads and by calls of several
lengths. All runs of a kind of rows give the same logits and the same ids. A file of its
own because equality between programs needs no reference. Where a machine lacks an
instruction, CPUKernelTests executes its kernels all the same (DotU8S8Test.cpp).
"""

import hashlib

import harness
import make_models

BASELINE = "x86-64-v3"
# AVX-512 without VNNI, AVX-512 VNNI of two makers, AVX-VNNI.
OTHERS = ["x86-64-v4", "icelake-server", "znver4", "alderlake"]
# Of these the one whose code for float32 rows is not the baseline's. That of the rest is,
# instruction for instruction, this one's or the baseline's: what they have besides are
# instructions for products of bytes. With --all they are compiled for all the same.
OTHERS_IN_F32 = ["x86-64-v4"]
# Q8_0; Q4_1; Q6_K; all of blocks of 32 with F16 and BF16; Q5; the other superblocks.
MODELS = [3, 5, 6, 9, 24, 25]
# Blocks of 32 with a scale and with a minimum, of 4 and of 8 bits, by bytes of x24.
DIGITS_MODEL = 9
PROMPT, NEW_IDS = 41, 6


class Case:
    """One model and kind of rows: the first run is what all others must give."""

    def __init__(self, report, name, path, ids, args, folder):
        self.report, self.name, self.path, self.ids = report, name, path, ids
        self.args, self.folder = args, folder
        self.first = None

    def compile(self, target, activations):
        program = self.folder / f"{target}-{activations}"
        made = harness.compile_model(self.args.corellama, self.path, program,
                                     f"--target={target}",
                                     f"--activations={activations}")
        compiled = self.report.check(f"{self.name}: compiles for {target}",
                                     made.code == 0, made.why)
        return program if compiled else None

    def run(self, program, what, *flags):
        logits = self.folder / "logits.npy"
        result, new = harness.generate(program, self.ids, NEW_IDS, *flags, logits=logits)
        if "this program needs" in result.err_text:
            return self.report.skip(what, harness.shorten(result.err_text.strip()))
        if new is None:
            return self.report.fail(what, result.why())
        got = (hashlib.sha256(logits.read_bytes()).hexdigest(), new)
        self.first = self.first or got
        return self.report.check(what, got == self.first,
                                 f"ids are {new}, were {self.first[1]}; the logits "
                                 f"{'agree' if got[0] == self.first[0] else 'differ'}")


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", metavar="I,J", help="of the models only I, J")
    p.add_argument("--all", action="store_true", help="every target for float32 rows, too")
    args = p.parse_args()
    only = [int(i) for i in args.only.split(",")] if args.only else MODELS
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        for index, (path, what) in zip(only, make_models.write_all(folder, args.seed, only)):
            ids = [(i * i * 7 + i * 31 + 5) % what["vocabulary"] for i in range(PROMPT)]
            kinds = ["q8", "f32"]
            if args.all or index == DIGITS_MODEL:
                kinds.append("x24")
            for activations in kinds:
                name = f"{what['file']} --activations={activations}"
                case = Case(report, name, path, ids, args, folder)
                base = case.compile(BASELINE, activations)
                if base is None:
                    continue
                for threads in (1, 3) if activations == "f32" else range(1, 9):
                    case.run(base, f"{name} -t {threads}", "-t", threads)
                for rows in (1, 7):
                    case.run(base, f"{name} -b {rows}", "-t", 2, "-b", rows)
                for target in (OTHERS if args.all or activations != "f32"
                               else OTHERS_IN_F32):
                    program = case.compile(target, activations)
                    if program:
                        case.run(program, f"{name} for {target}", "-t", 2)
    report.finish()


if __name__ == "__main__":
    main()
