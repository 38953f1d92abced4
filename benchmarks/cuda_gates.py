"""What of a GPU's kernels CI holds fixed: rows for metrics.csv, and budgets.

Input: the driver; output: rows `target,metric,value`. For each product of decode and of
prefill there is one with its figures from the SASS, for each kernel one with what it asks
memory for on the emulator, and for each model and format one a gate: the figure of its
worst product or kernel beside the budget, which follows from what DRAM of an H100 and an
H200 brings. A budget that is not met yet is written down with the figure of today, and a
change must not make that worse. A file of its own because metrics.py counts what a CPU's
objects cost, and this needs NVIDIA's tools.
"""

import dataclasses
import itertools
import statistics

import cuda_kernels
import cuda_model
import cuda_prefill
import cuda_traffic
import sass
from cuda_kernels import KERNELS, LANES, PRODUCTS

# (shape, format, target) of scripts/check; with --all those of every metric.
SHORT = [("7B", "Q4_0", "sm_90a"), ("7B", "Q8_0", "sm_90a"), ("7B", "F16", "sm_90a"),
         ("1.1B", "Q4_0", "sm_90a")]
ALL = ([(shape, form, "sm_90a") for shape in cuda_kernels.SHAPES
        for form in cuda_kernels.OF_A_LOAD]
       + [("7B", form, "sm_80") for form in ("F16", "Q8_0", "Q4_0")])

# (shape, format) whose kernels' traffic is counted: in scripts/check, and with --all, and of
# these with kernels of prefill, which take the emulator many seconds.
SHORT_TRAFFIC = [("7B", "Q8_0"), ("1.1B", "F16")]
ALL_TRAFFIC = [(shape, form) for shape in cuda_kernels.SHAPES
               for form in cuda_kernels.OF_A_LOAD]
PREFILL_TRAFFIC = [("7B", "Q4_0"), ("7B", "F16")]
TRAFFIC_TARGET = "sm_90a"

# Figures of a kernel: +1 where less is better, -1 where more is.
BETTER = {"issue": 1, "ALU": 1, "FMA": 1, "XU": 1, "LDS": 1, "HMMA": 1, "waits": 1,
          "loaded": -1, "in-flight": -1, "round-trips": 1, "registers": 1, "spilled": 1,
          "resident": -1, "forbidden": 1} | cuda_traffic.BETTER

# Budgets. A unit that needs more than 60% of the time in which DRAM brings a weight is
# too busy to start loads when they are due (the other 40% are waits, prologues, tails).
SHARE = 0.60
# ALU instructions a weight: what a kernel written by hand has, and some (mma.sync with
# weights as f16 subnormals, assembled: 0.77 and 0.9).
ALU = {"Q4_0": 1.0, "Q8_0": 1.1}
# DRAM x latency / SMs is 11 to 16 KB an SM for the latency without a queue. Loads come in
# bursts, a trip of a warp each, so that twice that keeps it busy between them. A kernel of
# a small model that reads less than that an SM has enough under way if it is all.
IN_FLIGHT = 32 * 1024
# An offset: what a weight's address depends on. The context is in the parameters.
ROUND_TRIPS = 1
# A sector is 32 bytes; what a request leaves of it is asked for again, or lost.
SECTORS = 1.0
# Passes of workgroup memory that a request may have beside those of its bytes.
CONFLICTS = 1
# Bytes a us of the second-level cache: the least that is told of an H100 (5.5 to 7 TB/s);
# an H200 has the same chip. A kernel asks it for at most what takes as long as its bytes
# take an H200's DRAM.
L2 = 5.5e6
OF_DRAM = L2 / cuda_model.DEVICES["H200"].read
# FLOP a us of mma.sync on an H100, half of what wgmma has (as benchmarks/cuda_budget).
TENSOR = 989.4e6 / 2
# Of copy bandwidth, a token with 512 keys, with launches in graphs.
OF_COPY = {"F16": 0.88, "BF16": 0.88, "Q8_0": 0.78, "Q4_0": 0.65}
# Of a layer's prefill: its four products and its attention.
TENSOR_CORES = 5
# ms, a prompt of 512 ids.
PROMPT = 60


@dataclasses.dataclass
class HotLoop:
    """The code of a product that reads weights, a loop over columns if rows are long
    enough; the worst of several."""
    pipes: dict  # instructions a weight, the mean of several
    loads: int
    at_once: int  # of them, before the warp waits for one
    waits: float  # for memory, a trip; without a loop, round trips for a group of loads
    # Bytes of weights an SM, with its blocks and the grid: what its warps load before they
    # wait; or, if that is more, what a block prefetches, of which the whole is under way if
    # each prefetch brings its line of 128 bytes.
    loaded: float
    in_flight: float
    forbidden: int


def hot_loop(kernel, form, sms=132):
    loops = kernel.code.loops()

    def one(place):
        body = kernel.code.body(place)
        weights = cuda_kernels.weights_of_a_trip(body, form)
        waits = sass.walk(body).waits
        early = [i for i in body[:waits[0] if waits else None] if i.is_load]
        loads = [i for i in body if i.is_load]
        # Bytes that are new: of high bits two lanes load the same.
        share = sum(i.bytes for i in early) / sum(i.bytes for i in loads)
        loaded = share * cuda_kernels.size_of(form, 1, weights) * LANES * kernel.warps
        blocks = min(kernel.resident, kernel.blocks / sms)
        # Without a loop over columns the one divergence is a tile's, for the prefetches of
        # the next.
        forbidden = sass.forbidden(body, 0 if place in loops else 1)
        return HotLoop({pipe: count / weights for pipe, count in sass.pipes(body).items()},
                       len(loads), len(early),
                       len(waits) if place in loops else
                       sass.waits_of_a_group(body, cuda_kernels.AT_ONCE[form]),
                       loaded * blocks, max(loaded, kernel.prefetched) * blocks,
                       sum(forbidden.values()))
    found = [one(place) for place in kernel.code.hot()]
    first = found[0]
    # Each is of as many weights. Without loops ptxas computes what all of them need, places
    # of a lane, behind the loads of the first.
    return HotLoop({pipe: statistics.mean(l.pipes.get(pipe, 0) for l in found)
                    for pipe in first.pipes},
                   first.loads, min(l.at_once for l in found),
                   max(l.waits for l in found), min(l.loaded for l in found),
                   min(l.in_flight for l in found),
                   max(l.forbidden for l in found))


def figures(kernel, form, target):
    """{figure: value} of a product."""
    loop = hot_loop(kernel, form, cuda_kernels.ARCHITECTURES[target][0])
    made = {pipe: round(loop.pipes.get(pipe, 0), 2)
            for pipe in ("issue", "ALU", "FMA", "XU", "LDS", "HMMA")}
    return made | {"waits": loop.waits, "loaded": round(loop.loaded),
                   "in-flight": round(loop.in_flight),
                   "round-trips": kernel.round_trips(), "registers": kernel.registers,
                   "spilled": kernel.spilled, "resident": kernel.resident,
                   "forbidden": loop.forbidden}


def prefill_figures(kernel):
    """{figure: value} of a product of many rows: of 32 columns of a tile, a warp's; of
    attention of many rows: of 64 keys."""
    body = cuda_prefill.hot_body(kernel)
    pipes = sass.pipes(body)
    return {pipe: pipes[pipe] for pipe in ("issue", "ALU", "FMA", "LDS", "HMMA")} | {
        "registers": kernel.registers, "spilled": kernel.spilled,
        "resident": kernel.resident, "forbidden": sum(sass.forbidden(body).values())}


def prefill_gates(found, prefill, shape, form, target):
    """As `gates`, of prefill: `found` are figures of its products and attention."""
    yield "prefill kernels on tensor cores", sum(
        cuda_prefill.is_on_tensor_cores(prefill[name])
        for name in cuda_prefill.MULTIPLY), TENSOR_CORES, False
    yield "prefill bytes spilled", max(k.spilled for k in prefill.values()), 0, True
    yield "prefill forbidden instructions", max(
        values["forbidden"] for values in found.values()), 0, True
    if target == "sm_90a" and shape is cuda_kernels.SHAPES["7B"]:
        device = cuda_model.DEVICES["H100"]
        times = cuda_prefill.times(prefill, form, shape, device)
        yield ("ms of a prompt of 512 on an H100",
               round(cuda_prefill.total(times, shape) / 1e3, 1), PROMPT, True)


def share_of(pipe, count, form, device):
    """Of a device's cycles in which DRAM brings a weight, those that a unit needs."""
    weights = device.read / device.sms / cuda_model.CLOCK / cuda_kernels.size_of(form, 1, 1)
    return count * sass.CYCLES[pipe] / cuda_model.QUARTERS / LANES * weights


def gates(found, kernels, shape, form, target):
    """(gate, value, budget, whether less is better) of a model: `found` are figures of
    its products, of which the worst counts."""
    def of(figure):
        worst = max if BETTER[figure] > 0 else min
        return worst(f[figure] for f in found.values())
    if form in ALU:
        yield "ALU a weight", of("ALU"), ALU[form], True
    yield "waits a trip", of("waits"), 1, True
    yield "round trips before a weight", of("round-trips"), ROUND_TRIPS, True
    sms = cuda_kernels.ARCHITECTURES[target][0]
    for figure, what in (("loaded", "loads"), ("in-flight", "loads or prefetches")):
        yield f"{what} in flight an SM of 32 KiB or of all that it reads", round(min(
            values[figure] / min(IN_FLIGHT, kernels[product].bytes / sms)
            for product, values in found.items()), 2), 1, False
    yield "bytes spilled", of("spilled"), 0, True
    yield "forbidden instructions", of("forbidden"), 0, True
    if target != "sm_90a":
        return
    for device in cuda_model.DEVICES.values():
        busiest = max(share_of(pipe, of(pipe), form, device)
                      for pipe in ("issue", "ALU", "LDS", "HMMA"))
        yield f"busiest unit on an {device.name}", round(busiest, 2), SHARE, True
    if form in OF_COPY and shape is cuda_kernels.SHAPES["7B"]:
        _, total, least = cuda_model.token(kernels, shape["layers"],
                                           cuda_model.DEVICES["H100"], cuda_kernels.ONCE)
        yield "of copy on an H100", round(least / total, 2), OF_COPY[form], False


def traffic_gates(found, shape):
    """As gates(); `found` is a Traffic of each kernel."""
    decode = {name: t for name, t in found.items() if name in KERNELS}
    yield "sectors of quants over the fewest", max(t.quants for t in decode.values()), SECTORS
    yield "sectors of other reads over the fewest", max(
        t.others for t in decode.values()), SECTORS
    yield "passes too many in a request", max(t.conflicts for t in decode.values()), CONFLICTS
    # The embedding's is a row.
    yield "second-level cache over DRAM", max(
        t.l2 / t.dram for name, t in decode.items() if name != "embed.decode"), OF_DRAM
    prefill = {name: t for name, t in found.items() if name in cuda_traffic.PREFILL}
    if not prefill:
        return
    yield "passes too many in a request of prefill", max(
        t.conflicts for t in prefill.values()), CONFLICTS
    yield "second-level cache over mma.sync of prefill", max(
        t.l2 / L2 / (cuda_prefill.work(name, shape, cuda_traffic.ROWS) / TENSOR)
        for name, t in prefill.items() if name in cuda_prefill.PRODUCTS), 1


def traffic_rows(driver, jobs, prefill=()):
    """(target, metric, value) of what kernels ask memory for."""
    for name, form in jobs:
        shape = cuda_kernels.SHAPES[name]
        kernels = KERNELS + (cuda_traffic.PREFILL if (name, form) in prefill else [])
        found = cuda_traffic.measure(driver, shape, form, TRAFFIC_TARGET, kernels)
        for kernel, traffic in found.items():
            yield (TRAFFIC_TARGET, f"{name} {form} traffic of {kernel}",
                   " ".join(f"{figure} {value:g}"
                            for figure, value in traffic.figures(kernel).items()))
        for gate, value, budget in traffic_gates(found, shape):
            yield (TRAFFIC_TARGET, f"{name} {form} traffic gate: {gate}",
                   f"{round(value, 2):g} at most {round(budget, 2):g}")


def rows(driver, jobs):
    """(target, metric, value) of every job."""
    for name, form, target in jobs:
        shape = cuda_kernels.SHAPES[name]
        kernels, prefill = cuda_kernels.compile_kernels(driver, shape, form, target)
        found = {p: figures(kernels[p], form, target) for p in PRODUCTS}
        many = {p: prefill_figures(prefill[p]) for p in cuda_prefill.MULTIPLY}
        for product, values in (found | many).items():
            yield (target, f"{name} {form} {product}",
                   " ".join(f"{figure} {value:g}" for figure, value in values.items()))
        for gate, value, budget, less in itertools.chain(
                gates(found, kernels, shape, form, target),
                prefill_gates(many, prefill, shape, form, target)):
            yield (target, f"{name} {form} gate: {gate}",
                   f"{value:g} {'at most' if less else 'at least'} {budget:g}")


def is_row_of(metric, jobs, traffic):
    """Whether a row of metrics.csv, without its target, is of one of these jobs."""
    if " traffic " in metric:
        return any(metric.startswith(f"{shape} {form} traffic ") for shape, form in traffic)
    return any(metric.startswith(f"{shape} {form} ") for shape, form, *_ in jobs)


def read_gate(value):
    """(value, budget, whether less is better) of a gate's row."""
    number, _, side, budget = value.split()
    return float(number), float(budget), side == "most"


def open_gates(rows):
    """A table of the gates that rows of metrics.csv, (target, metric, value), do not meet."""
    every, found = {}, {}
    for target, metric, value in rows:
        model, is_gate, gate = metric.partition(" gate: ")
        if not is_gate:
            continue
        model = model.removesuffix(" traffic")
        if target != TRAFFIC_TARGET:
            model += f" {target}"
        every.setdefault(gate, []).append(model)
        number, budget, less = read_gate(value)
        if number > budget if less else number < budget:
            found.setdefault(gate, []).append((model, number, budget))
    total = sum(map(len, every.values()))
    count = sum(map(len, found.values()))
    yield f"Of {total} rows of gates {count} are not met, of {len(found)} gates:"
    yield ""
    yield "| gate | budget | today | in |"
    yield "| --- | --- | --- | --- |"
    for gate, models in found.items():
        numbers = [number for _, number, _ in models]
        ends = sorted({min(numbers), max(numbers)})
        where = ("all" if len(models) == len(every[gate])
                 else ", ".join(model for model, *_ in models))
        yield (f"| {gate} | {models[0][2]:g} | {' to '.join(f'{n:g}' for n in ends)} "
               f"| {len(models)} of {len(every[gate])}: {where} |")


def judge(metric, kept, now):
    """(passes, what to say or nothing) of a row, beside what metrics.csv has."""
    if kept is None or now is None:
        return False, f"{now}, written down is {kept}"
    if " gate: " in metric:
        (value, budget, less), (old, old_budget, _) = read_gate(now), read_gate(kept)
        if budget != old_budget:
            return False, f"the budget is {budget:g}, written down is {old_budget:g}"
        sign = 1 if less else -1
        met = value * sign <= budget * sign
        if not met and value * sign > old * sign:
            return False, f"{now}; it was {old:g}"
        return True, ("" if met else f"{now}, not met yet") + (
            "" if value == old else f"; it was {old:g}, write it down")
    if now == kept:
        return True, ""
    old, new = ({words[i]: float(words[i + 1]) for i in range(0, len(words), 2)}
                for words in (kept.split(), now.split()))
    if old.keys() != new.keys():
        return False, f"other figures: {now}, written down are {kept}"
    worse = [f"{figure} {new[figure]:g} instead of {old[figure]:g}" for figure in old
             if (new[figure] - old[figure]) * BETTER[figure] > 0]
    return not worse, ", ".join(worse) or f"better: {now}, it was {kept}; write it down"
