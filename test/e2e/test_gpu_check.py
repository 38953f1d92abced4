"""The bundle for a machine with a GPU, on the emulated driver.

Input: the driver and the emulator's tool; output: PASS/FAIL lines. `benchmarks/gpu/bundle`
packs a small model and one whose weights `check` makes up; what it packs is
unpacked and run. Each program must agree with its reference, times must be there, and what
is not on this machine must be said to be missing. Then a reference is changed, and `check`
must say so. No time is judged: the emulated driver says a millisecond for each operation.
"""

import importlib.machinery
import importlib.util
import json
import sys
import tarfile
from pathlib import Path

import emulated
import harness
import make_models

GPU = Path(__file__).resolve().parents[2] / "benchmarks/gpu"
MODELS, SHAPE, FORMAT, TARGET = [4], "tiny", "Q8_0", "cuda:sm_90a"


def load_bundle():
    """The script as a module, for its shapes and numerics."""
    loader = importlib.machinery.SourceFileLoader("bundle", str(GPU / "bundle"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def make_kernels(args, report, folder):
    """The kernels of the bundle's programs, which have the modules of their targets."""
    bundle, emulator = load_bundle(), emulated.Emulator(args.corellama, args.emulator, folder)
    made = [(path, ["--activations=" + numerics])
            for path, _ in make_models.write_all(folder, 1, MODELS)
            for numerics in bundle.TOLERANCES]
    made.append((folder / "large.gguf", []))
    make_models.write_shapes(made[-1][0], bundle.SHAPES[SHAPE], FORMAT)
    for path, flags in made:
        result = emulator.compile(path, folder / "program", TARGET, *flags)
        report.check(f"{Path(path).name} {' '.join(flags)}: kernels", result.code == 0,
                     result.why)
    return emulator.environment(TARGET)


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
        environment = make_kernels(args, report, folder)
        result = harness.run(command, env=environment)
        if report.check("all is right", result.code == 0, result.why):
            found = json.loads((folder / "results/results.json").read_text())
            report.check("each program is compared", len(found["small"]) == 2 and all(
                0 <= row["error"] < 1e-2 for row in found["small"]), lambda: str(found))
            report.check("six times are measured", len(found["large"]) == 6 and all(
                row["seconds"] > 0 for row in found["large"]), lambda: str(found["large"]))
            report.check("a token's bytes are known", all(
                row["bytes"] > 0 for row in found["large"] if row["test"] != "prompt 4"),
                lambda: str(found["large"]))
            report.check("the page has all", result.text.count("\n| tiny ") == 6, result.text)
        contents = json.loads((tool.parent / "contents.json").read_text())
        check_launches(report, tool.parent / contents["small"][0]["program"], environment,
                       folder / "report")
        reference = tool.parent / contents["small"][0]["reference"]
        reference.write_bytes(bytes(4) + reference.read_bytes()[4:])
        result = harness.run([*command, "--only=small"], env=environment)
        report.check("a logit that is wrong", result.code == 1 and
                     "of the largest logit, 5e-05 allowed" in result.err_text, result.why)
        none = emulated.without_driver()
        if none is None:
            report.skip("no driver", "this machine has one")
        else:
            result = harness.run([*command, "--only=small,ceilings"], env=none)
            report.check("no driver", result.code == 1
                         and "driver cannot be loaded" in result.err_text
                         and "| copy | no libcuda.so.1 |" in result.text, result.why)
    report.finish()


if __name__ == "__main__":
    main()
