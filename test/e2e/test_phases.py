"""The phases are real: a program made in two halves is the same program.

Input: the driver, corellama-opt and a checkpoint; output: PASS/FAIL lines. For
every phase that the driver lists, a dump at that phase is compiled on and must
give the bytes of the program made in one go; a dump of another checkpoint must
be refused. With --opt, each barrier of the schedule is taken out in turn, and
the schedule's verifier must miss every one of them. A file of its own because
it treats the IR as text that a user may hold in hands.
"""

import re

import harness
import make_models

PHASES = ["import", "specialize", "fuse", "place", "schedule", "tile", "vector",
          "llvm"]


def listed_phases(report, corellama):
    """The driver's own list: the test must not leave one out."""
    result = harness.run([corellama, "compile", "--help"])
    # The flag may be named elsewhere too; its own text has the list.
    lists = re.findall(r"\(([a-z]+(?:,\s+[a-z]+){3,})\)", result.text)
    names = re.findall(r"[a-z]+", lists[0]) if lists else []
    report.check("compile --help lists the phases", names == PHASES,
                 lambda: f"it lists {names}, the design has {PHASES}")
    return names or PHASES


def test_halves(report, args, phase, model, whole, folder, flags):
    dump, program = folder / f"{phase}.mlir", folder / f"from-{phase}"
    name = f"through {phase}"
    made = harness.run([args.corellama, "compile", model, f"--compile-to={phase}",
                        "-o", dump, *flags])
    if made.code != 0 or not dump.exists():
        return report.fail(name, made.why())
    made = harness.run([args.corellama, "compile", model, f"--compile-from={phase}",
                        f"--ir={dump}", "-o", program, *flags])
    if made.code != 0:
        return report.fail(name, made.why())
    report.check(name, harness.same_file(whole, program),
                 "the program differs from the one compiled in one go")
    program.unlink()
    if args.opt:
        again = harness.run([args.opt, dump])
        report.check(f"corellama-opt reads {phase}", again.code == 0, again.why)
    return None


def test_dumps(report, args, phases, folder):
    """--dump-compilation-phases-to gives the same text as --compile-to."""
    dumps = folder / "dumps"
    made = harness.run([args.corellama, "compile", args.model, "-o",
                        folder / "dumped", f"--dump-compilation-phases-to={dumps}"])
    if made.code != 0:
        return report.fail("--dump-compilation-phases-to", made.why())
    (folder / "dumped").unlink()
    files = {f.stem.split("-")[-1].split("_")[-1].split(".")[-1]: f
             for f in dumps.iterdir()}
    missing = [p for p in phases if p not in files]
    report.check("--dump-compilation-phases-to", not missing,
                 f"no file for {missing} among {[f.name for f in dumps.iterdir()]}")
    for phase in phases:
        if phase in files:
            report.check(f"the dump of {phase} is that of --compile-to",
                         harness.same_file(files[phase], folder / f"{phase}.mlir"),
                         f"{files[phase].name} differs")
    return None


def test_other_checkpoint(report, args, phases, folder):
    (path, _), = make_models.write_all(folder, 1, only=[3])
    for phase in phases:
        program = folder / "other"
        made = harness.run([args.corellama, "compile", path, "-o", program,
                            f"--compile-from={phase}",
                            f"--ir={folder / (phase + '.mlir')}"])
        report.check(f"{phase} of another checkpoint is refused",
                     made.code == 1 and harness.one_line(made.err)
                     and not program.exists(),
                     lambda: f"{made.why()}; program there: {program.exists()}")


def test_barriers(report, args, folder):
    """Deletes each barrier in turn; the verifier has to see it."""
    lines = (folder / "schedule.mlir").read_text().splitlines(keepends=True)
    places = [i for i, line in enumerate(lines)
              if re.fullmatch(r'\s*"?llama\.barrier"?(\(\).*)?\s*', line)]
    # Five of a decode layer and seven of a prefill layer at least.
    report.check("the schedule has its barriers", len(places) >= 12,
                 f"{len(places)} barriers found")
    verify = [args.opt, "--llama-verify-schedule"]
    good = harness.run([*verify, folder / "schedule.mlir"])
    report.check("the schedule verifies", good.code == 0, good.why)
    for i in places:
        broken = folder / "broken.mlir"
        broken.write_text("".join(lines[:i] + lines[i + 1:]))
        result = harness.run([*verify, broken])
        report.check(f"without the barrier at line {i + 1}",
                     result.code != 0 and "barrier" in result.err_text,
                     lambda: "the verifier passed it" if result.code == 0
                     else result.why())


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--opt", type=harness.existing,
                   help="corellama-opt; without it barriers are not tested")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        phases = listed_phases(report, args.corellama)
        whole = folder / "whole"
        made = harness.compile_model(args.corellama, args.model, whole)
        if not report.check("compiles", made.code == 0, made.why):
            report.finish()
        for phase in phases:
            test_halves(report, args, phase, args.model, whole, folder, [])
        whole.unlink()
        if all((folder / f"{p}.mlir").exists() for p in phases):
            test_dumps(report, args, phases, folder)
            test_other_checkpoint(report, args, phases, folder)
            if args.opt:
                test_barriers(report, args, folder)
            else:
                report.skip("barriers", "give --opt")
        # One dump has more than one layer signature in it.
        (path, what), = make_models.write_all(folder, 1, only=[8])
        made = harness.compile_model(args.corellama, path, whole,
                                     "--activations=f32")
        if report.check(f"{what['file']} compiles", made.code == 0, made.why):
            alternating = folder / "alternating"
            alternating.mkdir()
            for phase in phases:
                test_halves(report, args, phase, path, whole, alternating,
                            ["--activations=f32"])
    report.finish()


if __name__ == "__main__":
    main()
