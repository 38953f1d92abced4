#!/usr/bin/env python3
"""What is exact about a compiled model, as a table that CI diffs.

Input: the driver and a checkpoint; output: CSV rows `target,metric,value` for
fixed targets, so that the table is the same on every machine: kernels and
barriers of each step, bytes a token reads, workspace, scratch, image; and what each
inner loop of the object code costs (inner_loops.py), for the checkpoint's kernels and,
so that every format of weights is seen, for two kernels of random models. With
`--check FILE` it is compared with the committed table and every difference is named;
loops that became cheaper pass, since no speed is lost. Rows of GPUs' targets are of
cuda_gates.py and are compared by test/e2e/test_cuda_gates.py. Times are not in here:
they belong to docs/performance.md.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cuda_gates
import inner_loops

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test/e2e"))
import make_models  # noqa: E402

TARGETS = ["x86-64-v3", "x86-64-v4"]
# Of random models whose matrices are all of one format: products of one row and of many.
FORMATS = {recipe["formats"][0]: index
           for index, recipe in reversed(list(enumerate(make_models.RECIPES)))
           if len(recipe["formats"]) == 1}
FORMAT_KERNELS = ["gate_up.decode", "gate_up.prefill"]
COST = re.compile(r"(\d+) instructions (\d+) spills (\d+) bytes loaded")


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


def loops(driver, model, target, prefix="", kernels=None):
    """A row for each inner loop of an object, or of some of its kernels."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object.o"
        run(driver, "compile", model, f"--target={target}", "--activations=f32",
            "--emit=obj", "-o", str(path))
        functions = inner_loops.functions(path)
    for name in kernels or sorted(functions):
        for number, loop in enumerate(inner_loops.inner_loops(functions[name]), 1):
            yield (f"{prefix}{name} inner loop {number}",
                   f"{loop.instructions} instructions {loop.spills} spills "
                   f"{loop.loaded} bytes loaded")


def all_loops(driver, model, target):
    yield from loops(driver, model, target)
    with tempfile.TemporaryDirectory() as folder:
        for form, index in sorted(FORMATS.items()):
            path = str(Path(folder) / f"{form}.gguf")
            make_models.write_model(path, 1, index)
            yield from loops(driver, path, target, f"{form} ", FORMAT_KERNELS)


def is_cheaper(kept, now):
    """Whether `now` is the cost of a loop and in nothing above `kept`."""
    old, new = COST.fullmatch(kept), COST.fullmatch(now)
    return bool(old and new) and all(int(n) <= int(o)
                                     for o, n in zip(old.groups(), new.groups()))


def compare(path, rows):
    """Passed and failed rows; says what is to be done about each difference."""
    kept = dict(line.rsplit(",", 1) for line in Path(path).read_text().splitlines()
                if line.split(",")[0] in ["target", *TARGETS])
    rows = dict(row.rsplit(",", 1) for row in rows)
    passed = failed = cheaper = 0
    for name, value in kept.items():
        now = rows.get(name)
        if now == value:
            passed += 1
        elif now and is_cheaper(value, now):
            passed += 1
            cheaper += 1
            print(f"CHEAPER {name}: {now}, {path} has {value}")
        else:
            failed += 1
            print(f"FAIL {name}: {now or 'is no more'}, {path} has {value}")
    for name in rows:
        if name not in kept:
            failed += 1
            print(f"FAIL {name}: {rows[name]}, {path} lacks it")
    if cheaper or failed:
        print(f"write {path} again with benchmarks/metrics.py if all of that is meant")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corellama", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--check", metavar="FILE", help="compare with this table")
    args = parser.parse_args()
    rows = ["target,metric,value"]
    for target in TARGETS:
        rows += [f"{target},{name},{value}"
                 for made in (metrics, all_loops)
                 for name, value in made(args.corellama, args.model, target)]
    if not args.check:
        rows += map(",".join, cuda_gates.rows(args.corellama, cuda_gates.ALL))
        rows += map(",".join, cuda_gates.traffic_rows(
            args.corellama, cuda_gates.ALL_TRAFFIC, cuda_gates.PREFILL_TRAFFIC))
        print("\n".join(rows))
        return 0
    passed, failed = compare(args.check, rows)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
