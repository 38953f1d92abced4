"""SASS of the GPU's kernels: the reader, the model of time, and the budgets.

Input: the driver; output: PASS/FAIL lines. First benchmarks/sass.py on short texts and
benchmarks/cuda_model.py on programs whose time is known. Then the parameters of that
model, which are frozen: with them it must give for the kernels that they were frozen
with (cuda_frozen_kernels.json) the shares of copy bandwidth that an independent reading
of the same SASS gave. Then figures of today's kernels, of their SASS and of what they ask
memory for, beside benchmarks/metrics.csv, with --all of every row: none may be worse, and a
budget that is met stays met. A file of its own because it judges SASS, which
test_cuda_ptx.py does not read.
"""

import dataclasses
import itertools
import json
import sys
from pathlib import Path

import harness

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import cuda_gates  # noqa: E402
import cuda_kernels  # noqa: E402
import cuda_model  # noqa: E402
import cuda_prefill  # noqa: E402
import cuda_traffic  # noqa: E402
import sass  # noqa: E402

METRICS = ROOT / "benchmarks/metrics.csv"
FROZEN = Path(__file__).with_name("cuda_frozen_kernels.json")
# Of copy bandwidth, a token of 7B on an H100 with 512 keys: the independent reading.
REVIEWED = {"F16": (0.80, 0.86), "Q8_0": (0.64, 0.71), "Q4_0": (0.44, 0.50)}
FROZEN_PARAMETERS = {"LATENCY": 0.50, "GAP": 1.3, "H100": 3.0e6, "H200": 4.3e6}

# As nvdisasm prints it.
EXCERPT = """
.section .text.a$decode,"ax",@progbits
.text.a$decode:
        /*0010*/                   LDC.64 R12, c[0x0][0x210] ;                    /* 0x00008400ff0c7b82 */
                                                                                  /* 0x000e220000000a00 */
        /*0040*/                   LDG.E.64.CONSTANT R2, desc[UR6][R12.64+0x8] ;  /* 0x000008060c027981 */
                                                                                  /* 0x001e68000c1e9b00 */
        /*0080*/              @!P0 IMAD.WIDE.U32 R4, R5, 0x8, R2 ;                /* 0x0000000805047825 */
                                                                                  /* 0x002fca00078e0002 */
.L_x_1:
        /*0090*/                   BRA `(.L_x_1);                                 /* 0x0000000805047825 */
                                                                                  /* 0x000fc0000383ffff */
"""
WEIGHT = "LDG.E.128 R4, desc[UR6][R2.64]"


def text_of(*lines):
    """A kernel `k` as nvdisasm prints it: a line is a label or (instruction, stall,
    scoreboard that it sets, mask of those that it waits for)."""
    made = [".text.k:"]
    for line in lines:
        if isinstance(line, str):
            made.append(f"{line}:")
            continue
        instruction, stall, sets, waits = (*line, 1, 7, 0)[:4] if len(line) == 1 else line
        control = stall | sets << 5 | 7 << 8 | waits << 11
        made += [f"        /*0000*/ {instruction} ; /* 0x{0:016x} */",
                 f"        /* 0x{control << 41:016x} */"]
    return "\n".join(made)


def code_of(*lines):
    return sass.read(text_of(*lines))["k"]


def test_reader(report):
    code = sass.read(EXCERPT)["a$decode"]
    report.check("control bits", [(i.opcode, i.stall, i.sets, i.waits, i.predicated)
                                  for i in code.instructions] ==
                 [("LDC", 1, 0, 0, False), ("LDG", 4, 1, 1, False),
                  ("IMAD", 5, 7, 2, True), ("BRA", 0, 7, 0, False)],
                 code.instructions)
    report.check("the padding behind a kernel is no loop", code.loops() == [],
                 code.loops())
    early = code_of(("PREEXIT",), ("CCTL.E.PF2 [R2]",), ("ACQBULK",), (WEIGHT, 2, 0, 0),
                    ("CCTL.E.PF2 [R4]",), (WEIGHT, 2, 0, 1), ("EXIT",))
    kernel = kernel_of([])
    kernel.prefetched = 1024
    kernel.program = cuda_kernels.prologue(kernel, early, 6, {})
    report.check("what is before the wait for the launch before",
                 [op[0] for _, ops in kernel.program for op in ops] ==
                 ["fixed", "prefetch", "previous", "fixed"] and
                 kernel.round_trips() == 0 and kernel.overlaps() and
                 kernel.program[-1][1][0][2] == 1, kernel.program)
    asked = code_of(("CCTL.E.PF2 [R2]",), ("CCTL.IVALL",)).instructions
    report.check("prefetches", [i.is_prefetch for i in asked] == [True, False], asked)
    nested = code_of(("MOV R0, RZ",), ".L_x_1", ("IADD3 R1, R1, R0, RZ",), ".L_x_2",
                     (WEIGHT, 2, 0, 0), ("FFMA R0, R4, R5, R0", 4, 7, 1),
                     ("@P0 BRA `(.L_x_2)",), ("@P1 BRA `(.L_x_1)",), ("EXIT",))
    report.check("loops", nested.loops() == [(1, 5), (2, 4)] and
                 nested.innermost() == nested.hot() == [(2, 4)], nested.loops())
    unrolled = nested.unrolled((0, 6), {(1, 5): 2, (2, 4): 3})
    report.check("a loop in a loop is walked as often as both say",
                 len(unrolled) == 2 + 2 * (2 + 3 * 3) and
                 sum(i.is_wide_load for i in unrolled) == 6, len(unrolled))
    add = ("SHFL.BFLY PT, R7, R10, 0x2, 0x1f",)
    straight = code_of((WEIGHT, 2, 0, 0), ("BAR.SYNC 0x0",), (WEIGHT, 2, 0, 0),
                       ("@P0 BRA `(.L_x_1)",), (WEIGHT, 2, 0, 0), ".L_x_1", add, add,
                       (WEIGHT, 2, 0, 0), (WEIGHT, 2, 0, 0), add, ("EXIT",))
    report.check("without a loop what is between loads and a sum of lanes is hot",
                 straight.hot() == [(2, 4), (7, 8)], straight.hot())
    rows = code_of(".L_x_1", ("MOV R0, RZ",), (WEIGHT, 2, 0, 0), add, ("@P0 BRA `(.L_x_1)",),
                   ("EXIT",))
    report.check("a loop over rows is not one over columns", rows.hot() == [(1, 1)],
                 rows.hot())
    body = code_of(("LDS.128 R4, [R2]",), ("LDS R4, [R2]",), ("FFMA R0, R1, R2, R0",),
                   ("LOP3.LUT R0, R1, 0xf, RZ, 0xc0, !PT",), ("SHF.R.U32.HI R0, RZ, 4, R1",),
                   ("HMMA.16816.F32 R4, R8, R12, R4",)).instructions
    count = sass.pipes(body)
    report.check("instructions by pipe; LDS.128 moves four times as much",
                 [count[p] for p in ("issue", "ALU", "FMA", "LDS", "HMMA")] ==
                 [6, 2, 1, 5, 1], count)
    report.check("the busiest unit: five times 128 bytes of shared memory",
                 sass.busy(body) == 20, sass.busy(body))
    matrices = code_of(("LDSM.16.M88.4 R4, [R2]",), ("LDSM.16.M88.2 R4, [R2]",),
                       ("LDSM.16.M88 R4, [R2]",)).instructions
    report.check("matrices of 128 bytes", sass.pipes(matrices)["LDS"] == 7,
                 sass.pipes(matrices))


def test_walk(report):
    first = code_of((WEIGHT, 1, 0, 0), (WEIGHT, 1, 1, 0), ("FFMA R0, R4, R5, R0", 4, 7, 1),
                    ("FFMA R0, R6, R7, R0", 4, 7, 2)).instructions
    walked = sass.walk(first)
    report.check("loads before the first use are one wait", walked.waits == [2], walked)
    report.check("cycles leave out the wait", walked.cycles == 10, walked)
    sunk = code_of((WEIGHT, 1, 0, 0), ("FFMA R0, R4, R5, R0", 4, 7, 1), (WEIGHT, 1, 0, 0),
                   ("FFMA R0, R4, R5, R0", 4, 7, 1)).instructions
    report.check("a load below the first use is a wait more",
                 sass.walk(sunk).waits == [1, 3], sass.walk(sunk))
    for most, waits in (1, 1), (2, 2):
        report.check(f"a load below the first use, of groups of {most}",
                     sass.waits_of_a_group(sunk, most) == waits,
                     sass.waits_of_a_group(sunk, most))
    early = code_of((WEIGHT, 1, 0, 0), *[("IMAD R0, R0, R0, R0", 10, 7, 0)] * 100,
                    ("FFMA R0, R4, R5, R0", 4, 7, 1)).instructions
    report.check("a load that work hides is none", sass.walk(early).waits == [],
                 sass.walk(early))
    chain = code_of(("LDG.E.64 R2, desc[UR6][R0.64]", 1, 0, 0),
                    ("LDG.E.64 R4, desc[UR6][R2.64]", 1, 1, 1),
                    ("LDS R6, [R4]", 1, 2, 2), (WEIGHT, 1, 0, 4)).instructions
    report.check("dependent loads are a chain, shared memory is not of it",
                 sass.walk(chain).waits == [1, 2], sass.walk(chain))
    bad = code_of(("SGXT.U32 R0, R0, 0x4",), ("@P0 CALL.REL.NOINC `(.L_x_1)",),
                  ("CALL.REL.NOINC `($__internal_0_$__cuda_sm20_rcp)",),
                  ("LDL R0, [R1]",)).instructions
    report.check("forbidden instructions; a call of a label is a jump",
                 sass.forbidden(bad) == {"SGXT": 1, "CALL": 1, "LDL": 1},
                 sass.forbidden(bad))
    twice = code_of(("BSSY B0, `(.L_x_1)",), ("BSSY B0, `(.L_x_1)",), ".L_x_1").instructions
    for allowed in 0, 1, 2:
        report.check(f"two divergences of which {allowed} may be",
                     sum(sass.forbidden(twice, allowed).values()) == 2 - allowed)


def test_in_flight(report):
    """Of two loads of f16, by a warp of a block an SM, and of what the block prefetches."""
    kernel = kernel_of([], blocks=132, resident=2)
    kernel.code = code_of(".L_x_1", (WEIGHT, 1, 0, 0), (WEIGHT, 1, 1, 0),
                          ("FFMA R0, R4, R5, R0", 4, 7, 3), ("@P0 BRA `(.L_x_1)",), ("EXIT",))
    for prefetched, more in (0, 0), (512, 0), (4096, 3072):
        kernel.prefetched = prefetched
        loop = cuda_gates.hot_loop(kernel, "F16")
        report.check(f"in flight, {prefetched} bytes prefetched",
                     (loop.loaded, loop.in_flight) == (1024, 1024 + more), loop)


def kernel_of(program, blocks=1, warps=1, resident=1):
    return cuda_kernels.Kernel("k", blocks, warps * cuda_kernels.LANES, 32, 0, 0, resident,
                               0, program)


def test_model(report):
    device = cuda_model.Device("one SM", copy=1e3, sms=1)
    ms = cuda_model.CLOCK * 1000  # cycles

    def time(*how, **more):
        return cuda_model.time_of(kernel_of(*how, **more), device, latency=5, gap=2, l2=3)

    def check(name, found, expected):
        report.check(name, abs(found - expected) < 1e-6, f"{found} us, not {expected}")
    load, wait, work = ["load", device.read], ["wait"], ["work", ms, ms / 2]
    check("a load: its bytes, its latency, the gap", time([(1, [load, wait])]), 8)
    check("two loads at once", time([(1, [load, load, wait])]), 9)
    check("two loads, one after the other", time([(2, [load, wait])]), 14)
    check("round trips and cycles of a prologue",
          time([(1, [["fixed", cuda_model.CLOCK, 2]])]), 9)
    ahead = ["prefetch", device.read]
    check("a prefetch is not waited for", time([(1, [ahead])]), 2)
    check("what is prefetched comes when DRAM has brought it",
          time([(1, [ahead, load, wait])]), 8)
    check("or from the second-level cache",
          time([(1, [ahead, ["fixed", 0, 5], load, wait])]), 20)
    check("what is not comes from DRAM", time([(1, [ahead, load, load, wait])]), 9)
    check("work of a quarter is serial", time([(1, [work])], warps=8), 2002)
    check("quarters are parallel", time([(1, [work])], warps=4), 1002)
    check("a warp alone is slower than its unit",
          time([(1, [["work", ms / 2, ms]])], warps=8), 1502)
    check("blocks beyond the residents wait", time([(1, [work])], blocks=3, resident=2),
          3002)
    check("work runs until the warp waits",
          time([(1, [["work", ms, ms], ["work", ms, ms]])], warps=5), 4002)

    def times(*programs, resident):
        kernels = [kernel_of([(1, program)], resident=resident) for program in programs]
        return cuda_model.times_of(kernels, device, latency=5, gap=2, l2=3)
    reads = [ahead, ["previous"], load, wait]
    check("one that does not wait by itself begins when the one before has ended",
          times([work], [ahead, load, wait], resident=2)[1], 8)
    check("one that does prefetches while that runs", times([work], reads, resident=2)[1], 5)
    check("where there is room for it", times([work], reads, resident=1)[1], 6)
    check("two run at once, and not three",
          times([work], [["previous"]], reads, resident=3)[2], 6)
    two = times([["fixed", cuda_model.CLOCK, 0]], [["previous"], *reads[2:]], resident=2)
    check("a wait ends as long after an end as a launch begins", sum(two), 1 + 2 + 6 + 2)


def test_prefill(report):
    """Products whose time is known: of 64 columns, two steps, by one SM."""
    device = cuda_model.Device("one SM", copy=1e12, sms=1)
    shape = dict(heads=1, kv_heads=1, head_size=64, dim=64, hidden=64, vocabulary=64)
    step = [".L_x_1", *[("HMMA.16816.F32 R4, R8, R12, R4",)] * 1000,
            ("@P0 BRA `(.L_x_1)",)]
    kernel = cuda_kernels.Kernel("o.prefill", 0, 128, 32, 0, 0, resident=2, bytes=0,
                                 program=[], code=code_of(*step))

    def check(name, rows, of, cycles):
        found, bound = cuda_prefill.product(kernel, of, "F16", shape, device, rows)
        expected = cycles / cuda_model.CLOCK + cuda_model.GAP
        report.check(name, abs(found - expected) < 1e-6 and bound == "units",
                     f"{found} us by {bound}, not {expected}")
    check("a tile: its steps", 64, "o.prefill", 2 * 8000)
    check("two blocks of an SM share its units", 128, "o.prefill", 2 * 2 * 8000)
    check("a third is a wave more", 192, "o.prefill", 3 * 2 * 8000)
    check("gate and up are one block's", 64, "gate_up.prefill", 2 * 2 * 8000)
    report.check("it is on tensor cores", cuda_prefill.is_on_tensor_cores(kernel))

    def attend(name, rows, heads, bound, cycles):
        found, by = cuda_prefill.attention(kernel, shape | dict(heads=heads), device, rows)
        expected = (cycles / cuda_model.CLOCK + cuda_model.GAP + 3 * cuda_model.L2)
        report.check(name, abs(found - expected) < 1e-6 and by == bound,
                     f"{found} us by {by}, not {expected} by {bound}")
    attend("a tile attends to its own keys", 64, 1, "units", 8000)
    attend("the second to those of the first as well", 128, 1, "units", 3 * 8000)
    attend("each head does", 128, 4, "units", 12 * 8000)
    kernel.code = code_of(".L_x_1", *[("HMMA.16816.F32 R4, R8, R12, R4", 15, 7, 0)] * 1000,
                          ("@P0 BRA `(.L_x_1)",))
    alone = sass.walk(cuda_prefill.hot_body(kernel)).cycles + cuda_model.L2 * cuda_model.CLOCK
    attend("a warp alone is slower than its unit", 128, 1, "waits", 2 * alone)
    attend("blocks take turns, two at once", 128, 3, "units", 9 * 8000)
    attend("steps grow with the square of the rows", 64 * 8, 1, "units", 36 * 8000)
    kernel.code = code_of(("FFMA R0, R1, R2, R0",))
    report.check("and this one is not", not cuda_prefill.is_on_tensor_cores(kernel))
    report.check("which makes no prompt", cuda_prefill.total({}, shape) is None)


def test_frozen(report):
    values = {"LATENCY": cuda_model.LATENCY, "GAP": cuda_model.GAP} | {
        device.name: device.copy for device in cuda_model.DEVICES.values()}
    report.check("the model's parameters are frozen", values == FROZEN_PARAMETERS,
                 f"{values}; only a device's measurements may change them, and then this "
                 "test with the device's name")
    layers = cuda_kernels.SHAPES["7B"]["layers"]
    for form, kept in json.loads(FROZEN.read_text()).items():
        kernels = {name: cuda_kernels.Kernel(name, registers=0, spilled=0, shared=0, **row)
                   for name, row in kept.items()}
        _, total, least = cuda_model.token(kernels, layers, cuda_model.DEVICES["H100"],
                                           cuda_kernels.ONCE)
        low, high = REVIEWED[form]
        report.check(f"{form}: the kernels of the freeze, {low:.0%} to {high:.0%} of copy",
                     low <= round(least / total, 2) <= high, f"{least / total:.1%}",
                     f"{least / total:.1%}")


def test_judge(report):
    gate, loop = "7B Q4_0 gate: ALU a weight", "7B Q4_0 o.decode"
    for name, metric, kept, now, expected in [
            ("a gate that is met", gate, "0.9 at most 1", "1 at most 1", True),
            ("a gate that is met no more", gate, "0.9 at most 1", "1.1 at most 1", False),
            ("a gate that is not met yet", gate, "2.83 at most 1", "2.83 at most 1", True),
            ("a gate nearer", gate, "2.83 at most 1", "1.6 at most 1", True),
            ("a gate farther", gate, "2.83 at most 1", "2.84 at most 1", False),
            ("a least", gate, "9 at least 32", "8 at least 32", False),
            ("another budget", gate, "2.83 at most 1", "2.83 at most 3", False),
            ("the same loop", loop, "ALU 2.8 resident 2", "ALU 2.8 resident 2", True),
            ("a better loop", loop, "ALU 2.8 resident 2", "ALU 2.7 resident 3", True),
            ("fewer blocks", loop, "ALU 2.8 resident 2", "ALU 2.7 resident 1", False),
            ("another figure", loop, "ALU 2.8 resident 2", "ALU 2.8 waits 2", False),
            ("a new row", loop, None, "ALU 2.8 resident 2", False)]:
        passes, why = cuda_gates.judge(metric, kept, now)
        report.check(f"judged: {name}", passes == expected, f"{passes}: {why}")


def test_traffic(report):
    def site(kind, memory, width, **counts):
        return dict(kind=kind, memory=memory, width=width, sectors=0, fewest=0, passes=0,
                    least_passes=0, worst=0) | counts
    found = cuda_traffic.traffic_of(dict(l2_bytes=3e6, dram_bytes=2e6, sites=[
        site("load", "weights", 16, sectors=16, fewest=16),
        site("load", "weights", 2, sectors=8, fewest=2),
        site("copy", "workspace", 16, sectors=32, fewest=16),
        site("load", "keys", 16, sectors=16, fewest=16),
        site("prefetch", "weights", 1, sectors=32, fewest=1),
        site("store", "workspace", 4, sectors=4, fewest=4),
        site("ldmatrix", "workgroup", 16, passes=6, least_passes=4, worst=2),
        site("load", "workgroup", 4, passes=4, least_passes=4)]))
    expected = cuda_traffic.Traffic(quants=1, scales=4, others=1.5, passes=1.25, conflicts=2,
                                    l2=3e6, dram=2e6)
    report.check("traffic of a kernel's sites", found == expected, found)
    gates = {name: (value, budget) for name, value, budget in cuda_gates.traffic_gates(
        {"o.decode": found, "embed.decode": dataclasses.replace(found, l2=9e6),
         "gate_up.prefill": dataclasses.replace(found, others=7)},
        cuda_kernels.SHAPES["7B"])}
    report.check("gates are of the worst kernel of decode",
                 gates["sectors of other reads over the fewest"] == (1.5, 1) and
                 gates["second-level cache over DRAM"][0] == 1.5 and
                 gates["second-level cache over mma.sync of prefill"][0] ==
                 found.l2 / cuda_gates.L2 /
                 (2 * 512 * 22016 * 4096 / cuda_gates.TENSOR), gates)


def test_kernels(report, corellama, jobs, traffic, prefill=()):
    kept = {}
    for line in METRICS.read_text().splitlines():
        target, metric, value = line.split(",")
        kept[target, metric] = value
    found = {(target, metric): value for target, metric, value in itertools.chain(
        cuda_gates.rows(corellama, jobs),
        cuda_gates.traffic_rows(corellama, traffic, prefill))}
    # Rows of these jobs, and those that the table has of them.
    for key in sorted(found.keys() | {(target, metric) for target, metric in kept
                                      if cuda_gates.is_row_of(
                                          metric, [j for j in jobs if j[2] == target],
                                          traffic)}):
        passes, note = cuda_gates.judge(key[1], kept.get(key), found.get(key))
        report.check(f"{key[0]} {key[1]}", passes, note +
                     "; write benchmarks/metrics.csv again with benchmarks/metrics.py if "
                     "all of that is meant", note)


def test_open_gates(report):
    """What is counted as not met, and that docs/gpu.md says it of today's rows."""
    made = list(cuda_gates.open_gates([
        ("sm_90a", "7B Q4_0 gate: loads", "0.5 at least 1"),
        ("sm_80", "7B F16 gate: loads", "0.6 at least 1"),
        ("sm_80", "7B Q4_0 gate: loads", "1 at least 1"),
        ("sm_90a", "7B F16 traffic gate: sectors", "1.5 at most 1"),
        ("sm_90a", "7B Q8_0 traffic gate: sectors", "1.2 at most 1"),
        ("sm_90a", "7B Q4_0 o.decode", "ALU 9")]))
    report.check("gates that are not met", [made[0], *made[4:]] == [
        "Of 5 rows of gates 4 are not met, of 2 gates:",
        "| loads | 1 | 0.5 to 0.6 | 2 of 3: 7B Q4_0, 7B F16 sm_80 |",
        "| sectors | 1 | 1.2 to 1.5 | 2 of 2: all |"], made)
    rows = [line.split(",") for line in METRICS.read_text().splitlines()]
    # Its rows between two others, so a row of a gate that is met by now is found, too.
    docs = (ROOT / "docs/gpu.md").read_text()
    table = "\n".join(cuda_gates.open_gates(rows))
    report.check("docs/gpu.md has what benchmarks/cuda_budget --open-gates prints",
                 f"\n{table}\n\n" in docs, table)


def test_docs(report, corellama):
    """The tables of docs/gpu.md are what the command prints."""
    result = harness.run([sys.executable, ROOT / "benchmarks/cuda_budget", "--driver",
                          corellama])
    kept = (ROOT / "docs/gpu.md").read_text().splitlines()
    missing = [line for line in result.text.splitlines() if line not in kept]
    report.check("docs/gpu.md has the tables of benchmarks/cuda_budget",
                 result.code == 0 and result.text and not missing,
                 "\n".join(missing[:5]) or result.why)


def main():
    parser = harness.parser(__doc__.splitlines()[0], model=False)
    parser.add_argument("--all", action="store_true",
                        help="every GPU's row of metrics.csv; the tables of docs/gpu.md")
    args = parser.parse_args()
    report = harness.Report()
    test_reader(report)
    test_walk(report)
    test_model(report)
    test_in_flight(report)
    test_prefill(report)
    test_judge(report)
    test_frozen(report)
    test_traffic(report)
    test_open_gates(report)
    if args.all:
        test_kernels(report, args.corellama, cuda_gates.ALL, cuda_gates.ALL_TRAFFIC,
                     cuda_gates.PREFILL_TRAFFIC)
    else:
        test_kernels(report, args.corellama, cuda_gates.SHORT, cuda_gates.SHORT_TRAFFIC)
    if args.all:
        test_docs(report, args.corellama)
    report.finish()


if __name__ == "__main__":
    main()
