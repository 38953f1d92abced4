"""The time of a prompt on a GPU that is not at hand, from the SASS of its kernels.

Input: Kernels of prefill (cuda_kernels.py), a shape and a Device (cuda_model.py); output:
microseconds of each. A product on tensor cores does the same step for each 32 columns, so
its time is that of a step times their number: the busiest unit of an SM with its resident
blocks, the bytes that the second-level cache brings, or the wait of a block for its next
stage, whichever is longest; and no less than DRAM needs for its weights, which are read
once. Attention on tensor cores has such a step for each 64 keys of a tile of 64 rows.
Other kernels take what the second-level cache needs for their bytes. A file of its
own because cuda_model.py simulates single loads of decode, which is bound by DRAM; here
the same loads come from the second-level cache, by hundreds of blocks.

Not in it: conflicts of banks, weights that a later tile of rows finds no more in the
cache, clocks that fall under load.
"""

import dataclasses
import math

import cuda_kernels
import cuda_model
import sass

PRODUCTS = ["qkv.prefill", "o.prefill", "gate_up.prefill", "down.prefill"]
ATTENTION = "attn.prefill"
MULTIPLY = [*PRODUCTS, ATTENTION]
KERNELS = ["embed.prefill", "norm.prefill.0", "qkv.prefill", "attn.prefill", "o.prefill",
           "norm.prefill.1", "gate_up.prefill", "down.prefill"]
ROWS = 512  # of the prompt
# passes/CUDA/CUDAPlanner.cpp: the tile of a block, columns of a step, keys of one.
TILE, DEPTH, KEYS = 64, 32, 64
# Bytes of a row of x and of the result as prefill keeps them: f16 or bf16, and float32.
HALF, FLOAT = 2, 4
# Of an H100's second-level cache, bytes/us, the low end of what is measured (5.5 to 7
# TB/s). Like the bandwidth of a copy it is no figure of ours.
L2_READ = 5.5e6


@dataclasses.dataclass
class Step:
    """32 columns of a product of 64 x 64, or 64 keys of attention, of one block: the
    quarter's instructions by pipe (each has one of the four warps), and cycles of an SM."""
    pipes: dict
    unit: float  # of the busiest unit
    cache: float  # until the second-level cache has brought both operands
    alone: float  # of a block that nothing else delays, without its wait for a stage


def work(name, shape, rows):
    """FLOP of a kernel that multiplies, as whoever computes it once counts them; else 0."""
    if name in PRODUCTS:
        count, columns = cuda_kernels.weight_of(name.replace("prefill", "decode"), shape)
        return 2 * rows * count * columns
    pairs = rows * (rows + 1) / 2 * (name == ATTENTION)
    return pairs * shape["heads"] * shape["head_size"] * 4


def is_on_tensor_cores(kernel):
    return any(i.opcode == "HMMA" for i in kernel.code.instructions)


def hot_body(kernel):
    """The loop with most products, the longest of several."""
    bodies = [kernel.code.body(place) for place in kernel.code.innermost()]
    return max(bodies, key=lambda body: (sass.pipes(body)["HMMA"], len(body)))


def step_of(kernel, bytes_, device):
    body = hot_body(kernel)
    a_cycle = L2_READ / device.sms / cuda_model.CLOCK
    return Step(sass.pipes(body), sass.busy(body), bytes_ / a_cycle, sass.walk(body).cycles)


def product(kernel, name, form, shape, device, rows):
    """(us, what it is bound by)."""
    count, columns = cuda_kernels.weight_of(name.replace("prefill", "decode"), shape)
    step = step_of(kernel, TILE * DEPTH * HALF + cuda_kernels.size_of(form, TILE, DEPTH),
                   device)
    # Gate and up are one block's, one after the other.
    weights = 2 if name == "gate_up.prefill" else 1
    blocks = math.ceil(count / weights / TILE) * math.ceil(rows / TILE)
    steps = weights * math.ceil(columns / DEPTH)
    full, rest = divmod(blocks, device.sms * kernel.resident)
    waves = [kernel.resident] * full + ([math.ceil(rest / device.sms)] if rest else [])

    def cycles(resident):
        return {"units": resident * step.unit, "L2": resident * step.cache,
                "waits": step.alone + cuda_model.L2 * cuda_model.CLOCK}
    computed = sum(steps * max(cycles(r).values()) for r in waves) / cuda_model.CLOCK
    read = cuda_kernels.size_of(form, count, columns) / device.read
    longest = cycles(kernel.resident)
    bound = max(longest, key=longest.get) if computed > read else "DRAM"
    return max(computed, read) + cuda_model.GAP, bound


def attention(kernel, shape, device, rows):
    """(us, what it is bound by) of a prompt with nothing before it. The first blocks have
    the last rows, so that the longest runs while others follow each other."""
    step = step_of(kernel, 2 * KEYS * shape["head_size"] * HALF, device)
    tiles = math.ceil(rows / TILE)
    blocks, longest = shape["heads"] * tiles, math.ceil(rows / KEYS)
    steps = shape["heads"] * tiles * (tiles + 1) / 2
    held = min(kernel.resident, math.ceil(blocks / device.sms))
    alone = step.alone + cuda_model.L2 * cuda_model.CLOCK
    cycles = {"units": steps / device.sms * step.unit, "L2": steps / device.sms * step.cache,
              "waits": max(steps / device.sms / held, longest) * alone}
    bound = max(cycles, key=cycles.get)
    # Before its loop a block reads the position, then its query, then keys.
    return cycles[bound] / cuda_model.CLOCK + 3 * cuda_model.L2 + cuda_model.GAP, bound


def other(name, shape, device, rows):
    """Kernels that do little arithmetic: (us, what they are bound by)."""
    moved = rows * shape["dim"] * (FLOAT + (name != "embed.prefill") * HALF)
    # Some round trips, which blocks of a wave make together.
    return moved / L2_READ + 3 * cuda_model.L2 + cuda_model.GAP, "L2"


def times(kernels, form, shape, device, rows=ROWS):
    """{kernel: (us of a launch, what it is bound by)}; products and attention that are
    not on tensor cores have no time here."""
    def time(name):
        if name in PRODUCTS:
            return product(kernels[name], name, form, shape, device, rows)
        if name == ATTENTION:
            return attention(kernels[name], shape, device, rows)
        return other(name, shape, device, rows)
    return {name: time(name) for name in KERNELS
            if name not in MULTIPLY or is_on_tensor_cores(kernels[name])}


def total(found, shape):
    """us of a prompt without its logits, or None where a kernel has no time."""
    if any(name not in found for name in KERNELS):
        return None
    return sum(time * (1 if name == "embed.prefill" else shape["layers"])
               for name, (time, _) in found.items())
