"""Writes a checkpoint with the sizes of a known Llama and random weights.

Input: a shape by name and a seed; output: a GGUF file, BF16 or F32, the same bytes for
the same seed. Speed does not depend on what a model knows, so `benchmarks/compare`
measures such models and needs no download of gigabytes. A file of its own because it
is also of use alone.

Weights are normal with deviation 1 / sqrt(columns), as at the start of training: a row
of unit scale gives products of unit scale, and quantisers find the blocks they expect.
The tokenizer is `none`, which llama.cpp knows; a program of ours then takes ids. Numbers
are drawn and written some rows at a time: the file may be larger than memory.
"""

import argparse
import dataclasses
from pathlib import Path

import gguf
import numpy as np

from comparison.steps import whole_file

# Of the largest: a prompt behind 16,384 tokens has room. Neither engine reserves more
# than a run asks for.
CONTEXT = 32768
# Numbers in memory at a time: 16 MB of float32.
PIECE = 1 << 22
ALIGNMENT = 32  # of tensors in the file: GGUF's default
TYPES = {"bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16, 2),
         "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32, 4)}


@dataclasses.dataclass(frozen=True)
class Shape:
    dim: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    vocabulary: int


SHAPES = {
    "1.1b": Shape(2048, 22, 32, 4, 5632, 32000),  # TinyLlama
    "7b": Shape(4096, 32, 32, 32, 11008, 32000),  # Llama 2 7B
    # For tests: rows of whole superblocks, all else as small as may be.
    "tiny": Shape(256, 2, 4, 2, 512, 288),
}


def tensors(shape):
    """(name, rows, columns) of each, in the order of the file; 1 row: a norm."""
    kv_rows = shape.dim // shape.heads * shape.kv_heads
    yield "token_embd.weight", shape.vocabulary, shape.dim
    for layer in range(shape.layers):
        for name, rows, columns in (
                ("attn_norm", 1, shape.dim), ("attn_q", shape.dim, shape.dim),
                ("attn_k", kv_rows, shape.dim), ("attn_v", kv_rows, shape.dim),
                ("attn_output", shape.dim, shape.dim), ("ffn_norm", 1, shape.dim),
                ("ffn_gate", shape.hidden, shape.dim),
                ("ffn_up", shape.hidden, shape.dim),
                ("ffn_down", shape.dim, shape.hidden)):
            yield f"blk.{layer}.{name}.weight", rows, columns
    yield "output_norm.weight", 1, shape.dim
    yield "output.weight", shape.vocabulary, shape.dim


def write_header(path, name, shape, seed, form):
    kind, file_type, size = TYPES[form]
    w = gguf.GGUFWriter(path, "llama")
    w.add_name(f"{name}, random, seed {seed}")
    w.add_file_type(file_type)
    w.add_context_length(CONTEXT)
    w.add_embedding_length(shape.dim)
    w.add_block_count(shape.layers)
    w.add_feed_forward_length(shape.hidden)
    w.add_head_count(shape.heads)
    w.add_head_count_kv(shape.kv_heads)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(1e4)
    w.add_rope_dimension_count(shape.dim // shape.heads)
    w.add_vocab_size(shape.vocabulary)
    w.add_tokenizer_model("none")
    for tensor, rows, columns in tensors(shape):
        if rows == 1:
            w.add_tensor_info(tensor, (columns,), np.dtype("float32"), 4 * columns,
                              TYPES["f32"][0])
        else:
            w.add_tensor_info(tensor, (rows, columns), np.dtype("float32"),
                              rows * columns * size, kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_ti_data_to_file()
    w.close()


def to_bf16(values):
    """The upper halves of float32, rounded to nearest, ties to even; values are finite."""
    bits = values.view(np.uint32)
    bits += 0x7FFF + (bits >> 16 & 1)
    return (bits >> 16).astype(np.uint16)


def write_normal(file, rng, rows, columns, form):
    left = rows * columns
    while left:
        values = rng.standard_normal(min(left, PIECE), dtype=np.float32)
        left -= values.size
        values *= np.float32(columns ** -0.5)
        file.write(memoryview(to_bf16(values) if form == "bf16" else values))


def write_weights(file, shape, seed, form):
    for i, (_, rows, columns) in enumerate(tensors(shape)):
        file.write(bytes(-file.tell() % ALIGNMENT))
        if rows == 1:
            file.write(memoryview(np.ones(columns, np.float32)))
        else:
            # A stream for each tensor; SFC64 is the fastest that numpy has.
            rng = np.random.Generator(np.random.SFC64([seed, i]))
            write_normal(file, rng, rows, columns, form)
    file.write(bytes(-file.tell() % ALIGNMENT))


def write_checkpoint(path, name, seed=1, form="bf16"):
    shape = SHAPES[name]
    with whole_file(path) as partial:
        write_header(partial, name, shape, seed, form)
        with open(partial, "ab") as file:
            write_weights(file, shape, seed, form)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("output", type=Path, metavar="FILE.gguf")
    p.add_argument("--shape", choices=SHAPES, default="1.1b")
    p.add_argument("--type", choices=TYPES, default="bf16")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    write_checkpoint(args.output, args.shape, args.seed, args.type)


if __name__ == "__main__":
    main()
