#!/usr/bin/env python3
"""Lists, for each fault, the functions of faults.mlir that are wrong with it.

    faults.py CORELLAMA FILE.mlir FOLDER CORELLAMA_FAULTY
"""
import sys

FAULTY = sys.argv.pop()
from evaluate import floats, integers, run  # noqa: E402

ROWS = 5
X, POSITIONS = floats("x", ROWS, 24), integers("pos", range(ROWS))
FUNCTIONS = {"rotate": ([X, POSITIONS], 1), "encode": ([POSITIONS], 1),
             "norm": ([X, floats("g", 24), floats("h", 24)], 2),
             "attend": ([X, floats("k", ROWS, 12), POSITIONS, "0"], 1),
             "bend": ([X, floats("up", ROWS, 24)], 1), "gelu": ([X], 1),
             "part": ([X, floats("w", 24, 24)], 1)}
# Which functions have a place for a fault; in the others planting it is an error.
PLACES = {"swap-sine-cosine": "rotate encode", "drop-epsilon": "norm",
          "shift-positions": "rotate encode", "share-wrong-head": "attend",
          "double-frequency": "rotate encode", "swap-gate-up": "bend", "double-cubic": "gelu",
          "leave-out-residual": "part"}

WANT = {name: run(name, *call)[1] for name, call in FUNCTIONS.items()}


def differs(name, **how):
    """Whether each result has an element that is off by more than 1e-3."""
    got = run(name, *FUNCTIONS[name], "--native", **how)[1]
    return [max(abs(a - b) for a, b in zip(want, have)) > 1e-3
            for (_, want), (_, have) in zip(WANT[name], got)]


for name in FUNCTIONS:
    if any(differs(name)):
        print(name, "is wrong without a fault")
for fault, places in PLACES.items():
    print(fault + ":", *(name for name in places.split()
                         if all(differs(name, tool=(FAULTY, fault)))))
