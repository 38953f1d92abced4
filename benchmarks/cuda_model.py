"""The time of a kernel on a GPU that is not at hand, from its program.

Input: Kernels (cuda_kernels.py) and a Device; output: microseconds. It simulates warps
on all SMs, event by event. A warp does its program in order. Loads go through one DRAM,
which serves them as they come at its bandwidth, and arrive a latency later. What a block
has prefetched comes from the second-level cache, when DRAM has brought it there. Work keeps a
quarter of an SM, to which the warp belongs, busy for the cycles of its busiest pipe, one
warp after the other. A block begins when one before it has left its SM. So partial
waves, too few bytes under way, loads that were issued late, arithmetic that DRAM waits
for, and prologues in which no weight is under way all cost what they cost together. A
file of its own because it is the prediction: what is measured on a device is laid beside
it, and it must not change with the kernels.

Three parameters are not known without a device: LATENCY, GAP and the copy bandwidth of a
Device. They are FROZEN at the values with which the times of 2026-11, before any kernel
was changed by what these figures say, were predicted twice (test/e2e/test_cuda_gates.py
has those kernels). A change of the kernels must not come with a change of them; only a
measurement may, of a device that is named beside the new value.

Not in it: conflicts of banks, misses of the instruction cache, the bandwidth of the
second-level cache, clocks that fall under load.
"""

import collections
import dataclasses
import heapq

# us from a load's issue to its arrival from DRAM with no queue before it. Chosen: the other
# prediction assumed 0.6, give or take 25%, with its queues; with 0.6 here Q4_0 comes out at
# 43% of copy bandwidth, a point below the other's 44 to 50%.
LATENCY = 0.50
GAP = 1.3  # us between dependent kernels of one graph: last store to first instruction


@dataclasses.dataclass(frozen=True)
class Device:
    name: str
    copy: float  # bytes/us of a copy, read and written, as fast as it gets
    sms: int = 132

    @property
    def read(self):
        """Reads alone are a little faster than copies: DRAM need not turn around."""
        return self.copy * 1.025


# Copies reach about nine tenths of the data sheets' 3.35 and 4.8 TB/s.
DEVICES = {"H100": Device("H100", 3.0e6), "H200": Device("H200", 4.3e6)}

# Known of the hardware. The clock is what the data sheet's 989 TFLOP/s of f16 are at:
# 132 SMs do 4096 operations each a cycle.
CLOCK = 989.4e12 / (132 * 4096) / 1e6  # cycles/us: 1830
# A round trip to the second-level cache of 50 MB, whose far half is on the other side of
# the chip: some 400 cycles.
L2 = 0.22  # us
QUARTERS = 4  # of an SM, each with a scheduler of its own


def expand(program):
    """A warp's operations in order. Of the works between two waits the first is given,
    as its third number, the cycles of all of them, and the others 0: a warp runs until
    it waits, before another runs on its quarter."""
    made = []
    for count, operations in program:
        made += [list(operation) for _ in range(count) for operation in operations]
    first = None
    for operation in made:
        if operation[0] in ("wait", "fixed"):
            first = None
        elif operation[0] == "work":
            operation.append(0)
            first = first or operation
            first[3] += operation[1]
    return made


def time_of(kernel, device, latency=LATENCY, gap=GAP, l2=L2):
    """us of one launch, with the gap before it."""
    program = expand(kernel.program)
    warps, end, dram = kernel.warps, 0.0, 0.0
    free = [[0.0] * QUARTERS for _ in range(device.sms)]
    # The first wave is dealt out over the SMs, so that few blocks lie apart.
    wave = min(kernel.blocks, device.sms * kernel.resident)
    live = {block: warps for block in range(wave)}
    place = {block: block % device.sms for block in range(wave)}
    started = wave
    # Of what a block has prefetched: bytes that it has not loaded yet, and when they
    # have come.
    ahead = collections.defaultdict(lambda: [0.0, 0.0])
    # (time, block, warp, next operation, arrival of its last load)
    events = [(0.0, block, warp, 0, 0.0) for block in range(wave) for warp in range(warps)]
    heapq.heapify(events)
    while events:
        now, block, warp, at, arrival = heapq.heappop(events)
        sm = place[block]
        while at < len(program):
            kind, *value = program[at]
            at += 1
            if kind == "prefetch":
                dram = max(now, dram) + value[0] / device.read
                ahead[block] = [ahead[block][0] + value[0], dram + latency]
                continue
            if kind == "load":
                cached = min(ahead[block][0], value[0])
                if cached:
                    ahead[block][0] -= cached
                    arrival = max(arrival, now + l2, ahead[block][1])
                if cached < value[0]:
                    dram = max(now, dram) + (value[0] - cached) / device.read
                    arrival = max(arrival, dram + latency)
                continue
            if kind == "wait":
                until = max(now, arrival)
            elif kind == "fixed":
                until = now + value[0] / CLOCK + value[1] * l2
            else:
                begin = now
                if value[2]:
                    begin = max(now, free[sm][warp % QUARTERS])
                    free[sm][warp % QUARTERS] = begin + value[2] / CLOCK
                until = begin + max(value[:2]) / CLOCK
            heapq.heappush(events, (until, block, warp, at, arrival))
            break
        else:
            end = max(end, now)
            live[block] -= 1
            if live[block] == 0 and started < kernel.blocks:
                live[started], place[started] = warps, sm
                for each in range(warps):
                    heapq.heappush(events, (now, started, each, 0, 0.0))
                started += 1
    return end + gap


def token(kernels, layers, device, once, scale=1.0, **more):
    """({kernel: us of a launch}, us of a token, the least that its bytes take at the
    speed of a copy). `scale` is of what is not known: latencies and the gap."""
    times = {name: time_of(kernel, device, LATENCY * scale, GAP * scale, L2 * scale, **more)
             for name, kernel in kernels.items()}

    def total(of):
        return sum(of[name] * (1 if name in once else layers) for name in kernels)
    return times, total(times), total({n: k.bytes / device.copy for n, k in kernels.items()})
