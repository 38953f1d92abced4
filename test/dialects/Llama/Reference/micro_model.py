#!/usr/bin/env python3
"""A Llama of two layers that fits on a page, and its logits in plain Python.

    micro_model.py weights FOLDER   writes FOLDER/NAME.npy for `eval --weights`
    micro_model.py ids FILE         writes the ids
    micro_model.py compare FILE     FILE is what `eval` printed: is it right?

It shares no code with the evaluator. All weights are multiples of 1/8, so that
f32 and f16 hold them exactly. 2 columns, 1 head, hidden size 3, 4 ids; attn_v of
layer 1 is stored as f16.
"""
import math
import os
import struct
import subprocess
import sys

IDS = [2, 0, 3, 3, 1]
DIM, HIDDEN, VOCABULARY, LAYERS, EPS, BASE = 2, 3, 4, 2, 1e-5, 10000.0
SHAPES = {"attn_norm": (DIM,), "attn_q": (DIM, DIM), "attn_k": (DIM, DIM),
          "attn_v": (DIM, DIM), "attn_output": (DIM, DIM), "ffn_norm": (DIM,),
          "ffn_gate": (HIDDEN, DIM), "ffn_up": (HIDDEN, DIM), "ffn_down": (DIM, HIDDEN)}


def matrix(rows, columns, seed):
    return [[((7 * i + 3 * j + 5 * seed) % 11 - 5) / 8 for j in range(columns)]
            for i in range(rows)]


def make(name, shape, seed):
    rows = matrix(shape[0] if len(shape) == 2 else 1, shape[-1], seed)
    return {"name": name, "shape": shape, "rows": rows}


def weights():
    tensors = [make("token_embd", (VOCABULARY, DIM), 1), make("output_norm", (DIM,), 2)]
    for layer in range(LAYERS):
        for i, (name, shape) in enumerate(SHAPES.items()):
            tensors.append(make(f"blk.{layer}.{name}", shape, 3 + 10 * layer + i))
    return {tensor["name"]: tensor for tensor in tensors}


def write(folder):
    os.makedirs(folder, exist_ok=True)
    for tensor in weights().values():
        path = os.path.join(folder, tensor["name"] + ".npy")
        values = [value for row in tensor["rows"] for value in row]
        kind, shape = "f4", list(tensor["shape"])
        if tensor["name"] == "blk.1.attn_v":
            kind, shape[-1] = "u1", 2 * shape[-1]
            values = struct.pack(f"<{len(values)}e", *values)
        npy(path, kind, shape, values)


def npy(path, kind, shape, values):
    tool = os.path.join(os.path.dirname(__file__), "npy.py")
    subprocess.run([sys.executable, tool, path, kind, "x".join(map(str, shape)),
                    *map(str, values)], check=True)


def norm(x, w):
    rms = math.sqrt(sum(v * v for v in x) / len(x) + EPS)
    return [v / rms * g for v, g in zip(x, w["rows"][0])]


def times(w, x):
    return [sum(a * b for a, b in zip(row, x)) for row in w["rows"]]


def turn(x, position):
    # One pair: its angle is the position itself, as base^0 = 1.
    c, s = math.cos(position), math.sin(position)
    return [x[0] * c - x[1] * s, x[0] * s + x[1] * c]


def logits():
    w = weights()
    keys = [[] for _ in range(LAYERS)]
    values = [[] for _ in range(LAYERS)]
    result = []
    for position, token in enumerate(IDS):
        x = w["token_embd"]["rows"][token]
        for layer in range(LAYERS):
            b = {name: w[f"blk.{layer}.{name}"] for name in SHAPES}
            h = norm(x, b["attn_norm"])
            q = turn(times(b["attn_q"], h), position)
            keys[layer].append(turn(times(b["attn_k"], h), position))
            values[layer].append(times(b["attn_v"], h))
            p = [math.exp((q[0] * k[0] + q[1] * k[1]) / math.sqrt(DIM)) for k in keys[layer]]
            a = [sum(pi * v[i] for pi, v in zip(p, values[layer])) / sum(p)
                 for i in range(DIM)]
            x = [u + v for u, v in zip(x, times(b["attn_output"], a))]
            h = norm(x, b["ffn_norm"])
            gate, up = times(b["ffn_gate"], h), times(b["ffn_up"], h)
            s = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)]
            x = [u + v for u, v in zip(x, times(b["ffn_down"], s))]
        result.append(times(w["token_embd"], norm(x, w["output_norm"])))
    return result


def compare(path):
    with open(path) as file:
        lines = file.read().split("\n")
    if lines[0] != f"float {len(IDS)}x{VOCABULARY}":
        sys.exit(f"{path}: begins with '{lines[0]}'")
    worst = 0.0
    for line, expected in zip(lines[1:], logits()):
        found = [float(word) for word in line.split()]
        if len(found) != VOCABULARY:
            sys.exit(f"{path}: {line}")
        worst = max([worst] + [abs(a - b) for a, b in zip(found, expected)])
    # Nine digits are printed; logits are below 2.
    print("logits agree" if worst < 1e-8 else f"logits differ by {worst}")


if __name__ == "__main__":
    command, argument = sys.argv[1:3]
    if command == "weights":
        write(argument)
    elif command == "ids":
        npy(argument, "i4", [len(IDS)], IDS)
    else:
        compare(argument)
