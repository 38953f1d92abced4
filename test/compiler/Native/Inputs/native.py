#!/usr/bin/env python3
"""Runs functions of eval-native.mlir by the evaluator and as native code.

    native.py CORELLAMA FILE.mlir FOLDER

Without NumPy, as all lit tests: rows are lists, arrays are written and read here.
"""
import json
import os
import random
import struct
import subprocess
import sys

TOOL, FILE, FOLDER = sys.argv[1:]
RANDOM = random.Random(1)


def save(name, kind, shape, values):
    descr = {"f": "<f4", "i": "<i4", "e": "|u1"}[kind]
    sizes = shape[:-1] + (2 * shape[-1],) if kind == "e" else shape
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {sizes}, }}"
    header += " " * (-(11 + len(header)) % 64) + "\n"
    path = os.path.join(FOLDER, name + ".npy")
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}{kind}", *values))
    return path


def floats(name, *shape, kind="f"):
    count = 1
    for size in shape:
        count *= size
    return save(name, kind, shape, [RANDOM.gauss(0, 1) for _ in range(count)])


def integers(name, values):
    return save(name, "i", (len(values),), values)


def load(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<H", data[8:10])[0]
    shape = eval(data[10:10 + length].decode())["shape"]
    return shape, struct.unpack(f"<{(len(data) - 10 - length) // 8}d", data[10 + length:])


def run(entry, inputs, results, *options):
    outs = [os.path.join(FOLDER, f"out{i}.npy") for i in range(results)]
    done = subprocess.run([TOOL, "eval", FILE, "--entry", entry, "--in", *inputs, "--out", *outs,
                           *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, [load(path) for path in outs]


def compare(entry, what, inputs, results, *options):
    expected = run(entry, inputs, results, *options)[1]
    got = run(entry, inputs, results, "--native", *options)[1]
    for (shape, want), (found, have) in zip(expected, got):
        largest = max(map(abs, want))
        if shape != found or any(not abs(a - b) <= 1e-5 * largest for a, b in zip(want, have)):
            print(f"{entry}, {what}: {shape} against {found}, {want} against {have}")
            return
    print(f"{entry}, {what}: equal")


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
