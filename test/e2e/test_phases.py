"""The phases are real: a program made in two halves is the same program.

Input: the driver, corellama-opt and a checkpoint; output: PASS/FAIL lines. For
every phase that the driver lists, a dump at that phase is compiled on and must
give the bytes of the program (for a GPU, of the PTX) made in one go; a dump of
another checkpoint must be refused. With --opt, each barrier of the schedule is
taken out in turn, and the schedule's verifier must miss every one of them. The
excerpts in README and docs/architecture.md must be lines of the demo's dumps. A file of
its own because it treats the IR as text that a user may hold in hands.
"""

import re
from pathlib import Path
from dataclasses import dataclass, field

import harness
import make_models

# Documents with excerpts, and what prints them.
DOCUMENTS = {
    "README.md": ["--target=x86-64-v3"],
    "docs/architecture.md": ["--target=znver4", "--activations=f32"],
}


@dataclass
class Way:
    """What is made of a checkpoint: its options, and those of the last half only."""
    name: str
    flags: list = field(default_factory=list)
    emit: list = field(default_factory=list)


def listed_phases(report, corellama):
    """The driver's own list: the test must not leave one out."""
    result = harness.run([corellama, "compile", "--help"])
    # The flag may be named elsewhere too; its own text has the list.
    lists = re.findall(r"\(([a-z]+(?:,\s+[a-z]+){3,})\)", result.text)
    names = re.findall(r"[a-z]+", lists[0]) if lists else []
    report.check("compile --help lists the phases", names == harness.PHASES,
                 lambda: f"it lists {names}, the design has {harness.PHASES}")
    return names or harness.PHASES


def plain(line):
    """A line without indentation, comments of assembly and numbers of values."""
    line = re.sub(r"\s+# .*", "", line).strip()
    return re.sub(r"%(\d+|cst_\d+)", "%", line)


def test_excerpts(report, args, folder, document, flags):
    """Each line of a document's IR and assembly stands in a dump; `...` stands for any."""
    dumps, code = folder / "excerpts", folder / "excerpts.s"
    made = harness.compile_model(args.corellama, args.model, code, "--emit=asm",
                                 f"--dump-compilation-phases-to={dumps}", *flags)
    if made.code != 0:
        return report.fail(document, made.why())
    printed = {plain(line) for path in [code, *dumps.glob("*.mlir")]
               for line in path.read_text().splitlines()}
    text = (Path(__file__).resolve().parents[2] / document).read_text()
    lines = [plain(line) for block in re.findall(r"^```(?:mlir|asm)\n(.*?)^```", text,
                                                 re.M | re.S)
             for line in block.splitlines() if "..." not in line]
    wrong = [line for line in lines if line and line not in printed]
    return report.check(f"{document}: excerpts are what the tools print",
                        lines and not wrong,
                        lambda: f"{len(wrong)} lines are not, such as: {wrong[0]}",
                        f"{len(lines)} lines")


def test_halves(report, args, phase, model, whole, folder, way):
    dump, program = folder / f"{phase}.mlir", folder / f"from-{phase}"
    name = f"{way.name}: through {phase}"
    made = harness.run([args.corellama, "compile", model, f"--compile-to={phase}",
                        "-o", dump, *way.flags])
    if made.code != 0 or not dump.exists():
        return report.fail(name, made.why())
    made = harness.run([args.corellama, "compile", model, f"--compile-from={phase}",
                        f"--ir={dump}", "-o", program, *way.flags, *way.emit])
    if made.code != 0:
        return report.fail(name, made.why())
    report.check(name, harness.same_file(whole, program),
                 "the program differs from the one compiled in one go")
    program.unlink()
    if args.opt:
        again = harness.run([args.opt, dump])
        report.check(f"{way.name}: corellama-opt reads {phase}", again.code == 0,
                     again.why)
    return None


def test_dumps(report, args, phases, folder, way):
    """--dump-compilation-phases-to gives the same text as --compile-to."""
    dumps = folder / "dumps"
    name = f"{way.name}: --dump-compilation-phases-to"
    made = harness.run([args.corellama, "compile", args.model, "-o",
                        folder / "dumped", f"--dump-compilation-phases-to={dumps}",
                        *way.flags, *way.emit])
    if made.code != 0:
        return report.fail(name, made.why())
    (folder / "dumped").unlink()
    files = {f.stem.split("-")[-1].split("_")[-1].split(".")[-1]: f
             for f in dumps.iterdir()}
    missing = [p for p in phases if p not in files]
    report.check(name, not missing,
                 f"no file for {missing} among {[f.name for f in dumps.iterdir()]}")
    for phase in phases:
        if phase in files:
            report.check(f"{way.name}: the dump of {phase} is that of --compile-to",
                         harness.same_file(files[phase], folder / f"{phase}.mlir"),
                         f"{files[phase].name} differs")
    return None


def test_other_checkpoint(report, args, phases, folder, way):
    (path, _), = make_models.write_all(folder, 1, only=[3])
    for phase in phases:
        program = folder / "other"
        made = harness.run([args.corellama, "compile", path, "-o", program,
                            f"--compile-from={phase}",
                            f"--ir={folder / (phase + '.mlir')}", *way.emit])
        report.check(f"{way.name}: {phase} of another checkpoint is refused",
                     made.code == 1 and harness.one_line(made.err)
                     and not program.exists(),
                     lambda: f"{made.why()}; program there: {program.exists()}")


def test_barriers(report, args, folder, way):
    """Deletes each barrier in turn; the verifier has to see it."""
    lines = (folder / "schedule.mlir").read_text().splitlines(keepends=True)
    places = [i for i, line in enumerate(lines)
              if re.fullmatch(r'\s*"?llama\.barrier"?(\(\).*)?\s*', line)]
    # Five of a decode layer and seven of a prefill layer at least.
    report.check(f"{way.name}: the schedule has its barriers", len(places) >= 12,
                 f"{len(places)} barriers found")
    verify = [args.opt, "--llama-verify-schedule"]
    good = harness.run([*verify, folder / "schedule.mlir"])
    report.check(f"{way.name}: the schedule verifies", good.code == 0, good.why)
    for i in places:
        broken = folder / "broken.mlir"
        broken.write_text("".join(lines[:i] + lines[i + 1:]))
        result = harness.run([*verify, broken])
        errors = result.err_text.count("error:")
        report.check(f"{way.name}: without the barrier at line {i + 1}",
                     result.code != 0 and "barrier" in result.err_text
                     and errors == 1,
                     lambda: "the verifier passed it" if result.code == 0
                     else f"{errors} errors for one barrier; {result.why()}")


def test_way(report, args, phases, folder, way):
    """The model given, every test."""
    whole = folder / "whole"
    made = harness.compile_model(args.corellama, args.model, whole, *way.flags,
                                 *way.emit)
    if not report.check(f"{way.name}: compiles", made.code == 0, made.why):
        return
    for phase in phases:
        test_halves(report, args, phase, args.model, whole, folder, way)
    whole.unlink()
    if all((folder / f"{p}.mlir").exists() for p in phases):
        test_dumps(report, args, phases, folder, way)
        test_other_checkpoint(report, args, phases, folder, way)
        if args.opt:
            test_barriers(report, args, folder, way)
        else:
            report.skip(f"{way.name}: barriers", "give --opt")


def test_alternating(report, args, phases, folder, way):
    """A model whose dumps have more than one layer signature."""
    (path, what), = make_models.write_all(folder, 1, only=[8])
    whole = folder / "whole"
    made = harness.compile_model(args.corellama, path, whole, *way.flags, *way.emit)
    if report.check(f"{way.name}: {what['file']} compiles", made.code == 0, made.why):
        for phase in phases:
            test_halves(report, args, phase, path, whole, folder, way)


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--opt", type=harness.existing,
                   help="corellama-opt; without it barriers are not tested")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as root:
        phases = listed_phases(report, args.corellama)

        def folder(name):
            (root / name).mkdir()
            return root / name
        ptx = ["--emit=ptx"]
        test_way(report, args, phases, folder("cpu"), Way("cpu"))
        test_way(report, args, phases, folder("gpu"),
                 Way("gpu", ["--target=cuda:sm_80"], ptx))
        for document, flags in DOCUMENTS.items():
            test_excerpts(report, args, folder(Path(document).stem), document, flags)
        exact = ["--activations=f32"]
        test_alternating(report, args, phases, folder("cpu-alternating"),
                         Way("cpu, alternating", exact))
        test_alternating(report, args, phases, folder("gpu-alternating"),
                         Way("gpu, alternating", ["--target=cuda:sm_90a", *exact], ptx))
    report.finish()


if __name__ == "__main__":
    main()
