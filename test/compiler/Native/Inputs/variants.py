#!/usr/bin/env python3
"""Runs functions of eval-variants.mlir by the evaluator and as native code.

    variants.py CORELLAMA FILE.mlir FOLDER
"""
import os
import subprocess

from evaluate import FILE, TOOL, compare, floats, integers, run, save


def positions(first, rows=11):
    return integers("pos", range(first, first + rows))


# Angles are float64: what is left is the rounding of sine and cosine to float32, and
# of the angle to float64, which below 2^24 is less.
NEAR = 3 * 2**-24
compare("binary", "11 rows from position 2097141", [positions(2097141)], 1, within=0)
for first in (0, 999990):
    compare("sine", f"11 rows from position {first}", [positions(first)], 1, within=NEAR)
for first, rows in ((0, 11), (999990, 1), (16777200, 11)):
    # The sum has a rounding of its own.
    compare("pairs", f"{rows} rows from position {first}",
            [floats("x", rows, 50), positions(first, rows)], 2, within=NEAR)
compare("single", "11 rows from position 999990", [positions(999990)], 1, within=NEAR)
exact = run("single", [positions(1000000)], 1, "--mode", "ideal")[1][0][1]
single = run("single", [positions(1000000)], 1, "--native")[1][0][1]
print(f"f32 angles at 10^6 are off by {max(abs(a - b) for a, b in zip(exact, single)):.1e}")

for entry in ("one_pass", "two_pass"):
    for rows in (1, 3, 11):
        compare(entry, f"{rows} rows",
                [floats("x", rows, 50), floats("g", 50), floats("b", 50), floats("w", 40, 50)], 2)
# Few rows of a wide weight are multiplied in tiles wider than the lanes of a sum.
compare("wide", "1 rows for 256-bit vectors", [floats("x", 1, 50), floats("g", 50),
                                               floats("w", 2048, 50)], 1,
        native=("--target", "x86-64-v3"))
for rows in (1, 11):
    compare("activations", f"{rows} rows", [floats("x", rows, 50), floats("w", 40, 50)], 3)
for rows in (1, 11):
    compare("gated", f"{rows} rows",
            [floats("x", rows, 50), floats("w", 40, 50), floats("v", 40, 50, kind="e")], 3)
for entry in ("f16_cached", "bf16_cached"):
    compare(entry, "11 rows", [floats("q", 11, 24), floats("k", 11, 12), positions(0), "0"], 1)
# A value in the middle of two numbers may become either.
halves = [floats("x", 5, 50), floats("g", 50)]
compare("halves", "5 rows", halves, 2, within=2**-8)
# Native code rounds rows to bf16 by AVX512_BF16 alone.
with open("/proc/cpuinfo") as file:
    rounds = "avx512_bf16" in file.read() and "CORELLAMA_HOST" not in os.environ
if rounds:
    compare("rounded_to_bf16", "5 rows", halves, 1, within=2**-8)
else:
    done = subprocess.run([TOOL, "eval", FILE, "--entry", "rounded_to_bf16", "--in", *halves,
                           "--native"], capture_output=True, text=True)
    refused = done.returncode == 1 and "'__truncsfbf2', which the runtime does not have" in done.stderr
    print("rounded_to_bf16, 5 rows:", "refused" if refused else done)

# Squares of 4096 + 1 and 4096 - 1 have 25 bits.
ones = [save("x", "f", (1, 50), [4096 + (-1)**i for i in range(50)]), save("g", "f", (50,), [1] * 50),
        save("b", "f", (50,), [0] * 50), save("w", "f", (40, 50), [0] * 2000)]
want = run("two_pass", ones, 2)[1][1][1]
errors = [max(abs(a - b) for a, b in zip(want, run(entry, ones, 2, "--native")[1][1][1]))
          for entry in ("one_pass", "two_pass")]
print(f"a mean of 4096: one pass is off by {errors[0]:.2g}, two passes are",
      "right" if errors[1] < 1e-5 else f"off by {errors[1]}")
