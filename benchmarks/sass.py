"""Reads SASS, the code of an NVIDIA GPU, as `nvdisasm -c -hex` prints it.

Input: that text; output: for each kernel its instructions with the control bits that
the assembler gave them, its loops, and what of them decides the time of a memory-bound
kernel: instructions by pipe, loads that are under way before a warp waits for the first,
round trips to memory one after the other, and instructions that a hot loop must not
have. A file of its own because PTX cannot say any of this (ptxas moves loads and chooses
instructions) and because it knows nothing of our kernels: the tests give it a few lines
of text.

An instruction of sm_70 and later is 128 bits; 21 of them, from bit 105 on, are written
by the assembler, since the hardware finds no dependences by itself: 4 bits of cycles
until the warp's next instruction, 1 that permits another warp, 3 and 3 that name a
scoreboard which counts up now and down when the result is written or the operands are
read (7: none), and 6 that say for which scoreboards to wait before issue. (Jia and
others, "Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking", 2018,
section 2.1.)
"""

import collections
import dataclasses
import os
import re
import shutil
import sysconfig
from pathlib import Path

SCOREBOARDS = 6
# Cycles until the result of an instruction whose latency is not fixed; the others say
# it by their stall counts. Of one warp alone on sm_80 and sm_90, rounded; a load is told
# apart and counted in round trips.
LATENCY = {"LDS": 30, "LDSM": 33, "SHFL": 25, "HMMA": 33, "MUFU": 20, "LDC": 40,
           "S2R": 20, "BAR": 25}
OTHER_LATENCY = 25
# Of a load of the walks below. Any number above some 500 finds the same waits.
FAR = 1100
# A wait that is shorter than this is hidden by other warps: a load that was issued long
# before its use.
EXPOSED = 150

# One instruction of a warp keeps a quarter of an SM, which issues one a cycle, busy for
# so many cycles. CUDA C++ Programming Guide, table "Throughput of Native Arithmetic
# Instructions", compute capability 9.0, in results a clock and SM: 128 for float32, 64
# for integers, logic, shifts and comparisons, 16 for special functions. Shared memory
# gives an SM 128 bytes a clock, so that its quarter waits 4 cycles for 128 bytes; a
# m16n8k16 of mma.sync is 2048 fma of f16, of which a quarter does 256 a clock.
CYCLES = {"issue": 1, "ALU": 2, "FMA": 1, "XU": 8, "LDS": 4, "HMMA": 8}
PIPES = {
    "FMA": "FFMA FADD FMUL IMAD HFMA2 HADD2 HMUL2 FSWZADD",
    "ALU": "LOP3 SHF IADD3 IADD PRMT LEA ISETP SEL FSEL FSETP FMNMX MOV PLOP3 VIADD VIMNMX "
           "VIADDMNMX IMNMX IABS SGXT BMSK CS2R P2R R2P F2FP I2FP",
    "XU": "I2F F2F F2I MUFU POPC FLO BREV",
    "LDS": "LDS STS LDSM STSM SHFL",
    "HMMA": "HMMA IMMA HGMMA",
    "LDG": "LDG LDGSTS STG LD ST CCTL",
}
PIPE_OF = {opcode: pipe for pipe, opcodes in PIPES.items() for opcode in opcodes.split()}

# What costs more than it looks in a loop that runs for each 16 bytes of weights: bits
# extended where a mask does, conversions on the slow unit, spilled registers, calls,
# divergence.
FORBIDDEN = {"SGXT", "I2F", "LDL", "STL", "CALL", "BSSY"}
# A call of a label is a jump out of the loop, as ptxas writes it for sm_80.
JUMP = re.compile(r"CALL\S* `\(\.L_")

# Matrices of an LDSM, 128 bytes each; without a number it is one.
MATRICES = re.compile(r"LDSM\S*\.([24])\b")

KERNEL = re.compile(r"^\.text\.(\S+):")
LABEL = re.compile(r"^\s*(\.L_\w+):")
FIRST = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(.*?);\s*/\* 0x([0-9a-f]{16}) \*/")
SECOND = re.compile(r"^\s*/\* 0x([0-9a-f]{16}) \*/\s*$")
TARGET = re.compile(r"`\((\.L_\w+)\)")


@dataclasses.dataclass
class Instruction:
    text: str  # without its predicate
    predicated: bool
    stall: int  # cycles
    sets: int  # the scoreboard of its result, or SCOREBOARDS and above
    waits: int  # a mask of scoreboards
    target: int = -1  # of a branch: an index

    @property
    def operation(self):
        return self.text.split()[0]

    @property
    def opcode(self):
        return self.operation.split(".")[0]

    @property
    def pipe(self):
        return PIPE_OF.get(self.opcode, "other")

    @property
    def is_load(self):
        """From global memory into registers."""
        return self.opcode in ("LDG", "LD")

    @property
    def is_wide_load(self):
        """16 bytes. In the hot code of a product only weights are loaded so."""
        return self.is_load and self.bytes == 16

    @property
    def is_prefetch(self):
        """Into the second-level cache."""
        return self.opcode == "CCTL" and ".PF" in self.operation

    @property
    def is_wait(self):
        """For the launches before this one."""
        return self.opcode == "ACQBULK"

    @property
    def bytes(self):
        """Of an access to memory, a lane."""
        found = re.search(r"\.(128|64|[US]16|[US]8)\b", self.operation)
        return {"128": 16, "64": 8, "16": 2, "8": 1}[found[1].lstrip("US")] if found else 4

    @property
    def ends(self):
        """Whether the kernel's text goes on somewhere else."""
        return not self.predicated and self.opcode in ("EXIT", "BRA", "RET")


@dataclasses.dataclass
class Walk:
    """One warp alone, instruction after instruction: cycles that are no waits for
    memory, and the indices of the instructions that waited for a load."""
    cycles: int
    waits: list
    waited: int  # cycles


class Code:
    """A kernel."""

    def __init__(self):
        self.instructions = []
        self.labels = {}

    def resolve(self):
        for instruction in self.instructions:
            if instruction.opcode == "BRA":
                if found := TARGET.search(instruction.text):
                    instruction.target = self.labels.get(found[1], -1)

    def loops(self):
        """The ranges [first, last] that a branch back closes, by address. A branch to
        itself is the padding behind a kernel."""
        return sorted({(i.target, at) for at, i in enumerate(self.instructions)
                       if 0 <= i.target < at})

    def innermost(self):
        loops = self.loops()
        return [r for r in loops if not any(r[0] <= o[0] and o[1] <= r[1] and o != r
                                            for o in loops)]

    def unrolled(self, place, trips):
        """The instructions of a range, each of its loops as often as `trips` says of
        its range, or once."""
        first, last = place
        for inner in sorted(self.loops(), key=lambda r: (r[0], -r[1])):
            if first <= inner[0] and inner[1] <= last and inner != place:
                return (self.body((first, inner[0] - 1))
                        + self.unrolled(inner, trips) * trips.get(inner, 1)
                        + self.unrolled((inner[1] + 1, last), trips))
        return self.body(place)

    def body(self, place):
        return self.instructions[place[0]:place[1] + 1]

    def straight(self, place):
        """The ranges of `place` in which weights are read without a loop over columns: from
        a load of 16 bytes to where lanes are added, or to a barrier (behind loads of x)."""
        at, last = place
        while at <= last:
            end = at + 1
            if self.instructions[at].is_wide_load:
                end = next((i for i in range(at, last + 1)
                            if self.instructions[i].opcode in ("SHFL", "BAR")), last + 1)
                yield at, end - 1
            at = end

    def hot(self):
        """The ranges that read most weights: innermost loops over columns, or, where
        rows are too short for one, code without. Several are of matrices one beside the
        other."""
        def loads(place):
            return sum(i.is_wide_load for i in self.body(place))
        places = []
        for place in self.innermost():
            # A loop that adds lanes goes over rows.
            adds = any(i.opcode == "SHFL" for i in self.body(place))
            places += self.straight(place) if adds else [place]
        places = ([p for p in places if loads(p)]
                  or list(self.straight((0, len(self.instructions) - 1))))
        most = max(map(loads, places), default=0)
        return [place for place in places if loads(place) == most > 0]

    def end_after(self, at):
        """The index after the first EXIT of all lanes behind `at`."""
        for index in range(at, len(self.instructions)):
            instruction = self.instructions[index]
            if instruction.opcode == "EXIT" and instruction.ends:
                return index + 1
        return len(self.instructions)


def read(text):
    """{kernel: Code} of what `nvdisasm -c -hex` prints."""
    found, current, first = {}, None, None
    for line in text.splitlines():
        if match := KERNEL.match(line):
            current = found[match[1]] = Code()
        elif line.startswith(".section") or current is None:
            current = None if line.startswith(".section") else current
        elif match := LABEL.match(line):
            current.labels[match[1]] = len(current.instructions)
        elif match := FIRST.match(line):
            first = match[2].strip()
        elif (match := SECOND.match(line)) and first:
            control = int(match[1], 16) >> 41  # bit 105 of 128
            plain = re.sub(r"^@!?U?P\w+\s+", "", first)
            current.instructions.append(Instruction(
                plain, plain != first, stall=control & 15, sets=control >> 5 & 7,
                waits=control >> 11 & 63))
            first = None
    for code in found.values():
        code.resolve()
    return found


def pipes(body):
    """{pipe: instructions} of a range; LDS counts 128 bytes that a warp moves between
    shared memory and registers, as if no two lanes wanted the same bank."""
    count = collections.Counter(issue=len(body))
    for instruction in body:
        pipe = instruction.pipe
        width = instruction.bytes // 4 or 1
        if matrices := MATRICES.match(instruction.text):
            width = int(matrices[1])
        count[pipe] += width if instruction.opcode in ("LDS", "STS", "LDSM") else 1
    return count


def busy(body):
    """Cycles that a quarter of an SM needs for a range: those of its busiest pipe."""
    count = pipes(body)
    return max((cycles * count[pipe] for pipe, cycles in CYCLES.items()), default=0)


def walk(body):
    """A Walk over instructions in order, each issued when its stall count and its
    scoreboards let it."""
    time = waited = 0
    ready, from_memory = [0] * SCOREBOARDS, [False] * SCOREBOARDS
    waits = []
    for index, instruction in enumerate(body):
        for board in range(SCOREBOARDS):
            late = ready[board] - time
            if instruction.waits >> board & 1 and late > 0:
                if from_memory[board] and late > EXPOSED:
                    waits.append(index)
                    waited += late
                time = ready[board]
        if instruction.sets < SCOREBOARDS:
            latency = FAR if instruction.is_load else LATENCY.get(instruction.opcode,
                                                                  OTHER_LATENCY)
            if time + latency >= ready[instruction.sets]:
                ready[instruction.sets] = time + latency
                from_memory[instruction.sets] = instruction.is_load
        time += max(1, instruction.stall)
    return Walk(time - waited, waits, waited)


def waits_of_a_group(body, most):
    """How many round trips to memory a warp waits for each group of weights, in code
    without a loop: a group is as many loads as the compiler writes before it uses the
    first, `most`, or what is left. Loads of the next group may stand between uses of the
    one before, each with a wait of its own, but not a whole one; loads that ptxas moved
    below uses of their own group make waits more."""
    groups = -(-sum(i.is_wide_load for i in body) // most)
    return max(1, round(walk(body).waited / FAR / max(1, groups), 1))


def forbidden(body, divergences=0):
    """The forbidden opcodes of a range, each as often as it is there, but for so many
    divergences."""
    found = collections.Counter(i.opcode for i in body if i.opcode in FORBIDDEN
                                and not JUMP.match(i.text))
    found["BSSY"] = max(0, found["BSSY"] - divergences)
    return +found


def find_tool(name):
    """A tool of CUDA: of this Python's packages, whose versions are fixed, of a CUDA
    toolkit, or of the PATH."""
    packages = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    for path in [packages / "cu13/bin" / name, Path("/usr/local/cuda/bin") / name]:
        if os.access(path, os.X_OK):
            return str(path)
    return shutil.which(name)
