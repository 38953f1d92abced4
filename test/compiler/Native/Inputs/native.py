#!/usr/bin/env python3
"""Runs functions of eval-native.mlir by the evaluator and as native code.

    native.py CORELLAMA FILE.mlir FOLDER
"""
import json
import os

from evaluate import FOLDER, compare, floats, integers, load, run


def layer(rows):
    return [floats("x", rows, 36), integers("pos", range(rows)), "1", floats("g", 36),
            floats("wq", 24, 36), floats("wk", 12, 36, kind="e"), floats("wv", 12, 36),
            floats("wo", 36, 24)]


for rows in (1, 3, 11):
    compare("layer", f"{rows} rows", layer(rows), 2)
compare("rope", "5 rows from position 999990",
        [floats("x", 5, 36), integers("pos", range(999990, 999995))], 1)
os.mkdir(os.path.join(FOLDER, "weights"))
floats("weights/token_embd", 7, 36)
compare("embed", "4 rows", [integers("ids", [0, 6, 3, 3])], 1,
        "--weights", os.path.join(FOLDER, "weights"))

phases, values = os.path.join(FOLDER, "phases"), os.path.join(FOLDER, "values")
times = json.loads(run("layer", layer(11), 2, "--native", "--time", "--repeat", "2",
                       "--dump-compilation-phases-to", phases)[0])
print("time: ns, samples", len(times["samples"]), end=", kernels ")
print(*(kernel["name"] for kernel in times["kernels"] if kernel["ns"] > 0))
run("layer", layer(11), 2, "--dump", values)
print("dump:", *sorted(os.listdir(values)))
shape, weights = load(os.path.join(values, "a.probabilities.npy"))
rows = [weights[i:i + 11] for i in range(0, len(weights), 11)]
fine = all(abs(sum(row) - 1) < 1e-12 and not any(row[i % 11 + 1:]) for i, row in enumerate(rows))
print("probabilities:", "x".join(map(str, shape)) + ("," if fine else " with wrong"),
      "rows sum to 1, zero behind the position")
print("phases:", *sorted(os.listdir(phases)))
