"""The layers of the same models by torch.compile, where torch is.

Input: the number of a GPU, tokens of a prompt, and depths; output: seconds of a token and of a
prompt in bf16, of the sizes of the bundle's models, a line of json each as soon as it is known. A
process of its own because nothing else needs torch, and `check` ends it when its time is over. A
few layers are measured and multiplied: all of them would take the compiler minutes.
"""

import json
import sys
import time
from pathlib import Path

MEASURED_LAYERS = 4
TIMES = 20


def make_layer(torch, shape, device):
    functional = torch.nn.functional
    dim, heads, kv_heads, size, hidden = (shape[key] for key in (
        "dim", "heads", "kv_heads", "head_size", "hidden"))

    class Layer(torch.nn.Module):
        """Llama 2's, with a cache of `depth` keys that is not extended: what is added to it
        is a few bytes."""

        def __init__(self, depth):
            super().__init__()

            def linear(rows, columns):
                return torch.nn.Linear(columns, rows, bias=False, dtype=torch.bfloat16,
                                       device=device)
            self.qkv = linear((heads + 2 * kv_heads) * size, dim)
            self.o, self.gate_up = linear(dim, heads * size), linear(2 * hidden, dim)
            self.down = linear(dim, hidden)
            self.norms = torch.nn.Parameter(torch.ones(2, dim, dtype=torch.bfloat16,
                                                       device=device))
            self.cache = torch.randn(2, 1, kv_heads, depth, size, dtype=torch.bfloat16,
                                     device=device)

        def forward(self, x, turn):
            h = functional.rms_norm(x, (dim,), self.norms[0], 1e-5)
            q, k, v = self.qkv(h).split([heads * size, kv_heads * size, kv_heads * size], -1)
            q, k, v = (t.unflatten(-1, (-1, size)).transpose(1, 2) for t in (q, k, v))
            q, k = (torch.stack((t[..., ::2] * turn[0] - t[..., 1::2] * turn[1],
                                 t[..., ::2] * turn[1] + t[..., 1::2] * turn[0]),
                                -1).flatten(-2) for t in (q, k))
            k, v = torch.cat((self.cache[0], k), 2), torch.cat((self.cache[1], v), 2)
            mask = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=device).tril(
                k.shape[2] - q.shape[2])
            mixed = functional.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
            x = x + self.o(mixed.transpose(1, 2).flatten(2))
            gate, up = self.gate_up(functional.rms_norm(x, (dim,), self.norms[1],
                                                        1e-5)).chunk(2, -1)
            return x + self.down(functional.silu(gate) * up)
    return Layer


def measure_shape(torch, device, name, shape, prompt, depths):
    for depth in depths:
        layer = make_layer(torch, shape, device)
        stack = [layer(depth) for _ in range(MEASURED_LAYERS)]

        def run(x, turn, stack=stack):
            for one in stack:
                x = one(x, turn)
            return x
        for rows in prompt, 1:
            x = torch.randn(1, rows, shape["dim"], dtype=torch.bfloat16, device=device)
            turn = torch.randn(2, rows, shape["head_size"] // 2, dtype=torch.bfloat16,
                               device=device)
            compiled = torch.compile(run, mode="reduce-overhead")
            with torch.no_grad():
                for _ in range(3):
                    compiled(x, turn)
                torch.cuda.synchronize()
                began = time.monotonic()
                for _ in range(TIMES):
                    compiled(x, turn)
                torch.cuda.synchronize()
            seconds = (time.monotonic() - began) / TIMES * shape["layers"] / MEASURED_LAYERS
            yield dict(name=f"{name}, {'a token' if rows == 1 else f'prompt {rows}'} behind {depth}",
                       seconds=seconds)


def measure(number, prompt, depths):
    """Rows for the table; layers alone, without the LM head."""
    try:
        import torch
    except ImportError:
        yield dict(name="torch", missing="is not installed")
        return
    if not torch.cuda.is_available():
        yield dict(name="torch", missing="finds no GPU")
        return
    device = torch.device("cuda", number)
    torch.cuda.set_device(device)
    contents = json.loads((Path(__file__).parent / "contents.json").read_text())
    shapes = {case["name"].split()[0]: case["shape"] for case in contents["large"]}
    for name, shape in shapes.items():
        try:
            yield from measure_shape(torch, device, name, shape, prompt, depths)
        except (RuntimeError, TypeError, AttributeError) as problem:  # of an older torch, too
            yield dict(name=name, missing=str(problem).splitlines()[0][:100])


def main():
    number, prompt, *depths = map(int, sys.argv[1:])
    for row in measure(number, prompt, depths):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
