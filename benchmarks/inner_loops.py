"""The inner loops of an object's functions, and what each of them costs.

Input: an object file; output: for each function its innermost loops in the order of
their addresses, with the instructions of the body, those that read or write the stack
frame (registers that did not suffice), and the bytes that one turn loads. Loops are
found as natural loops of the control flow graph, not by the text's layout: a compiler
may place a part of a body behind its function. A file of its own because metrics.py
says what is measured, and this how.
"""

import re
import subprocess
from dataclasses import dataclass

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*([^#<]*)(?:<|#|$)")
MEMORY = re.compile(r"(?:(\w+) (?:PTR|BCST) )?(?:\w+:)?\[([^]]+)\]")
BYTES = {"BYTE": 1, "WORD": 2, "DWORD": 4, "QWORD": 8, "XMMWORD": 16, "YMMWORD": 32,
         "ZMMWORD": 64}
# Mnemonics that write their first operand and do not read it.
STORES = re.compile(r"v?p?mov|v?extract|vcvtps2ph|vpscatter|vscatter|vp?compress|set")
NO_LOADS = re.compile(r"lea|nop|prefetch|j|call")


@dataclass
class Instruction:
    address: int
    mnemonic: str
    operands: str
    target: int = -1  # of a jump inside of the function


@dataclass(frozen=True)
class Loop:
    instructions: int
    spills: int
    loaded: int


def functions(path):
    """{name: instructions} of an object whose functions have a section each."""
    text = subprocess.run(
        ["objdump", "-d", "-M", "intel", "--no-show-raw-insn", str(path)], check=True,
        capture_output=True, text=True).stdout
    found, current = {}, None
    for line in text.splitlines():
        if head := FUNCTION.match(line):
            current = found.setdefault(head[1], [])
        elif current is not None and (match := LINE.match(line)):
            address, mnemonic, operands = int(match[1], 16), match[2], match[3].strip()
            made = Instruction(address, mnemonic, operands)
            if mnemonic.startswith("j") and re.fullmatch(r"[0-9a-f]+", operands):
                made.target = int(operands, 16)
            current.append(made)
    return found


def blocks_of(code):
    """Basic blocks as lists of instructions, and the successors of each."""
    leaders = {code[0].address} | {i.target for i in code if i.target >= 0}
    leaders |= {after.address for i, after in zip(code, code[1:])
                if i.target >= 0 or i.mnemonic.startswith("ret")}
    blocks, number = [], {}
    for instruction in code:
        if instruction.address in leaders:
            number[instruction.address] = len(blocks)
            blocks.append([])
        blocks[-1].append(instruction)
    successors = []
    for index, block in enumerate(blocks):
        last, following = block[-1], []
        if last.target >= 0:
            following.append(number[last.target])
        if not last.mnemonic.startswith(("jmp", "ret")) and index + 1 < len(blocks):
            following.append(index + 1)
        successors.append(following)
    return blocks, successors


def dominators(successors):
    """{block: the blocks through which every way to it goes, itself too} of the blocks
    that are reached (padding is not), and their predecessors."""
    before = {0: []}
    open_blocks = [0]
    while open_blocks:
        block = open_blocks.pop()
        for following in successors[block]:
            if following not in before:
                before[following] = []
                open_blocks.append(following)
            before[following].append(block)
    over = {block: set(before) for block in before}
    over[0] = {0}
    changed = True
    while changed:
        changed = False
        for block in sorted(before):
            ways = [over[b] for b in before[block]]
            now = {block} | (set.intersection(*ways) if ways else set())
            if block and now != over[block]:
                over[block], changed = now, True
    return over, before


def natural_loops(successors):
    """{header: blocks} of the loops whose header dominates the end of a turn."""
    over, before = dominators(successors)
    loops = {}
    for block in sorted(over):
        for header in successors[block]:
            if header not in over[block]:
                continue
            body = loops.setdefault(header, {header})
            open_blocks = [block]
            while open_blocks:
                current = open_blocks.pop()
                if current not in body:
                    body.add(current)
                    open_blocks += before[current]
    return loops


def cost(body, frame):
    spills = loaded = 0
    for instruction in body:
        memory = MEMORY.search(instruction.operands)
        if not memory or NO_LOADS.match(instruction.mnemonic):
            continue
        if set(re.findall(r"\w+", memory[2])) & frame:
            spills += 1
        first = instruction.operands[:memory.end()].count(",") == memory[2].count(",")
        if not (first and STORES.match(instruction.mnemonic)):
            loaded += BYTES.get(memory[1], 0)
    return Loop(len(body), spills, loaded)


def inner_loops(code):
    """The loops of a function in which there is no other, by address."""
    blocks, successors = blocks_of(code)
    # rbp is a register like others unless the prologue makes it the frame's.
    sets_frame = any(i.mnemonic == "mov" and i.operands == "rbp,rsp" for i in code)
    frame = {"rsp", "rbp"} if sets_frame else {"rsp"}
    loops = natural_loops(successors)
    found = []
    for header, body in sorted(loops.items()):
        if any(other in body for other in loops if other != header):
            continue
        found.append(cost([i for b in sorted(body) for i in blocks[b]], frame))
    return found
