"""The built tools as functions: evaluate a module, compile the running example.

Input: text of IR and arrays; output: arrays, texts of phases and of machine code. Knows
the compiler by its command line only. A file of its own because cells of pages should
say what they compute, not how a command is called.
"""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
WORK = BUILD / "study"
CORELLAMA, OPT = BUILD / "bin/corellama", BUILD / "bin/corellama-opt"
DEMO = BUILD / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
# One target on every machine, so that excerpts of IR and of assembly are the same
# everywhere; d = 8 float32 are one register of it.
TARGET = "x86-64-v3"


def run(*command, stdin=None):
    """The standard output of a command; what it said where it failed."""
    done = subprocess.run([str(part) for part in command], capture_output=True,
                          input=stdin, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()[-600:]}")
    return done.stdout


def evaluate(module, entry, *inputs, flags=()):
    """The results of a function of a module: float64 by the evaluator, or what `flags`
    ask for. Arguments are arrays and integers, caches left out. One result comes as an
    array, more as a list."""
    with tempfile.TemporaryDirectory() as folder:
        given = []
        for i, value in enumerate(inputs):
            if isinstance(value, int):
                given.append(value)
                continue
            given.append(f"{folder}/in{i}.npy")
            np.save(given[-1], np.ascontiguousarray(value))
        # Of "-> (a, b) {" or "-> a {": commas within <> and () of a type do not count.
        head = re.search(rf"@{entry}\(.*?\)\s*->\s*(.*?)\s*(?:attributes.*)?\{{\n", module)[1]
        count = len(re.findall(r"tensor<|index", head))
        out = [f"{folder}/out{i}.npy" for i in range(count)]
        command = [CORELLAMA, "eval", "-", "--entry", entry, *flags, "--out", *out]
        run(*command, *(["--in", *given] if given else []), stdin=module)
        results = [np.load(path) for path in out]
    return results[0] if count == 1 else results


def write_checkpoint(path, tensors, *, dim, hidden, heads, kv_heads, layers, vocabulary,
                     context, head_size=None):
    """A GGUF file: `tensors` gives the array of each name, F32."""
    head_size = head_size or dim // heads
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(Path(path).stem)
    writer.add_context_length(context)
    writer.add_embedding_length(dim)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e4)
    writer.add_rope_dimension_count(head_size)
    writer.add_vocab_size(vocabulary)
    shapes = {"token_embd": (vocabulary, dim), "output_norm": (dim,)}
    for layer in range(layers):
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in [
            ("attn_norm", (dim,)), ("attn_q", (heads * head_size, dim)),
            ("attn_k", (kv_heads * head_size, dim)),
            ("attn_v", (kv_heads * head_size, dim)),
            ("attn_output", (dim, heads * head_size)), ("ffn_norm", (dim,)),
            ("ffn_gate", (hidden, dim)), ("ffn_up", (hidden, dim)),
            ("ffn_down", (dim, hidden))]}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", tensors(name, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


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
EXAMPLE = dict(dim=8, hidden=16, heads=2, kv_heads=1, layers=2, vocabulary=4, context=16)


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
    return run(CORELLAMA, "compile", example(), f"--target={TARGET}", "--activations=f32",
               *how, "-o", "-")


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
