"""What tests of `corellama eval` share: arrays, and functions called both ways.

Without NumPy, as all lit tests: rows are lists, arrays are written and read here.
A script that imports this is called with CORELLAMA FILE.mlir FOLDER.
"""
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


def run(entry, inputs, results, *options, tool=(TOOL,)):
    outs = [os.path.join(FOLDER, f"out{i}.npy") for i in range(results)]
    done = subprocess.run([*tool, "eval", FILE, "--entry", entry, "--in", *inputs, "--out", *outs,
                           *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, [load(path) for path in outs]


def compare(entry, what, inputs, results, *options, within=1e-5, native=()):
    expected = run(entry, inputs, results, *options)[1]
    got = run(entry, inputs, results, "--native", *options, *native)[1]
    for (shape, want), (found, have) in zip(expected, got):
        largest = max(map(abs, want))
        if shape != found or any(not abs(a - b) <= within * largest for a, b in zip(want, have)):
            print(f"{entry}, {what}: {shape} against {found}, {want} against {have}")
            return
    print(f"{entry}, {what}: equal")
