#!/usr/bin/env python3
"""What is exact about a compiled model, as a table that CI diffs.

Input: the driver and a checkpoint; output: CSV rows `target,metric,value` for
fixed targets, so that the table is the same on every machine: kernels and
barriers of each step, bytes a token reads, workspace, scratch, image. With
`--check FILE` it is compared with the committed table and every difference is
named. Times are not in here: they belong to docs/performance.md.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TARGETS = ["x86-64-v3", "x86-64-v4"]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def step_counts(text):
    """{step: (runs, barriers)} of one call, loops counted by their trips."""
    constants = dict(re.findall(r"(%\w+) = arith\.constant (\d+) : index", text))
    counts = {}
    for name, body in re.findall(r"llama\.step @(\w+) rows \d+ \{\n(.*?)\n  \}\n", text, re.S):
        runs = barriers = 0
        trips = 1
        for line in body.splitlines():
            constant = re.match(r"\s*(%\w+) = arith\.constant (\d+) : index", line)
            if constant:
                constants[constant[1]] = constant[2]
            loop = re.match(r"\s*scf\.for %\w+ = (%\w+) to (%\w+) step (%\w+)", line)
            if loop:
                low, high, by = (int(constants[loop[i]]) for i in (1, 2, 3))
                trips = (high - low) // by
            elif re.match(r"\s*\}", line):
                trips = 1
            elif "llama.dispatch" in line:
                runs += trips
            elif "llama.barrier" in line:
                barriers += trips
        counts[name] = (runs, barriers)
    return counts


def metrics(driver, model, target):
    flags = [f"--target={target}", "--activations=f32"]
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "program")
        run(driver, "compile", model, *flags, "-o", program)
        made = json.loads(run(driver, "inspect", program, "--json"))
    for name, (runs, barriers) in sorted(step_counts(
            run(driver, "compile", model, *flags, "--compile-to=schedule", "-o", "-")).items()):
        yield f"{name} kernels", runs
        yield f"{name} barriers", barriers
    tensors = made["tensors"]
    tied = made["config"]["tied_lm_head"]
    # A token reads every weight once; of an embedding that is not the head's
    # matrix too it reads one row.
    read = sum(t["bytes"] for t in tensors if tied or t["name"] != "token_embd.weight")
    yield "weight bytes a token", read
    yield "cache bytes a position", made["memory"]["cache_per_position"]
    yield "workspace bytes", made["memory"]["workspace"]
    yield "scratch bytes a worker", made["memory"]["scratch"]
    yield "image bytes", made["image"]["bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corellama", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--check", metavar="FILE", help="compare with this table")
    args = parser.parse_args()
    rows = ["target,metric,value"]
    for target in TARGETS:
        rows += [f"{target},{name},{value}"
                 for name, value in metrics(args.corellama, args.model, target)]
    if not args.check:
        print("\n".join(rows))
        return 0
    kept = Path(args.check).read_text().splitlines()
    passed = failed = 0
    for row in kept:
        if row in rows:
            passed += 1
        else:
            failed += 1
            print(f"FAIL {args.check} has '{row}', not so any more")
    for row in rows:
        if row not in kept:
            failed += 1
            print(f"FAIL now '{row}', which {args.check} lacks; if it is meant, write the "
                  "table again with benchmarks/metrics.py")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
