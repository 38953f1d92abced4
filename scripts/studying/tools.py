"""The built tools as functions: evaluate a module, compile the running example.

Input: text of IR and arrays; output: arrays, texts of phases and of machine code. Knows
the compiler by its command line only. A file of its own because cells of pages should
say what they compute, not how a command is called.
"""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/e2e"))
from make_models import write_shapes  # noqa: E402

BUILD = ROOT / "build"
WORK = BUILD / "study"
CORELLAMA, OPT = BUILD / "bin/corellama", BUILD / "bin/corellama-opt"
DEMO = BUILD / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
# One target on every machine, so that excerpts of IR and of assembly are the same
# everywhere; d = 8 float32 are one register of it.
TARGET = "x86-64-v3"


def run(*command, stdin=None):
    """The standard output of a command; what it said where it failed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, input=stdin, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-600:]}")
    return done.stdout


# Flags of `evaluate` for compiled code in place of the float64 evaluator.
NATIVE = ("--native", f"--target={TARGET}")
# A fault of test/faults, which test_study plants into all compiled code that has a place
# for it.
FAULT = os.environ.get("CORELLAMA_STUDY_FAULT")


def call(text, entry, *inputs, flags=()):
    """What `corellama eval` prints, and the results of a function of a module. Arguments
    are arrays and integers, caches left out."""
    with tempfile.TemporaryDirectory() as folder:
        given = []
        for i, value in enumerate(inputs):
            if isinstance(value, int):
                given.append(value)
                continue
            given.append(f"{folder}/in{i}.npy")
            np.save(given[-1], np.ascontiguousarray(value))
        # Of "-> (a, b) {" or "-> a {": commas within <> and () of a type do not count.
        head = re.search(rf"@{entry}\(.*?\)\s*->\s*(.*?)\s*(?:attributes.*)?\{{\n", text)[1]
        count = len(re.findall(r"tensor<|index", head))
        timed = "--time" in flags  # then results are of no interest, and large
        out = ["/dev/null" if timed else f"{folder}/out{i}.npy" for i in range(count)]
        command = ["eval", "-", "--entry", entry, *flags, "--out", *out, *(["--in", *given] if given else [])]
        # Not in phases, which are text that is read.
        if FAULT and "--native" in flags and "phases" not in str(flags[-1]):
            try:
                printed = run(BUILD / "bin/corellama-faulty", FAULT, *command, stdin=text)
                return printed, [np.load(path) for path in out if not timed]
            except RuntimeError as error:
                if "has no place for the fault" not in str(error):
                    raise
        printed = run(CORELLAMA, *command, stdin=text)
        return printed, [np.load(path) for path in out if not timed]


def evaluate(text, entry, *inputs, flags=()):
    """The results of a function: float64 by the evaluator, or what `flags` ask for. One
    comes as an array, more as a list."""
    results = call(text, entry, *inputs, flags=flags)[1]
    return results[0] if len(results) == 1 else results


def phases(text, entry, *inputs):
    """{phase: text} of a function as native code; "assembly" is one of them."""
    with tempfile.TemporaryDirectory() as folder:
        call(text, entry, *inputs, flags=(*NATIVE, f"--dump-compilation-phases-to={folder}"))
        return {path.stem[2:]: path.read_text() for path in Path(folder).iterdir()}


def operations(text, *passes, rows=1):
    """{what: exact count} of a call of the first function with so many rows, behind passes."""
    counted = run(OPT, *passes, f"--llama-count-operations=rows={rows}", "-", stdin=text)
    [entries] = re.findall(r"llama\.operations = \{(.*?)\}", counted)[:1]
    return {name: int(n) for name, n in re.findall(r"(\w+) = (\d+)", entries)}


def nanoseconds(text, entry, *inputs):
    """One sample of each kernel of a function as native code, in the order of calls."""
    printed, _ = call(text, entry, *inputs, flags=(*NATIVE, "--time", "--repeat=1"))
    return [kernel["ns"] for kernel in json.loads(printed.splitlines()[0])["kernels"]]


def error_of(action):
    """What an action that must fail says: the last part of its message."""
    try:
        action()
    except RuntimeError as error:
        return re.sub(r".*corellama: (-: )?", "", str(error).splitlines()[-1])
    raise AssertionError("it did not fail")


POSITIONS = "tensor<?xi32>"


def rows(columns):
    return f"tensor<?x{columns}xf32>"


def weight(*shape):
    return f"!llama.weight<{'x'.join(map(str, shape))}, #llama.f32>"


def module(name, arguments, results, *lines):
    """A function: {name: type} of arguments and of results."""
    types, values = ", ".join(results.values()), ", ".join(f"%{key}" for key in results)
    return "\n".join([
        f"func.func @{name}({', '.join(f'%{k}: {v}' for k, v in arguments.items())}) -> ({types}) {{",
        *(f"  {line}" for line in lines), f"  return {values} : {types}", "}", ""])


def positions_module(kind, columns, base=None, angles=""):
    """@encode: rows of `columns` numbers for positions; no base where bits are meant."""
    how = f" base {float(base)!r}" if base else ""
    return module("encode", {"pos": POSITIONS}, {"e": rows(columns)},
                  f"%e = llama.position_encoding {kind} of %pos{how}{angles} : "
                  f"{POSITIONS} -> {rows(columns)}")


def encode(kind, positions, columns, base=None, angles="", flags=()):
    """Encodings of positions by the op. Those of one call are consecutive."""
    text, positions = positions_module(kind, columns, base, angles), np.asarray(positions, np.int32)
    return np.concatenate([evaluate(text, "encode", run_, flags=flags) for run_ in np.split(
        positions, np.flatnonzero(np.diff(positions) != 1) + 1)])


def write_checkpoint(path, tensors, **sizes):
    """A GGUF file: `tensors` gives the array of each name, F32."""
    write_shapes(path, {"head_size": sizes["dim"] // sizes["heads"]} | sizes, "F32")
    for tensor in gguf.GGUFReader(path, "r+").tensors:
        name = tensor.name.removesuffix(".weight")
        tensor.data[:] = tensors(name, tuple(int(n) for n in reversed(tensor.shape)))


def random_tensors(seed):
    """Weights that keep activations of order 1, from a seed and the tensor's name."""
    def tensors(name, shape):
        rng = np.random.default_rng([seed, *name.encode()])
        if len(shape) == 1:
            return 1 + 0.1 * rng.standard_normal(shape)
        return rng.standard_normal(shape) / np.sqrt(shape[1])
    return tensors


# The running example: four tokens, each a row of d = 8 numbers, exact in binary.
TOKENS = ["the", "cat", "sat", "down"]
X = np.array([[1.0, 0.5, -0.5, 0.0, 2.0, -1.0, 0.25, 1.5],
              [-1.0, 1.5, 0.5, 1.0, 0.0, 2.0, -0.5, 0.75],
              [0.5, -0.25, 1.0, -1.5, 1.0, 0.5, 2.0, -1.0],
              [0.0, 1.0, -2.0, 0.5, -0.75, 1.0, 1.0, 0.5]])
EXAMPLE = dict(dim=8, hidden=16, heads=2, kv_heads=1, layers=2, vocabulary=4)


def example_tensors(name, shape):
    """The example's weights: quarters between -1 and 1, so that they can be read."""
    if name == "token_embd":
        return X
    if len(shape) == 1:
        return np.ones(shape)
    rng = np.random.default_rng([*name.encode()])
    return rng.integers(-4, 5, shape) / 4


@functools.cache
def example():
    """The example's checkpoint."""
    path = WORK / f"example-{os.getpid()}.gguf"
    WORK.mkdir(parents=True, exist_ok=True)
    write_checkpoint(path, example_tensors, **EXAMPLE)
    return path


@functools.cache
def phase(name):
    """The example's whole text at a phase, or its assembly ("asm")."""
    how = ["--emit=asm"] if name == "asm" else [f"--compile-to={name}"]
    return run(CORELLAMA, "compile", example(), f"--target={TARGET}", "--activations=f32", *how, "-o", "-")


def function(text, name):
    """The text of a function of IR or of assembly."""
    ir = re.search(rf"^ *func\.func (private )?@{re.escape(name)}\(.*?^  }}$", text, re.M | re.S)
    found = ir or re.search(rf"^{re.escape(name)}:.*?^\.Lfunc_end", text, re.M | re.S)
    return found[0]


def excerpt(text, first, last, keep=None, width=118):
    """Lines from one that matches `first` to the next that matches `last`; of these, where
    `keep` is given, only what matches it, with `...` for what is left out. Comments of
    the assembler go, long lines are cut."""
    lines = [re.sub(r"\s+# .*", "", line).expandtabs(4) for line in text.splitlines()]
    begin = next(i for i, line in enumerate(lines) if re.search(first, line))
    end = next(i for i in range(begin, len(lines)) if re.search(last, lines[i]))
    shown = []
    for line in lines[begin:end + 1]:
        if keep is None or re.search(keep, line):
            shown.append(line if len(line) <= width else line[:width - 3] + "...")
        elif shown and shown[-1].strip() != "...":
            shown.append(re.match(" *", line)[0] + "...")
    indent = min(len(re.match(" *", line)[0]) for line in shown if line.strip())
    return "\n".join(line[indent:] for line in shown)
