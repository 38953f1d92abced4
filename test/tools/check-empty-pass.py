#!/usr/bin/env python3
"""Runs the pass tests with %pass empty and demands that every one fails.

A pass test that passes without its pass checks nothing. Each file of
test/passes whose RUN lines say %pass must fail here, and each file of that
folder must say it.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def results(lit, build, extra):
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "results.json")
        process = subprocess.run(
            [sys.executable, lit, "-q", "--no-progress-bar", "--output", output]
            + extra + [os.path.join(build, "passes")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if not os.path.exists(output):
            sys.exit(f"check-empty-pass: lit did not run:\n{process.stdout}")
        with open(output) as file:
            return {test["name"]: test["code"] for test in json.load(file)["tests"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lit", required=True, help="path of lit")
    parser.add_argument("--build", required=True,
                        help="folder of the suite's lit.site.cfg.py")
    arguments = parser.parse_args()

    folder = pathlib.Path(__file__).resolve().parent.parent
    codes = results(arguments.lit, arguments.build, ["--param", "empty_pass=1"])
    faults = []
    for name, code in sorted(codes.items()):
        text = (folder / name.split(" :: ")[1]).read_text()
        runs = [line for line in text.splitlines() if "RUN:" in line]
        if not any("%pass" in line for line in runs):
            faults.append(f"{name}: no RUN line says %pass")
        elif code not in ("FAIL", "UNSUPPORTED"):
            faults.append(f"{name}: {code} without its pass, expected FAIL")
    if not codes:
        faults.append("no pass tests were found")
    for fault in faults:
        print(f"check-empty-pass: {fault}")
    print(f"check-empty-pass: {len(codes)} tests, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
