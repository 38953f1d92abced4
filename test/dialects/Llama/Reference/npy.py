#!/usr/bin/env python3
"""Writes a small .npy file from the command line, without NumPy.

    npy.py FILE TYPE SHAPE VALUE...

TYPE is f4, f8, i4, i8 or u1; SHAPE is `2x3`, or `scalar`. A VALUE is a number,
`V*N` (N times V), `A..B` (integers, both ends in) or, for u1, `h:V`: the two
bytes of the half-precision number V. A file of its own because tests of the
evaluator give weights as the bytes of a checkpoint, and should show them.
"""
import struct
import sys

TYPES = {"f4": "f", "f8": "d", "i4": "i", "i8": "q", "u1": "B"}


def number(text):
    return float(text) if set(text) & set(".enif") and "x" not in text else int(text, 0)


def expand(text):
    text, _, times = text.partition("*")
    if text.startswith("h:"):
        values = list(struct.pack("<e", float(text[2:])))
    elif ".." in text:
        first, last = text.split("..")
        values = list(range(int(first), int(last) + 1))
    else:
        values = [number(text)]
    return values * int(times or "1")


def main():
    path, kind, shape = sys.argv[1:4]
    sizes = [] if shape == "scalar" else [int(size) for size in shape.split("x")]
    values = [value for text in sys.argv[4:] for value in expand(text)]
    count = 1
    for size in sizes:
        count *= size
    if len(values) != count:
        sys.exit(f"npy.py: {path}: {len(values)} values for {shape}, which has {count}")
    descr = "|u1" if kind == "u1" else "<" + kind
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(sizes)}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{count}{TYPES[kind]}", *values))


if __name__ == "__main__":
    main()
