"""A GPU's kernels as figures: what ptxas, the schedule and the SASS say of each.

Input: the driver, a shape of a model, a format and an architecture; output: a Kernel
for each kernel of a decode step. The checkpoint has the right header, one layer and no
weights (a sparse file): the compiler looks at shapes only, and all layers have the same
kernels. A file of its own because three read it: the prediction of times
(cuda_model.py), the gates (cuda_gates.py), and the tables of docs/gpu.md.
"""

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf

import sass

# What a PTX file and ptxas say is read where it is tested.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test/e2e"))
import make_models  # noqa: E402
import test_cuda_ptx  # noqa: E402

SHAPES = {
    "7B": dict(dim=4096, heads=32, kv_heads=32, head_size=128, hidden=11008,
               vocabulary=32000, layers=32),
    "1.1B": dict(dim=2048, heads=32, kv_heads=4, head_size=64, hidden=5632,
                 vocabulary=32000, layers=22),
}
PRODUCTS = ["qkv.decode", "o.decode", "gate_up.decode", "down.decode", "lm_head.lm_head"]
KERNELS = ["embed.decode", "qkv.decode", "attn.decode", "merge.decode", *PRODUCTS[1:]]
# Once a token; the others once a layer.
ONCE = {"embed.decode", "lm_head.lm_head"}

# (SMs, bytes of workgroup memory of an SM): A100 and H100 SXM, of which an H200 has the
# SMs. The rest is the same for both: CUDA C++ Programming Guide, table "Technical
# Specifications per Compute Capability", 8.0 and 9.0.
ARCHITECTURES = {"sm_80": (108, 164 * 1024), "sm_90a": (132, 228 * 1024)}
REGISTERS, THREADS, BLOCKS = 65536, 2048, 32
REGISTER_STEP = 256  # registers are given to a warp in steps of this
SHARED_RESERVED = 1024  # of each block, by the system
LANES = 32

# Weights whose quants a load of 16 bytes brings (passes/CUDA/WeightChunks.cpp); high
# bits come by narrower ones.
OF_A_LOAD = {"F16": 8, "BF16": 8, "Q8_0": 16, "Q4_0": 32, "Q4_1": 32, "Q6_K": 32}
# Loads of 16 bytes that a lane issues before it uses the first, at most: kWeightLoads
# (passes/CUDA/WeightChunks.h), twice as many of floats, and three rounds of two rows
# where high bits come, too (MmaSplit.cpp).
AT_ONCE = {form: 8 for form in OF_A_LOAD} | {"F16": 16, "BF16": 16, "Q6_K": 6}
# Rows of a weight that a warp takes at a time (passes/CUDA/Units/Simt.cpp); of as many
# columns a lane of MmaSplit.cpp has two rows.
ROWS = 2
# passes/CUDA/Prefetches.cpp: the most bytes of a weight that a block prefetches, of
# the rows of a tile; weights of a tile.
PREFETCH, TILE, WEIGHTS = 36 * 1024, 16, {"gate_up.decode": 2}
# passes/CUDA/CUDAPlanner.cpp: keys of a block of attention and the most heads that share
# them; passes/Tile/AttentionBody.cpp: blocks that are merged at once. The cache is f16.
KEYS, HEADS, MERGED_AT_ONCE, CACHE_BYTES = 64, 8, 8, 2
# Loads of a loop that are shorter than this apart, in cycles, are issued together as far
# as DRAM is concerned.
TOGETHER = 64


def ceil_div(a, b):
    return -(-a // b)


def size_of(form, rows, columns):
    """Bytes of a weight."""
    block, size = gguf.GGML_QUANT_SIZES[make_models.Type[form]]
    return rows * columns * size / block


def weight_of(name, shape):
    """(rows, columns) that a product reads."""
    q, kv = (shape[heads] * shape["head_size"] for heads in ("heads", "kv_heads"))
    dim, hidden = shape["dim"], shape["hidden"]
    return {"qkv.decode": (q + 2 * kv, dim), "o.decode": (dim, q),
            "gate_up.decode": (2 * hidden, dim), "down.decode": (dim, hidden),
            "lm_head.lm_head": (shape["vocabulary"], dim)}[name]


@dataclasses.dataclass
class Kernel:
    """What is known of a kernel and its launch. A program is what each warp does, as
    (count, operations): an operation is ["prefetch", bytes of the warp from DRAM to the
    second-level cache], ["load", bytes of the warp], ["wait"] for all loads so far,
    ["work", cycles that a quarter of an SM is kept busy, cycles that the warp takes alone],
    ["fixed", cycles, round trips to the second-level cache] or ["previous"], the wait for
    the launch before it."""
    name: str
    blocks: int
    threads: int
    registers: int
    spilled: int
    shared: int  # bytes
    resident: int  # blocks that an SM holds at once
    bytes: float  # of weights, keys and values, which come from DRAM
    program: list
    code: sass.Code = None
    prefetched: float = 0  # bytes of weights, by a block, before it waits for x

    @property
    def warps(self):
        return self.threads // LANES

    def overlaps(self):
        """Whether it may begin before the launch before it has ended."""
        return any(op[0] == "previous" for _, ops in self.program for op in ops)

    def round_trips(self):
        """Round trips one after the other before the first weight or key is asked for, by
        a prefetch or a load."""
        trips = 0
        for kind, *value in (op for _, ops in self.program for op in ops):
            if kind in ("prefetch", "load"):
                break
            trips += value[1] if kind == "fixed" else 0
        return trips


def residents(arch, registers, threads, shared):
    a_warp = ceil_div(registers * LANES, REGISTER_STEP) * REGISTER_STEP
    return min(REGISTERS // (a_warp * (threads // LANES)), THREADS // threads, BLOCKS,
               ARCHITECTURES[arch][1] // (shared + SHARED_RESERVED))


def fixed(body):
    walked = sass.walk(body)
    return ["fixed", walked.cycles, len(walked.waits)]


def operations(body, scale, share=1.0):
    """A range as operations, or a share of a trip. Of its loads' bytes a lane `scale`
    are new bytes of a warp: 32, less where lanes load the same."""
    waits, made, start = set(sass.walk(body).waits), [], 0

    def work(end):
        nonlocal start
        if end > start:
            part = body[start:end]
            made.append(["work", sass.busy(part) * share, sass.walk(part).cycles * share])
            start = end

    for index, instruction in enumerate(body):
        if index in waits:
            work(index)
            made.append(["wait"])
        if instruction.is_load:
            size = instruction.bytes * scale * share
            if made and made[-1][0] == "load" and index - start < TOGETHER:
                made[-1][1] += size
            else:
                work(index)
                made.append(["load", size])
    work(len(body))
    return made


def prologue_trips(code, last, shape, threads):
    """{loop: trips} of the loops before the weights, over the row that a norm sums or that
    is staged."""
    row = shape["dim"] * 4 / threads
    return {r: max(1, round(row / size)) for r in code.loops() if r[1] < last
            and (size := sum(i.bytes for i in code.body(r) if i.is_load))}


def prefetches(code, end):
    """The indices of prefetches before `end`."""
    return [at for at in range(end) if code.instructions[at].is_prefetch]


def prologue(kernel, code, end, turns):
    """The program of what is before `end`: to the first prefetch, from the last one on,
    and where in these it waits for the launch before it. Of a kernel that has prefetches
    before that wait, later ones are of what a later trip reads."""
    asks = prefetches(code, end)
    early = prefetches(code, next((at for at in range(end) if code.instructions[at].is_wait),
                                  end))
    asks = early or asks

    def plain(first, last):
        """The range [first, last)."""
        wait = next((at for at in range(first, last) if code.instructions[at].is_wait), last)
        parts = [(first, wait), (wait + 1, last)]
        made = [[fixed(code.unrolled((a, b - 1), turns))] for a, b in parts if a < b]
        if wait < last:
            made.insert(1 if first < wait else 0, [["previous"]])
        return [(1, operations) for operations in made]

    if not asks:
        return plain(0, end)
    return [*plain(0, asks[0]), (1, [["prefetch", kernel.prefetched / kernel.warps]]),
            *plain(asks[-1] + 1, end)]


def weights_of_a_trip(body, form):
    """Weights that a lane takes in a range."""
    return sum(i.is_wide_load for i in body) * OF_A_LOAD[form]


def product(kernel, code, form, shape):
    """(bytes, program) of a product."""
    rows, columns = weight_of(kernel.name, shape)
    hot = code.hot()
    body = code.body(hot[0])
    weights = weights_of_a_trip(body, form)
    loaded = sum(i.bytes for i in body if i.is_load)
    scale = LANES * size_of(form, 1, weights) / loaded
    # Rows of a warp, and of a pair of rows whole trips and the rest.
    passes = rows / (kernel.blocks * kernel.warps * ROWS)
    trips = columns * ROWS / LANES / weights
    if (at_once := weights * LANES // (columns * ROWS)) > 1:  # rows of two matrices
        passes, trips = passes / at_once, trips * at_once
    after = hot[1][0] if len(hot) > 1 else len(code.instructions)
    behind = min(after, code.end_after(hot[0][1]))
    last = max(i for i in range(behind) if code.instructions[i].is_wide_load)
    first = hot[0][0] + next(i for i, one in enumerate(body) if one.is_wide_load)
    turns = prologue_trips(code, first, shape, kernel.threads)
    if prefetches(code, first):
        kernel.prefetched = (min(size_of(form, TILE, columns), PREFETCH)
                             * WEIGHTS.get(kernel.name, 1))
    program = prologue(kernel, code, first, turns)
    a_pass = [(int(trips), operations(body, scale)),
              (1, operations(body, scale, trips % 1)),
              (1, [fixed(code.body((max(last, hot[0][1]) + 1, behind - 1)))])]
    if trips < 1:  # rows too short for a trip of a loop that others need
        a_pass = a_pass[1:]
    elif trips % 1 == 0:
        a_pass = [a_pass[0], a_pass[2]]
    program += a_pass * int(passes)
    if passes % 1:  # the warps' mean
        program += [(count, [[op[0], *(x * (passes % 1) for x in op[1:])] for op in ops])
                    for count, ops in a_pass]
    return size_of(form, rows, columns), program


def attention(kernel, code, shape, keys):
    """(bytes, program): a block's prefetches, the query, then keys and values at once;
    loops are over heads that share keys."""
    heads = min(HEADS, shape["heads"] // shape["kv_heads"])
    # Heads that share keys read them once; the bytes of a launch are the cache's.
    total = 2 * shape["kv_heads"] * shape["head_size"] * CACHE_BYTES * keys
    running = ceil_div(keys, KEYS) * shape["heads"] // heads
    asks = prefetches(code, len(code.instructions))
    shared = next(at for at, i in enumerate(code.instructions) if i.opcode == "BAR")
    body = code.unrolled((shared + 1, code.end_after(asks[-1]) - 1),
                         {r: heads for r in code.loops()})
    scale = total / (running * kernel.warps * sum(i.bytes for i in body if i.is_load))
    kernel.prefetched = total / running
    return total, [*prologue(kernel, code, shared + 1, {}), (1, operations(body, scale))]


def merge(code, keys):
    """The program of what merges the blocks of attention, which the second-level cache
    has."""
    trips = ceil_div(ceil_div(keys, KEYS), MERGED_AT_ONCE)
    end = code.end_after(max(r[1] for r in code.loops()))
    return 0, prologue(None, code, end, {r: trips for r in code.loops()})


def embedding(code, form, shape, threads):
    """(bytes, program): where the row is, which hangs on a token, then the row."""
    last = code.end_after(0)
    token = sass.walk(code.body((0, last - 1))).waits[0] + 1
    row = code.body((token, last - 1))
    size = size_of(form, 1, shape["dim"])
    scale = size / (threads // LANES) / sum(i.bytes for i in row if i.is_load)
    return size, [*prologue(None, code, token, {}), (1, operations(row, scale))]


def read_parts(text, rows, keys):
    """{kernel: parts} of a module at phase schedule, for a call of so many rows and
    keys, from the partition of each kernel (#llama.partition)."""
    made = {}
    for name, fields in re.findall(
            r"^  func\.func private @(\S+)\(.*llama\.partition = #llama\.partition<(.*?)>",
            text, re.M):
        by = int(re.search(r"(?<!_)by = (\d+)", fields)[1])
        if of := re.search(r"of = (rows|keys)", fields):
            times = re.search(r"times = (\d+)", fields)
            made[name] = (ceil_div({"rows": rows, "keys": keys}[of[1]], by)
                          * int(times[1] if times else 1))
        else:
            groups = re.search(r"rows = \[(.*?)\]", fields)[1].split(",")
            made[name] = sum(ceil_div(int(group), by) for group in groups)
    return made


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"cuda_kernels: {command[0]}: {done.stderr.strip()}")
    return done


def tool(name):
    path = sass.find_tool(name)
    if not path:
        sys.exit(f"cuda_kernels: no {name}; pip install -r scripts/requirements.txt")
    return path


def compile_kernels(driver, shape, form, arch, keys=512):
    """({name: Kernel} of decode, the same of prefill without programs)."""
    with tempfile.TemporaryDirectory() as folder:
        model, ptx, cubin = (os.path.join(folder, name)
                             for name in ("shapes.gguf", "model.ptx", "model.cubin"))
        make_models.write_shapes(model, shape | dict(layers=1), form)
        target = f"--target=cuda:{arch}"
        run(driver, "compile", model, target, "--emit=ptx", "-o", ptx)
        usage = test_cuda_ptx.read_ptxas(
            run(tool("ptxas"), "-v", f"-arch={arch}", ptx, "-o", cubin).stderr)
        listed = test_cuda_ptx.read_ptx(Path(ptx).read_text())
        parts = read_parts(
            run(driver, "compile", model, target, "--compile-to=schedule").stdout,
            rows=1, keys=keys)
        text = run(tool("nvdisasm"), "-c", "-hex", cubin).stdout
    codes = sass.read(text)
    made, prefill = {}, {}
    for found in listed:
        kernels = made if found.name in KERNELS else prefill
        if kernels is prefill and "prefill" not in found.name:
            continue
        registers, _, spilled, static = usage[found.entry]
        shared = found.workgroup_bytes + static
        code = codes[found.entry]
        kernel = kernels[found.name] = Kernel(
            found.name, parts.get(found.name, 0), found.threads, registers, spilled, shared,
            residents(arch, registers, found.threads, shared), 0, [], code)
        if found.name in PRODUCTS:
            kernel.bytes, kernel.program = product(kernel, code, form, shape)
        elif found.name == "attn.decode":
            kernel.bytes, kernel.program = attention(kernel, code, shape, keys)
        elif found.name == "merge.decode":
            kernel.bytes, kernel.program = merge(code, keys)
        elif found.name == "embed.decode":
            kernel.bytes, kernel.program = embedding(code, form, shape, found.threads)
    return made, prefill
