#!/usr/bin/env python3
"""Runs functions of eval-lowering.mlir by the evaluator and by way of linalg.

    lowering.py CORELLAMA FILE.mlir FOLDER
"""
import os

from evaluate import FOLDER, compare, floats, integers, run

ROWS = 5
FORMS = ["linalg", "rope-matrix", "rope-elementwise", "rope-complex"]
# Sums of few terms: of roundings, and of differences in libm's last bit.
WITHIN = {"f32": 1e-5, "f64": 1e-12}


def both(entry, inputs, results, lowerings=FORMS[:1], types=("f32", "f64")):
    for type_ in types:
        for lowering in lowerings:
            compare(entry, f"{type_} {lowering}", inputs, results, within=WITHIN[type_],
                    native=("--lowering", lowering, "--lowering-type", type_))


def rows(name, columns):
    return floats(name, ROWS, columns)


near, far = integers("near", range(ROWS)), integers("far", range(999990, 999990 + ROWS))
both("binary", [far], 1)
both("encode", [rows("x", 10), far], 3)
both("norms", [rows("x", 10), floats("g", 10), floats("b", 10), floats("h", 5)], 4)
both("feed_forwards", [rows("x", 10), floats("w", 7, 10, kind="e"), floats("v", 7, 10)], 4)
layer = [rows("x", 24), rows("k", 12), near, "1"]
both("layer", layer, 1, FORMS, ["f32"])
both("layer", layer, 1, types=["f64"])
both("rope", [rows("x", 12), far], 1, FORMS, ["f64"])
phases = os.path.join(FOLDER, "phases")
run("rope", [rows("x", 12), far], 1, "--native", "--lowering", "linalg",
    "--dump-compilation-phases-to", phases)
print("phases:", *sorted(os.listdir(phases)))
