#!/usr/bin/env python3
"""Holds the three forms of llama.rope against each other and against the formula.

    forms.py CORELLAMA_OPT LLVM_BIN

Each form is lowered by corellama-study-pipeline and run by mlir-runner, which prints the
bits of the result.
"""
import math
import random
import struct
import subprocess
import sys

OPT, LLVM = sys.argv[1:]
ROWS, HEADS, D, BASE = 5, 2, 6, 10000.0
POSITIONS = [0, 1, 77, 4095, 10**6]
ROPE = """func.func @rotate(%x: tensor<5x12xf32>, %pos: tensor<5xi32>) -> tensor<5x12xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<5x12xf32>, tensor<5xi32>
  return %y : tensor<5x12xf32>
}"""
MAIN = """func.func @main() {
  %x = arith.constant dense<ROWS> : tensor<5x12xTYPE>
  %pos = arith.constant dense<POSITIONS> : tensor<5xi32>
  %y = func.call @rotate(%x, %pos) : (tensor<5x12xTYPE>, tensor<5xi32>) -> tensor<5x12xTYPE>
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %rows = arith.constant 5 : index
  %columns = arith.constant 12 : index
  scf.for %r = %zero to %rows step %one {
    scf.for %c = %zero to %columns step %one {
      %e = tensor.extract %y[%r, %c] : tensor<5x12xTYPE>
      %b = arith.bitcast %e : TYPE to iBITS
      vector.print %b : iBITS
    }
  }
  return
}"""


def pipe(command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stderr}")
    return done.stdout


def run(form, kind, rows, pairs="adjacent"):
    """The rows, rotated: kind is f32 or f64."""
    bits, code, word = {"f32": ("32", "<f", "<i"), "f64": ("64", "<d", "<q")}[kind]
    rotate = pipe([OPT, f"--llama-rope-to-{form}=type={kind} pairs={pairs}"], ROPE)
    literals = [[f"0x{struct.pack(code, x)[::-1].hex().upper()}" for x in row] for row in rows]
    main = (MAIN.replace("ROWS", str(literals).replace("'", "")).replace("TYPE", kind)
            .replace("POSITIONS", str(POSITIONS)).replace("BITS", bits))
    body = rotate.rstrip().removesuffix("}")
    lowered = pipe([OPT, "--corellama-study-pipeline"], f"{body}{main}\n}}\n")
    printed = pipe([f"{LLVM}/mlir-runner", "-e", "main", "-entry-point-result=void",
                    f"-shared-libs={LLVM}/../lib/libmlir_c_runner_utils.so"], lowered)
    values = [struct.unpack(code, struct.pack(word, int(line)))[0] for line in printed.split()]
    return [values[i:i + HEADS * D] for i in range(0, len(values), HEADS * D)]


def formula(rows):
    result = []
    for p, row in zip(POSITIONS, rows):
        y = []
        for k in range(0, HEADS * D, 2):
            t = p * BASE**(-(k % D) / D)
            y += [row[k] * math.cos(t) - row[k + 1] * math.sin(t),
                  row[k] * math.sin(t) + row[k + 1] * math.cos(t)]
        result.append(y)
    return result


def largest(got, want, rows):
    """The largest error, in units of the length of its pair."""
    return max(abs(got[r][k] - want[r][k]) / math.hypot(*rows[r][k & ~1:(k & ~1) + 2])
               for r in range(ROWS) for k in range(HEADS * D))


generator = random.Random(7)
# Exact in float32, so that both types get the same numbers.
ROW = [[generator.randrange(-2**20, 2**20) / 2**18 for _ in range(HEADS * D)]
       for _ in range(ROWS)]
for kind, bound in (("f64", 4 * 2**-53), ("f32", 3 * 2**-24)):
    forms = {form: run(form, kind, ROW) for form in ("matrix", "elementwise", "complex")}
    for form, got in forms.items():
        error = largest(got, formula(ROW), ROW)
        print(kind, form, "near the formula" if error <= bound else f"off by {error}")

# half(x) = P^-1 adj(P x): P puts i and i + d / 2 side by side.
ORDER = [h * D + i // 2 + i % 2 * (D // 2) for h in range(HEADS) for i in range(D)]
for form in ("matrix", "elementwise", "complex"):
    half = run(form, "f32", ROW, "half")
    back = run(form, "f32", [[row[k] for k in ORDER] for row in ROW])
    print(form, "of halves:",
          "the same bits" if [[row[k] for k in ORDER] for row in half] == back else "other bits")

# A matrix multiplies its zeros, too: an infinity in one pair spoils all others.
infinite = [[math.inf, *row[1:]] for row in ROW]
for form in ("matrix", "elementwise"):
    got = run(form, "f32", infinite)
    print(form, "with an infinity:", sum(map(math.isnan, got[1][2:D])), "NaN in other pairs")
