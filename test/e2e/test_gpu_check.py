"""The bundle for a machine with a GPU, on the emulated driver.

Input: the driver and the emulator's tool; output: PASS/FAIL lines. `benchmarks/gpu/bundle`
packs a small model and one whose weights `check` makes up; what it packs is
unpacked and run. Each program must agree with its reference, times must be there, and what
is not on this machine must be said to be missing. Then a reference is changed, a program
ends early, another hangs, and there is no driver: `check` must say so, and end in its time. No time is judged: the emulated driver says a millisecond for each operation.
"""

import importlib.machinery
import importlib.util
import json
import re
import sys
import tarfile
from pathlib import Path

import emulated
import harness
import make_models

GPU = Path(__file__).resolve().parents[2] / "benchmarks/gpu"
MODELS, SHAPE, FORMAT, TARGET = [4], "tiny", "Q8_0", "cuda:sm_90a"


def load(name):
    """A script as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(GPU / name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def make_kernels(args, report, folder, bundle):
    """The kernels of the bundle's programs, which have the modules of their targets."""
    emulator = emulated.Emulator(args.corellama, args.emulator, folder)
    made = [(path, ["--activations=" + numerics])
            for path, _ in make_models.write_all(folder, 1, MODELS)
            for numerics in bundle.TOLERANCES]
    made.append((folder / "large.gguf", []))
    make_models.write_shapes(made[-1][0], bundle.SHAPES[SHAPE], FORMAT)
    for path, flags in made:
        result = emulator.compile(path, folder / "program", TARGET, *flags,
                                  env=bundle.tool_environment())
        report.check(f"{Path(path).name} {' '.join(flags)}: kernels", result.code == 0,
                     result.why)
    return emulator.environment(TARGET)


def add_prediction(report, bundle, file):
    """What was packed for GPUs that are known; then a row for the one that is here."""
    contents = json.loads(file.read_text())
    rows = contents["large"][0]["predicted"]
    if bundle.sass.find_tool("ptxas"):
        # Of each: a token behind none and behind others, and a prompt behind none.
        names = sorted(name for name in bundle.PREDICTED.values() for _ in range(3))
        report.check("is predicted", sorted(row["device"] for row in rows) == names
                     and all(row["seconds"] > 0 for row in rows), str(rows))
    else:
        report.skip("is predicted", "no ptxas")
    rows.append(dict(device="Emulator", test="answer 2", depth=8, seconds=0.5,
                     range=[0.25, 1]))
    file.write_text(json.dumps(contents))


def check_failures(report, command, file, folder, environment):
    """A large program that ends behind its first answer, one that does not answer, no time,
    and no driver: what is said."""
    def replace_program(script):
        contents = json.loads(file.read_text())
        case = contents["large"][0]
        (file.parent / case["pieces"]).write_bytes(script)
        case.update(size=len(script), places=[(0, len(script))])
        file.write_text(json.dumps(contents))
    replace_program(b"#!/bin/sh\nread request; exec <&-; echo 1\n"
                    b"echo program: no luck >&2; exit 1\n")
    result = harness.run([*command, "--only=large"], env=environment)
    report.check("a program that ends", result.code == 1 and result.err_text
                 == "check: tiny Q8_0: program: no luck\n", result.why)
    # Its child would hold the pipe for ten minutes.
    replace_program(b"#!/bin/sh\nsleep 600; exit 1\n")
    result = harness.run([*command, "--only=large,sanitizer,torch", "--seconds=5"],
                         env=environment, timeout=60)
    report.check("no time is left", result.code == 0
                 and "| tiny Q8_0 | no time was left |" in result.text
                 and "| torch | no time was left |" in result.text, result.why)
    result = harness.run([*command, "--only=small", "--seconds=1e-9"], env=environment)
    report.check("no time at all", result.code == 1
                 and result.err_text == "check: no time was left\n", result.why)
    check = load("check")
    check.LONGEST = 1
    try:
        check.execute(check.Clock(600), ["sh", "-c", "sleep 600; exit 1"])
        report.fail("a program that hangs", "nobody says so")
    except check.Hangs as problem:
        report.check("a program that hangs", str(problem) == "takes more than 1 s",
                     str(problem))
    none = emulated.without_driver()
    if none is None:
        report.skip("no driver", "this machine has one")
        return
    results = folder / "none"
    for only in "small,large", "ceilings":
        result = harness.run([*command, f"--only={only}", "--output", results], env=none)
        report.check(f"no driver, {only}", result.code == 1 and harness.one_line(result.err)
                     and "driver cannot be loaded" in result.err_text
                     and not result.out and not results.exists(), result.why)


def check_launches(report, program, environment, log):
    """What is measured as an answer is what an answer does: eight tokens are two graphs of
    four, and ids come back three times, of the first token and of each graph. Before these
    an id and its head are a graph each."""
    for request, graphs, copies in ("answer 8 2", 2 + 2, 3), ("generate 8 2", 2 * 8, 8):
        result = harness.run([program, "--bench"], stdin=f"{request}\n".encode(),
                             env=environment | {"CORELLAMA_EMULATOR_REPORT": str(log)})
        calls = emulated.read_report(log)[0] if result.code == 0 else {}
        found = calls.get("cuGraphLaunch"), calls.get("cuMemcpyDtoHAsync_v2")
        report.check(f"launches of `{request}`", found == (graphs, copies),
                     lambda: f"{found} graphs and copies: {result.why()}")


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--emulator", required=True, type=harness.existing)
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        archive = folder / "bundle.tar.xz"
        made = harness.run([GPU / "bundle", "--corellama", args.corellama, "-o", archive,
                            f"--small={','.join(map(str, MODELS))}", f"--shapes={SHAPE}",
                            f"--formats={FORMAT}"])
        if not report.check("packs", made.code == 0, made.why, made.text.strip()):
            report.finish()
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        tool = folder / "corellama-gpu-check/check"
        command = [tool, "--prompt=4", "--generate=2", "--depths=0,8", "--output",
                   folder / "results", "--scratch", folder]
        file = tool.parent / "contents.json"
        bundle = load("bundle")
        add_prediction(report, bundle, file)
        environment = make_kernels(args, report, folder, bundle)
        result = harness.run(command, env=environment)
        if report.check("all is right", result.code == 0, result.why):
            found = json.loads((folder / "results/results.json").read_text())
            report.check("each program is compared", len(found["small"]) == 4 and all(
                0 <= row["error"] < 1e-2 for row in found["small"]), lambda: str(found))
            report.check("six times are measured", len(found["large"]) == 6 and all(
                row["seconds"] > 0 for row in found["large"]), lambda: str(found["large"]))
            report.check("a token's bytes are known", all(
                row["bytes"] > 0 for row in found["large"] if row["test"] != "prompt 4"),
                lambda: str(found["large"]))
            report.check("the page has all", result.text.count("\n| tiny ") == 6
                         and result.text.startswith("# corellama on Emulator\n"), result.text)
            report.check("a ceiling that is missing", re.search(r"\| copy \| no cu\w+ \|",
                                                                 result.text), result.text)
            report.check("what is predicted is beside it",
                         result.text.count(" | 500.00 (250.00 to 1000.00) | ") == 1,
                         result.text)
        contents = json.loads(file.read_text())
        check_launches(report, tool.parent / contents["small"][0]["program"], environment,
                       folder / "report")
        reference = tool.parent / contents["small"][0]["reference"]
        reference.write_bytes(bytes(4) + reference.read_bytes()[4:])
        result = harness.run([*command, "--only=small"], env=environment)
        report.check("a logit that is wrong", result.code == 1 and
                     "of the largest logit, 5e-05 allowed" in result.err_text, result.why)
        check_failures(report, command, file, folder, environment)
    report.finish()


if __name__ == "__main__":
    main()
