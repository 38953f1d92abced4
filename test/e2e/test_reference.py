"""The oracle checked by a second, slower one that shares no formula with it.

Input: a checkpoint or the random models of a seed; output: PASS/FAIL lines. The
second evaluation goes one id at a time with a growing cache, decodes block
formats from their bytes in plain loops as the formats' description has it (not
by the `gguf` package), and rotates by complex multiplication. Where both agree
to float64, a mistake in llama_reference.py would have to be made twice.
"""

import argparse
import struct
import sys

import gguf
import numpy as np

import harness
import llama_reference
import make_models


# What a quant of four bits means: in IQ4_NL and IQ4_XS; in MXFP4.
IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
E2M1 = [sign * size for sign in (1, -1) for size in (0, 0.5, 1, 1.5, 2, 3, 4, 6)]


def half(data, at):
    return struct.unpack_from("<e", data, at)[0]


def decode_row(data, form):
    """One row's bytes to a list of numbers."""
    data = bytes(data)
    out = []
    if form == "F32":
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    if form == "F16":
        return list(struct.unpack(f"<{len(data) // 2}e", data))
    if form == "BF16":
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0]
                for i in range(0, len(data), 2)]
    if form == "Q8_0":
        for b in range(0, len(data), 34):
            out += [half(data, b) * q for q in struct.unpack_from("<32b", data, b + 2)]
    elif form == "Q4_0":
        for b in range(0, len(data), 18):
            d, q = half(data, b), data[b + 2:b + 18]
            out += [d * ((x & 15) - 8) for x in q] + [d * ((x >> 4) - 8) for x in q]
    elif form == "Q4_1":
        for b in range(0, len(data), 20):
            d, m, q = half(data, b), half(data, b + 2), data[b + 4:b + 20]
            out += [d * (x & 15) + m for x in q] + [d * (x >> 4) + m for x in q]
    elif form in ("Q5_0", "Q5_1"):
        size = 22 if form == "Q5_0" else 24
        for b in range(0, len(data), size):
            d, q = half(data, b), data[b + size - 16:b + size]
            m = half(data, b + 2) if form == "Q5_1" else -16 * d
            high = int.from_bytes(data[b + size - 20:b + size - 16], "little")
            four = [x & 15 for x in q] + [x >> 4 for x in q]
            out += [d * (x + 16 * (high >> c & 1)) + m for c, x in enumerate(four)]
    elif form in ("Q2_K", "Q3_K"):
        size = 84 if form == "Q2_K" else 110
        for b in range(0, len(data), size):
            block = data[b:b + size]
            two = block[16:80] if form == "Q2_K" else block[32:96]
            for e in range(256):
                q = two[32 * (e // 128) + e % 32] >> (2 * (e // 32 % 4)) & 3
                if form == "Q2_K":
                    d, m, s = half(block, 80), half(block, 82), block[e // 16]
                    out.append(d * (s & 15) * q - m * (s >> 4))
                    continue
                q += (block[e % 32] >> (e // 32) & 1) * 4 - 4
                s = e // 16
                low = block[96 + s % 8] >> (4 * (s // 8)) & 15
                up = block[104 + s % 4] >> (2 * (s // 4)) & 3
                out.append(half(block, 108) * ((low | up << 4) - 32) * q)
    elif form in ("Q4_K", "Q5_K"):
        size = 144 if form == "Q4_K" else 176
        for b in range(0, len(data), size):
            block = data[b:b + size]
            d, dmin, packed = half(block, 0), half(block, 2), block[4:16]
            for e in range(256):
                j, i = divmod(e, 32)
                byte = block[size - 128 + 32 * (j // 2) + i]
                q = byte >> 4 if j % 2 else byte & 15
                if form == "Q5_K":
                    q += (block[16 + i] >> j & 1) * 16
                if j < 4:
                    s, m = packed[j] & 63, packed[j + 4] & 63
                else:
                    s = packed[j + 4] & 15 | packed[j - 4] >> 6 << 4
                    m = packed[j + 4] >> 4 | packed[j] >> 6 << 4
                out.append(d * s * q - dmin * m)
    elif form == "Q6_K":
        for b in range(0, len(data), 210):
            low, high = data[b:b + 128], data[b + 128:b + 192]
            scales = struct.unpack_from("<16b", data, b + 192)
            d = half(data, b + 208)
            for e in range(256):
                part, i = divmod(e, 128)
                group, lane = divmod(i, 32)
                byte = low[64 * part + 32 * (group & 1) + lane]
                nibble = byte >> 4 if group >= 2 else byte & 15
                two = high[32 * part + lane] >> (2 * group) & 3
                out.append(d * scales[e // 16] * ((nibble | two << 4) - 32))
    elif form in ("IQ4_NL", "IQ4_XS", "MXFP4"):
        size, columns = {"IQ4_NL": (18, 32), "IQ4_XS": (136, 256), "MXFP4": (17, 32)}[form]
        for b in range(0, len(data), size):
            block = data[b:b + size]
            for e in range(columns):
                j, i = divmod(e, 32)
                byte = block[size - columns // 2 + 16 * j + i % 16]
                q = byte >> 4 if i >= 16 else byte & 15
                if form == "MXFP4":
                    out.append(E2M1[q] * 2.0 ** (block[0] - 127))
                    continue
                d = half(block, 0)
                if form == "IQ4_XS":
                    low = block[4 + j // 2] >> (4 * (j % 2)) & 15
                    up = int.from_bytes(block[2:4], "little") >> (2 * j) & 3
                    d *= (low | up << 4) - 32
                out.append(d * IQ4[q])
    else:
        raise ValueError(f"no decoder for {form}")
    return out


class Slow:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self.w = {}
        for t in reader.tensors:
            rows = t.data.reshape(-1, t.data.shape[-1])
            raw = np.ascontiguousarray(rows).view(np.uint8)
            table = np.array([decode_row(r.tobytes(), t.tensor_type.name) for r in raw])
            self.w[t.name] = table[0] if len(t.shape) == 1 else table
        get = lambda key: reader.fields["llama." + key].contents()
        self.layers, self.heads = get("block_count"), get("attention.head_count")
        self.kv = get("attention.head_count_kv")
        self.size = self.w["blk.0.attn_q.weight"].shape[0] // self.heads
        self.eps, self.base = get("attention.layer_norm_rms_epsilon"), get("rope.freq_base")
        self.cache = [([], []) for _ in range(self.layers)]

    def norm(self, x, g):
        return x / (np.dot(x, x) / len(x) + self.eps) ** 0.5 * self.w[g]

    def turn(self, head, position):
        z = head[::2] + 1j * head[1::2]
        pair = np.arange(len(z))
        z = z * np.exp(1j * position / self.base ** (2 * pair / self.size))
        return np.stack([z.real, z.imag], 1).ravel()

    def step(self, token, position):
        x = self.w["token_embd.weight"][token]
        for n in range(self.layers):
            W = lambda part: self.w[f"blk.{n}.{part}.weight"]
            h = self.norm(x, f"blk.{n}.attn_norm.weight")
            q = (W("attn_q") @ h).reshape(self.heads, -1)
            k = (W("attn_k") @ h).reshape(self.kv, -1)
            keys, values = self.cache[n]
            keys.append([self.turn(a, position) for a in k])
            values.append((W("attn_v") @ h).reshape(self.kv, -1))
            mixed = []
            for i, a in enumerate(q):
                j = i * self.kv // self.heads
                a = self.turn(a, position)
                e = np.exp([np.dot(a, key[j]) / self.size ** 0.5 for key in keys])
                mixed.append(sum(p * v[j] for p, v in zip(e / e.sum(), values)))
            x = x + W("attn_output") @ np.concatenate(mixed)
            h = self.norm(x, f"blk.{n}.ffn_norm.weight")
            g = W("ffn_gate") @ h
            x = x + W("ffn_down") @ (g * (W("ffn_up") @ h) / (1 + np.exp(-g)))
        head = "output.weight" if "output.weight" in self.w else "token_embd.weight"
        return self.w[head] @ self.norm(x, "output_norm.weight")


def compare(report, name, path, count, seed):
    slow, fast = Slow(path), llama_reference.Model(path)
    ids = np.random.default_rng([seed, 5]).integers(0, fast.vocabulary, count)
    want = np.array([slow.step(int(t), i) for i, t in enumerate(ids)])
    got = llama_reference.logits(fast, ids)
    # `gguf` rounds d * q + m to float32, the decoder above does not: 2^-24 of
    # a weight at most, some 1e-6 of a logit after all layers.
    error = np.abs(got - want).max() / np.abs(want).max()
    report.check(name, error < 2e-6, f"they differ by {error:.2e}", f"{error:.1e}")
    batch = llama_reference.logits(fast, ids[:count // 2])
    error = np.abs(batch - got[:count // 2]).max() / np.abs(got).max()
    report.check(f"{name}: a prefix alone", error < 1e-12, f"differs by {error:.2e}")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", type=harness.existing)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    report = harness.Report()
    if args.model:
        compare(report, args.model.rsplit("/", 1)[-1], args.model, 12, args.seed)
    else:
        with harness.Workspace() as folder:
            for path, what in make_models.write_all(folder, args.seed):
                compare(report, f"{what['file']} of seed {args.seed}", path, 40,
                        args.seed)
    report.finish()


if __name__ == "__main__":
    sys.exit(main())
