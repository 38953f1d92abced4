"""Writes a checkpoint of two small layers: tiny_gguf.py OUT.gguf [SEED [q4_0|bf16 [wide]]].

For tests of the driver: all weights F32 and made from the seed, or Q4_0 where rows
have whole blocks, or matrices BF16; five blocks of 32 columns at the widest if it is
wide; no tokenizer, nothing but the standard library, so that a lit test
needs no package.
"""
import random
import struct
import sys

DIM, HEADS, KV_HEADS, HIDDEN, VOCABULARY, LAYERS = 32, 4, 2, 48, 64, 2


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def key(name, value):
    kind, payload = {
        str: lambda: (8, string(value)),
        int: lambda: (4, struct.pack("<I", value)),
        float: lambda: (6, struct.pack("<f", value)),
    }[type(value)]()
    return string(name) + struct.pack("<I", kind) + payload


def main():
    out, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random.seed(seed)
    quantises, halves = "q4_0" in sys.argv[3:], "bf16" in sys.argv[3:]
    hidden = 160 if "wide" in sys.argv[3:] else HIDDEN
    head = DIM // HEADS
    tensors = [("token_embd.weight", VOCABULARY, DIM), ("output_norm.weight", 1, DIM)]
    for layer in range(LAYERS):
        for name, rows, columns in [
                ("attn_norm", 1, DIM), ("attn_q", DIM, DIM),
                ("attn_k", KV_HEADS * head, DIM), ("attn_v", KV_HEADS * head, DIM),
                ("attn_output", DIM, DIM), ("ffn_norm", 1, DIM),
                ("ffn_gate", hidden, DIM), ("ffn_up", hidden, DIM),
                ("ffn_down", DIM, hidden)]:
            tensors.append((f"blk.{layer}.{name}.weight", rows, columns))
    keys = [
        key("general.architecture", "llama"), key("general.name", "tiny"),
        key("llama.block_count", LAYERS), key("llama.context_length", 512),
        key("llama.embedding_length", DIM), key("llama.feed_forward_length", hidden),
        key("llama.attention.head_count", HEADS),
        key("llama.attention.head_count_kv", KV_HEADS),
        key("llama.attention.layer_norm_rms_epsilon", 1e-5),
        key("llama.rope.dimension_count", head)]
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys)
    data = b""
    for name, rows, columns in tensors:
        header += string(name)
        shape = (columns,) if "norm" in name else (columns, rows)
        header += struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        if quantises and rows > 1 and columns % 32 == 0:
            header += struct.pack("<IQ", 2, len(data))
            for _ in range(rows * columns // 32):
                data += struct.pack("<e", random.gauss(0, 0.03)) + random.randbytes(16)
        elif halves and rows > 1:
            header += struct.pack("<IQ", 30, len(data))
            for _ in range(rows * columns):
                data += struct.pack("<f", random.gauss(0, 0.1))[2:]
        else:
            header += struct.pack("<IQ", 0, len(data))
            values = [random.gauss(0, 0.1) for _ in range(rows * columns)]
            data += struct.pack(f"<{rows * columns}f", *values)
        data += bytes(-len(data) % 32)
    with open(out, "wb") as file:
        file.write(header + bytes(-len(header) % 32) + data)


if __name__ == "__main__":
    main()
