"""The program is its kernels, and it is small.

Input: the driver, a checkpoint and the source tree; output: PASS/FAIL lines.
Where the time goes is asked of `perf`, what the program needs of nm, ldd and
objdump, what it costs of the kernel's accounting; and the schedule's text is
counted. A file of its own because all of this looks at the program from the
outside, as a doubting user would.
"""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np

import harness
import llama_reference
import make_models

# A worker that waits is in one of these (runtime/Threads) or in the system call
# below them.
WAITING = re.compile(r"corellama_barrier|Waiting|futex|Dispatcher|corellama_dispatch|ThreadPool|injectDelay|^syscall$")
# What generated code may leave to the runtime, and the linker's own name.
ALLOWED_UNDEFINED = {"corellama_dispatch", "corellama_barrier", "memcpy", "memset",
                     "_GLOBAL_OFFSET_TABLE_"}
GLIBC_LIBRARIES = re.compile(r"linux-vdso|libc\.so\.6|ld-linux|libm\.so\.6|"
                             r"libpthread\.so|libdl\.so")
# A CPU flag of /proc/cpuinfo without which a target cannot run.
NEEDED_FLAG = {"sapphirerapids": "amx_tile", "znver5": "avx512_vp2intersect",
               "x86-64-v4": "avx512f"}
DEMO_NUMBERS = ["576", "1536", "49152"]


def manifest(corellama, program):
    result = harness.run([corellama, "inspect", program, "--json"])
    return json.loads(result.out) if result.code == 0 else {}


def kernel_names(value):
    """Names of kernels anywhere under the manifest's key `kernels`."""
    found = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "kernels":
                for k in inner:
                    names = k if isinstance(k, dict) else {"name": k}
                    found |= {names[n] for n in ("name", "symbol") if n in names}
            else:
                found |= kernel_names(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= kernel_names(inner)
    return found


def test_time(report, args, program, folder, vocabulary):
    """Samples of prefill and decode: kernels / (all - waiting)."""
    if not shutil.which("perf"):
        return report.fail("perf is there", "no `perf`; install linux-perf")
    names = kernel_names(manifest(args.corellama, program))
    if not report.check("the manifest lists kernels", names, "no `kernels` found"):
        return None
    data = folder / "perf.data"
    ids = np.random.default_rng(4).integers(0, vocabulary, 512)
    # -N: perf must not copy the program, weights and all, into its cache.
    made = harness.run(
        ["perf", "record", "-q", "-N", "-e", "cpu-clock:u", "-F", "2000", "-o", data,
         program, "--prompt-ids", ",".join(map(str, ids)), "-n", "256", "--temp", "0",
         "--ignore-eos", "--output-ids", "-t", "2"])
    text = harness.run(["perf", "script", "-i", data, "-F", "time,ip,sym"]).text
    os.unlink(data)
    samples = []
    for line in text.splitlines():
        match = re.match(r"\s*(\d+\.\d+):\s+[0-9a-f]+\s+(.*?)\s*$", line)
        if match:
            # perf writes a symbol as `name` or `name+0x12`.
            samples.append((float(match[1]), match[2].split("+0x")[0]))
    samples.sort()
    if not report.check("perf has samples", made.code == 0 and len(samples) > 500,
                        lambda: f"{len(samples)} samples; {made.why()}"):
        return None
    begin = next((i for i, (_, s) in enumerate(samples) if s in names), None)
    turn = next((i for i, (_, s) in enumerate(samples)
                 if s in names and "decode" in s), None)
    if begin is None or turn is None or begin >= turn:
        return report.fail("perf finds both forms", f"kernels begin at {begin}, "
                           f"decode at {turn} of {len(samples)} samples")
    for form, part in [("prefill", samples[begin:turn]), ("decode", samples[turn:])]:
        busy = [s for _, s in part if not WAITING.search(s)]
        other = [s for s in busy if s not in names]
        share = 1 - len(other) / max(1, len(busy))
        worst = sorted(((other.count(s), s) for s in set(other)), reverse=True)[:4]
        report.check(f"{form}: time in kernels >= 95%", share >= 0.95,
                     f"{100 * share:.1f}%, the rest: {worst}",
                     f"{100 * share:.1f}% of {len(busy)} samples")
    return None


def block_of(text, begin):
    """The text between the first `{` after `begin` and its match."""
    start = text.index("{", begin)
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start + 1:i]
    return text[start + 1:]


def functions_of(text):
    """name -> body of each function in a dump."""
    found = {}
    for match in re.finditer(r'func\.func (?:private )?@("[^"]+"|[\w.$-]+)', text):
        line_end = text.index("\n", match.end())
        if text[match.end():line_end].rstrip().endswith("{"):
            body = text.rindex("{", match.end(), line_end)
            found[match[1]] = block_of(text, body)
    return found


def test_schedule(report, args, folder):
    dump = folder / "schedule.mlir"
    made = harness.run([args.corellama, "compile", args.model,
                        "--compile-to=schedule", "-o", dump])
    if made.code != 0:
        return report.fail("the schedule is dumped", made.why())
    text = dump.read_text()
    functions = functions_of(text)
    for form, kernels, barriers in [("decode", 5, 5), ("prefill", 7, 7)]:
        step = re.search(rf"llama\.step @\S*{form}", text)
        if not step:
            report.fail(f"{form}: has a step", "no such `llama.step`")
            continue
        body = block_of(text, step.end())
        loop = body.find("scf.for")
        layer = block_of(body, loop) if loop >= 0 else ""
        dispatches = re.findall(r"llama\.dispatch\b.*", layer)
        report.check(f"{form}: a layer has {kernels} kernels", len(dispatches) == kernels,
                     f"it has {len(dispatches)}")
        found = len(re.findall(r"llama\.barrier\b", layer))
        report.check(f"{form}: a layer has {barriers} barriers", found == barriers,
                     f"it has {found}")
        if form != "decode":
            continue
        called = re.findall(r'@("[^"]+"|[\w.$-]+)', "\n".join(dispatches))
        bodies = [functions.get(name, "") for name in called]
        norms = [b for b in bodies if "llama.rms_norm" in b]
        report.check("decode: norm and its products are one kernel",
                     len(norms) >= 2 and all("llama.linear" in b for b in norms),
                     f"{len(norms)} kernels with a norm")
        swiglu = [b for b in bodies if "llama.swiglu" in b]
        report.check("decode: gate, up and swiglu are one kernel", swiglu and
                     all(b.count("llama.linear") == 2 for b in swiglu),
                     f"{len(swiglu)} kernels with a swiglu")
    return None


def test_object(report, args, folder):
    objectfile = folder / "code.o"
    made = harness.run([args.corellama, "compile", args.model, "-o", objectfile,
                        "--emit=obj"])
    if made.code != 0:
        return report.fail("--emit=obj", made.why())
    made = harness.run(["nm", "-u", objectfile])
    undefined = {line.split()[-1] for line in made.text.splitlines() if line.strip()}
    report.check("undefined symbols are the runtime's ABI", made.code == 0
                 and undefined <= ALLOWED_UNDEFINED,
                 f"also {sorted(undefined - ALLOWED_UNDEFINED)}")
    return None


def test_sources(report, root):
    """No size of the demo model, and no weight format in the runtime."""
    found, formats = [], []
    for folder in ["passes", "compiler", "runtime"]:
        for path in (root / folder).rglob("*"):
            if not path.is_file():
                continue
            text = path.read_text(errors="replace")
            name = str(path.relative_to(root))
            for number in DEMO_NUMBERS:
                if re.search(rf"\b{number}\b", text):
                    found.append(f"{name}: {number}")
            if folder == "runtime" and re.search(
                    r"\bq[0-9]_[0-9k]\b|dequant|(\.|->)weights\s*[\[+]", text, re.I):
                formats.append(name)
    report.check("no size of the demo model in the sources", not found, found[:5])
    report.check("the runtime reads no weight", not formats, formats[:5])


def test_cost(report, args, folder, model):
    program = folder / "program"
    made = harness.compile_model(args.corellama, args.model, program, peak=True)
    if not report.check("compiles", made.code == 0, made.why):
        return None
    if not args.no_times:
        report.check("compile: under 10 s", made.seconds < 10,
                     f"{made.seconds:.1f} s", f"{made.seconds:.1f} s")
    mb = made.peak_bytes / 1e6
    report.check("compile: under 600 MB", 0 < mb < 600, f"{mb:.0f} MB", f"{mb:.0f} MB")
    size, checkpoint = os.path.getsize(program), os.path.getsize(args.model)
    extra = (size - checkpoint) / 1e6
    report.check("program: within 6 MB of the checkpoint", abs(extra) <= 6,
                 f"{extra:+.1f} MB", f"{extra:+.1f} MB")

    rows = 300
    ids = np.random.default_rng(6).integers(0, model.vocabulary, rows - 31)
    r, new = harness.generate(program, ids.tolist(), 32, "-t", "2", peak=True)
    # Keys and values of every layer, at most 4 bytes each, in blocks of 256.
    touched = 512 * 2 * model.layers * model.kv_heads * model.head_size * 4
    bound = size + touched + (32 << 20)
    report.check("resident: under weights, touched cache and 32 MB",
                 new is not None and 0 < r.peak_bytes < bound,
                 lambda: f"{r.peak_bytes / 1e6:.0f} MB, bound {bound / 1e6:.0f} MB; "
                 + r.why(), f"{r.peak_bytes / 1e6:.0f} MB of {bound / 1e6:.0f}")

    libraries = harness.run(["ldd", program]).text.splitlines()
    foreign = [line.strip() for line in libraries if not GLIBC_LIBRARIES.search(line)]
    report.check("ldd names nothing beyond glibc", libraries and not foreign, foreign)
    versions = re.findall(r"GLIBC_(\d+)\.(\d+)",
                          harness.run(["objdump", "-T", program]).text)
    highest = max(((int(a), int(b)) for a, b in versions), default=None)
    report.check("no symbol above GLIBC_2.36", highest and highest <= (2, 36),
                 f"the highest is {highest}", f"{highest}")
    return program


def test_foreign_target(report, args, folder):
    flags = re.search(r"^flags\s*:(.*)$", open("/proc/cpuinfo").read(), re.M)
    flags = set(flags[1].split()) if flags else set()
    target = next((t for t, f in NEEDED_FLAG.items() if f not in flags), None)
    if target is None:
        return report.skip("a target that this CPU lacks", "this CPU has them all")
    (path, _), = make_models.write_all(folder, 1, only=[0])
    program = folder / "foreign"
    made = harness.compile_model(args.corellama, path, program, f"--target={target}")
    if not report.check(f"compiles for {target}", made.code == 0, made.why):
        return None
    r = harness.run([program, "--prompt-ids", "1", "-n", "1"])
    report.check("a target that this CPU lacks: one line, exit 1",
                 r.code == 1 and harness.one_line(r.err) and not r.out
                 and target in r.err_text, r.why)
    return None


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--no-times", action="store_true",
                   help="leave out what depends on the machine's speed")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        model = llama_reference.Model(args.model)
        program = test_cost(report, args, folder, model)
        if program and not args.no_times:
            test_time(report, args, program, folder, model.vocabulary)
        test_schedule(report, args, folder)
        test_object(report, args, folder)
        test_foreign_target(report, args, folder)
        test_sources(report, Path(__file__).resolve().parents[2])
    report.finish()


if __name__ == "__main__":
    main()
