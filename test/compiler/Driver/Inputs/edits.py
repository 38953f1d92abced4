"""Compiles edited dumps: edits.py CORELLAMA CHECKPOINT DUMPS ROWS.

ROWS is a file of lines `# EDIT: PHASE | PATTERN | REPLACEMENT | MESSAGE`. Each edit is
made where the pattern matches in DUMPS/N-PHASE.mlir, once, or everywhere with `all` before
the pattern. The compiler must then say MESSAGE, of the dump or a place in it, and nothing else;
or, where MESSAGE is `the same ids`, make a program that gives the ids of the unedited one.
"""
import pathlib
import re
import subprocess
import sys

PHASES = ["import", "specialize", "fuse", "plan", "schedule", "tile", "vector", "llvm"]


def main():
    corellama, checkpoint, dumps, rows = sys.argv[1:]
    dumps = pathlib.Path(dumps)
    program, failures, edits = dumps / "edited", 0, 0

    def compile_from(phase, path):
        program.unlink(missing_ok=True)
        return subprocess.run([corellama, "compile", checkpoint, "-o", program,
                               f"--compile-from={phase}", f"--ir={path}"],
                              capture_output=True, text=True)

    def ids():
        return subprocess.run([program, "--prompt-ids", "1,2,3,4,5", "-n", "8", "--temp", "0",
                               "--output-ids"], capture_output=True, text=True).stdout

    def dump(phase):
        return dumps / f"{PHASES.index(phase) + 1}-{phase}.mlir"

    compile_from("plan", dump("plan"))
    expected = ids()
    assert expected.count(",") == 7, expected
    for line in pathlib.Path(rows).read_text().splitlines():
        if not line.startswith("# EDIT: "):
            continue
        edits += 1
        phase, pattern, replacement, message = line[len("# EDIT: "):].split(" | ")
        count = 0 if pattern.startswith("all ") else 1
        text, made = re.subn(pattern.removeprefix("all "), replacement,
                             dump(phase).read_text(), count=count)
        path = dumps / "edited.mlir"
        path.write_text(text)
        result = compile_from(phase, path)
        if made == 0:
            found = "the pattern matches nothing"
        elif result.returncode == 0:
            found = "the same ids" if ids() == expected else "other ids"
        else:
            found = re.sub(rf"^corellama: {path}(:\d+:\d+)?: (.*)$", r"\2",
                           result.stderr.removesuffix("\n"))
            assert not program.exists()
        if found != message:
            failures += 1
            print(f"{line}\n    found: {found}")
    print(f"{edits} edits, {failures} failed")
    return failures != 0 or edits == 0


sys.exit(main())
