#!/usr/bin/env python3
"""Parses and verifies every ```mlir block of the given TableGen files.

    check-examples.py corellama-opt FILE.td...

An example in an op's description is what a reader tries first, so one that is
out of date is an error: its file and line are printed, then what the tool says.
Exits 1 if an example fails, if there is none, or if a block does not end.
"""
import os
import subprocess
import sys
import textwrap


def blocks(path):
    """(line of the first line, text) of each block."""
    with open(path) as file:
        lines = file.read().split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.strip() == "```mlir":
            start = number
        elif start is not None and line.strip() == "```":
            yield start + 1, textwrap.dedent("\n".join(lines[start:number - 1])) + "\n"
            start = None
    if start is not None:
        sys.exit(f"{path}:{start}: the block does not end")


def main():
    opt, files = sys.argv[1], sys.argv[2:]
    parsed = failed = 0
    for path in files:
        for line, text in blocks(path):
            # --verify-roundtrip: what is printed for a reader parses as well.
            result = subprocess.run([opt, "--verify-roundtrip", "-"], input=text, text=True,
                                    capture_output=True, check=False)
            if result.returncode == 0:
                parsed += 1
                continue
            failed += 1
            print(f"{os.path.basename(path)}:{line}: the example is refused:\n{result.stderr}")
    print(f"{parsed} examples parsed, {failed} refused")
    sys.exit(0 if parsed and not failed else 1)


if __name__ == "__main__":
    main()
