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

A kernel that waits for the launch before it by itself ("previous" in its program) begins
while that one runs: its blocks take the room that others leave when all blocks of the launch
before have begun, a gap later, and what they do before their wait, which is their prologue
and the prefetches of weights, costs no time of its own. The gap itself is not taken to be
shorter: a wait ends as long behind the last store of the launch before as a plain launch
begins. What of it is the launch, and so done ahead, nobody here knows.

Three parameters are not known without a device: LATENCY, GAP and the copy bandwidth of a
Device. They are FROZEN at the values with which the times of 2026-11, before any kernel
was changed by what these figures say, were predicted twice (test/e2e/test_cuda_gates.py
has those kernels). A change of the kernels must not come with a change of them; only a
measurement may, of a device that is named beside the new value.

Not in it: conflicts of banks, misses of the instruction cache, the bandwidth of the
second-level cache, clocks that fall under load.
"""

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
        if operation[0] in ("wait", "fixed", "previous"):
            first = None
        elif operation[0] == "work":
            operation.append(0)
            first = first or operation
            first[3] += operation[1]
    return made


class Launches:
    """Launches one after the other, of which each but the first begins while the one
    before it still runs, if its program says where it waits for that one."""

    def __init__(self, kernels, device, latency, gap, l2):
        self.kernels, self.device = kernels, device
        self.latency, self.gap, self.l2 = latency, gap, l2
        self.programs = [expand(kernel.program) for kernel in kernels]
        self.dram = 0.0
        self.free = [[0.0] * QUARTERS for _ in range(device.sms)]
        # Of each SM, what of its room for blocks is taken.
        self.taken = [0.0] * device.sms
        # Of each launch: blocks that have begun, when blocks may, and when all have
        # ended; blocks of which warps still run, and warps that wait for the launch before.
        self.begun = [0] * len(kernels)
        self.begin = [0.0] + [None] * (len(kernels) - 1)
        self.end = [None] * len(kernels)
        self.ended = [0] * len(kernels)
        self.waiting = [[] for _ in kernels]
        # Of each block: warps that run, its SM, and of what it has prefetched bytes that it
        # has not loaded yet and when they have come.
        self.live = [[kernel.warps] * kernel.blocks for kernel in kernels]
        self.place = [[0] * kernel.blocks for kernel in kernels]
        self.ahead = [[[0.0, 0.0] for _ in range(kernel.blocks)] for kernel in kernels]
        # (time, launch, block, warp, next operation, arrival of its last load); without a
        # block, that blocks of a launch may begin.
        self.events = [(0.0, 0, -1, 0, 0, 0.0)]

    def has_room(self, launch, sm):
        return self.taken[sm] + 1 / self.kernels[launch].resident < 1 + 1e-9

    def start(self, now, launch, sm):
        kernel, block = self.kernels[launch], self.begun[launch]
        self.begun[launch] += 1
        self.taken[sm] += 1 / kernel.resident
        self.place[launch][block] = sm
        for warp in range(kernel.warps):
            heapq.heappush(self.events, (now, launch, block, warp, 0, 0.0))
        self.let_begin(now, launch + 1)

    def let_begin(self, now, launch):
        """When all blocks of the launch before it have begun, and the one before that has
        ended: more than two are not taken to run at once."""
        if (launch == len(self.kernels) or self.begin[launch] is not None
                or self.begun[launch - 1] < self.kernels[launch - 1].blocks
                or launch > 1 and self.end[launch - 2] is None):
            return
        self.begin[launch] = now + self.gap
        heapq.heappush(self.events, (now + self.gap, launch, -1, 0, 0, 0.0))

    def fill(self, now, launch):
        """Blocks of a launch that may begin are dealt out over the SMs, those with most
        room first, so that few blocks lie apart."""
        room = [(taken, sm) for sm, taken in enumerate(self.taken)]
        heapq.heapify(room)
        while room and self.begun[launch] < self.kernels[launch].blocks:
            _, sm = heapq.heappop(room)
            if self.has_room(launch, sm):
                self.start(now, launch, sm)
                heapq.heappush(room, (self.taken[sm], sm))

    def finish(self, now, launch, block):
        """A warp has ended."""
        self.live[launch][block] -= 1
        if self.live[launch][block]:
            return
        kernel, sm = self.kernels[launch], self.place[launch][block]
        self.taken[sm] -= 1 / kernel.resident
        for next_one in range(launch, len(self.kernels)):
            if self.begin[next_one] is None or self.begin[next_one] > now:
                break
            while (self.begun[next_one] < self.kernels[next_one].blocks
                   and self.has_room(next_one, sm)):
                self.start(now, next_one, sm)
        self.ended[launch] += 1
        if self.ended[launch] < kernel.blocks:
            return
        self.end[launch] = now
        if launch + 1 < len(self.kernels):
            for event in self.waiting[launch + 1]:
                heapq.heappush(self.events, (now + self.gap, *event))
            self.let_begin(now, launch + 2)

    def step(self, now, launch, block, warp, at, arrival):
        """A warp does its program up to where it waits."""
        program, ahead = self.programs[launch], self.ahead[launch][block]
        while at < len(program):
            kind, *value = program[at]
            at += 1
            if kind == "prefetch":
                self.dram = max(now, self.dram) + value[0] / self.device.read
                ahead[0] += value[0]
                ahead[1] = self.dram + self.latency
                continue
            if kind == "load":
                cached = min(ahead[0], value[0])
                if cached:
                    ahead[0] -= cached
                    arrival = max(arrival, now + self.l2, ahead[1])
                if cached < value[0]:
                    self.dram = (max(now, self.dram)
                                 + (value[0] - cached) / self.device.read)
                    arrival = max(arrival, self.dram + self.latency)
                continue
            if kind == "wait":
                until = max(now, arrival)
            elif kind == "fixed":
                until = now + value[0] / CLOCK + value[1] * self.l2
            elif kind == "previous":
                if launch == 0:
                    continue
                if self.end[launch - 1] is None:
                    self.waiting[launch].append((launch, block, warp, at, arrival))
                    return
                until = max(now, self.end[launch - 1] + self.gap)
            else:
                begin = now
                if value[2]:
                    free, quarter = self.free[self.place[launch][block]], warp % QUARTERS
                    begin = max(now, free[quarter])
                    free[quarter] = begin + value[2] / CLOCK
                until = begin + max(value[:2]) / CLOCK
            heapq.heappush(self.events, (until, launch, block, warp, at, arrival))
            return
        self.finish(now, launch, block)

    def run(self):
        """When each has ended, with the gap behind it."""
        while self.events:
            now, launch, block, *rest = heapq.heappop(self.events)
            if block < 0:
                self.fill(now, launch)
            else:
                self.step(now, launch, block, *rest)
        return [end + self.gap for end in self.end]


def times_of(kernels, device, latency=LATENCY, gap=GAP, l2=L2):
    """us of each launch, from when what is behind the one before it may go on to when
    what is behind it may."""
    made = []
    while len(made) < len(kernels):
        # One that does not wait by itself begins when all before it has ended.
        first = last = len(made)
        while last + 1 < len(kernels) and kernels[last + 1].overlaps():
            last += 1
        ends = Launches(kernels[first:last + 1], device, latency, gap, l2).run()
        made += [end - before for before, end in zip([0.0, *ends], ends)]
    return made


def time_of(kernel, device, **how):
    """us of one launch alone, with a gap."""
    return times_of([kernel], device, **how)[0]


def token(kernels, layers, device, once, scale=1.0, **more):
    """({kernel: us of a launch}, us of a token, the least that its bytes take at the
    speed of a copy). `scale` is of what is not known: latencies and the gap."""
    # A layer is one behind another's last kernel.
    names = list(kernels)
    layer = [name for name in names if name not in once]
    first, last = names.index(layer[0]), names.index(layer[-1])
    order = [*names[:first], names[last], *layer, *names[last + 1:]]
    times = dict(zip(order, times_of([kernels[name] for name in order], device,
                                     latency=LATENCY * scale, gap=GAP * scale,
                                     l2=L2 * scale, **more)))

    def total(of):
        return sum(of[name] * (1 if name in once else layers) for name in kernels)
    return times, total(times), total({n: k.bytes / device.copy for n, k in kernels.items()})
