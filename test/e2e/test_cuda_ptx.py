"""The GPU's kernels, assembled: ptxas takes all of them, within their budgets.

Input: the driver; output: PASS/FAIL lines. In each weight format a small and a large
model are compiled to PTX, then a layer of each width of known models in two formats
(with --all in six), then models with attention of many head sizes and both
caches (with --all of more ways to share keys). Each is for one architecture, a format's
small model for the one that its large model is not for. ptxas
(of the CUDA toolkit, or of PyPI's nvidia-cuda-nvcc; without it the test fails) must
assemble every kernel without a spill, with as many registers and as much workgroup
memory as its budget allows. In the text: weights are read 16 bytes at a time, and no
arithmetic is left that ptxas would contract. In the SASS of large models: several loads
of weights are issued before a warp waits for one. A file of its own because it compiles
many models, each once; figures of a few, which may not become worse, are those of
test_cuda_gates.py.
"""

import itertools
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

import harness
import make_models

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import sass  # noqa: E402

ARCHITECTURES = ["sm_80", "sm_90a"]
FORMATS = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K",
           "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"]
# Weights of all others go through tensor cores in prefill.
FLOAT_FORMATS = ["F32"]
# Quants of these come four bytes at a time there.
NARROW_FORMATS = ["Q2_K", "Q3_K"]
# Weights of these go through them in decode, where rows may be split.
SPLIT_FORMATS = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# No tensor cores.
EXACT = "--activations=f32"

# Sizes that are multiples of nothing but a block.
SMALL = dict(layers=2, dim=96, heads=6, kv_heads=2, head_size=16, hidden=160,
             vocabulary=301)
# Rows of whole blocks of 256.
SMALL_SUPERBLOCKS = SMALL | dict(dim=256, heads=8, head_size=32, hidden=512)


def width(dim, hidden, heads, kv_heads, head_size):
    # A vocabulary that is cut as the large ones are. One layer: the file is sparse, and
    # the time of this test goes by its bytes, all of which are hashed.
    return dict(layers=1, dim=dim, hidden=hidden, heads=heads, kv_heads=kv_heads,
                head_size=head_size, vocabulary=32000)


# Llama 3 8B, with its rows of 14336 in workgroup memory.
LARGE = width(4096, 14336, 32, 8, 128)


# A layer of models that people have. What a row of a width leaves for the end of a
# loop over k decides how many registers a kernel takes, so two widths do not speak
# for a third.
WIDTHS = {
    "SmolLM2-135M": width(576, 1536, 9, 3, 64),
    "SmolLM2-360M": width(960, 2560, 15, 5, 64),
    "TinyLlama-1.1B": width(2048, 5632, 32, 4, 64),
    "Llama-3.2-3B": width(3072, 8192, 24, 8, 128),
    "OpenLLaMA-3B": width(3200, 8640, 32, 32, 100),
    "Qwen2-7B": width(3584, 18944, 28, 4, 128),
    "Llama-2-13B": width(5120, 13824, 40, 40, 128),
    "Llama-3-70B": width(8192, 28672, 64, 8, 128),
    # Many heads that share keys: all of them, a number that nothing divides, 16.
    "32 heads to 1": width(4096, 11008, 32, 1, 128),
    "71 heads to 1": width(4544, 18176, 71, 1, 64),
    "16 heads to 1": width(2048, 8192, 32, 2, 64),
}
# Attention alone: heads that share keys, elements of a head. Sums and loads on their
# way are what a thread keeps, so each pair has its own number of registers.
SHARING = [8]  # the most of a part
ALL_SHARING = [1, 2, 3, 4, 5, 6, 7, 8]
HEAD_SIZES = [64, 80, 128, 256, 512]
CACHES = ["f16", "f32"]
# Tensor cores attend to many rows on an f16 cache, with heads of at most so many elements.
TENSOR_HEAD = 128
ATTENTION = ["attn.decode", "merge.decode", "attn.prefill"]
# Formats that a width is tested in; they take turns. With --all it is half of them.
FORMATS_A_WIDTH = 2
ALL_FORMATS_A_WIDTH = 6
# Columns of which rows of a format have whole blocks.
BLOCKS = {form: block for form, block in make_models.BLOCK.items() if block > 1}

# As cuda-outline-device asks ptxas for. An SM has 65536 registers. 128 let two blocks
# of 256 threads run on it, and four of 128: enough warps to have the loads in flight
# that its bandwidth needs.
REGISTERS = 128
# Attention and kernels with tensor cores: two blocks of 128 threads.
MANY_REGISTERS = 255
# Two blocks on an SM of an A100, which has 164 KiB of workgroup memory, less the
# 1 KiB that each block takes for the system.
WORKGROUP_BYTES = (164 // 2 - 1) * 1024
# A row that alone is more than that leaves room for one block on an SM: then what a
# block may have at most is the budget. (A split row has 144 bytes for 32 columns.) CUDA
# C++ Programming Guide, table "Technical Specifications per Compute Capability": maximum
# amount of shared memory per thread block, 8.0 and 9.0.
LONG_ROW = 18200
WORKGROUP_LIMIT = {"sm_80": 163 * 1024, "sm_90a": 227 * 1024}
# Loads of 16 bytes that a lane of a product has in flight: 16 of floats; 8 of quants that
# tensor cores multiply, fewer with more fields or high bits, which want registers; of
# others no more than 128 columns, which want as many activations. One is 32 columns of 4
# bits or 64 of 2 bits.
LOADS_IN_FLIGHT = {"F32": 16, "F16": 16, "BF16": 16, "Q8_0": 8, "Q4_0": 8, "Q4_1": 8, "Q4_K": 4,
                   "Q5_0": 4, "Q5_1": 4, "Q5_K": 4, "Q6_K": 4, "IQ4_NL": 4, "IQ4_XS": 4,
                   "MXFP4": 4, "Q3_K": 2, "Q2_K": 2}
# Where products, or tiles, share a long row, registers hold its places, too.
SHARED_LOADS_IN_FLIGHT = {("Q8_0", name): 4 for name in ("gate_up.decode", "lm_head.lm_head")}
# Loads of 16 bytes of the cache that a thread of attention has in flight: eight of keys,
# and of their values, of 128 f16.
CACHE_LOADS_IN_FLIGHT = 16

PRODUCTS = ["qkv", "o", "gate_up", "down", "lm_head"]


def find_ptxas():
    """ptxas of the PATH, of a CUDA toolkit, or of this Python's packages."""
    found = shutil.which("ptxas")
    packages = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    for path in [Path("/usr/local/cuda/bin/ptxas"), packages / "cu13/bin/ptxas",
                 packages / "cuda_nvcc/bin/ptxas"]:
        if not found and os.access(path, os.X_OK):
            found = str(path)
    return found


class Kernel:
    """A kernel of a PTX file: its line in the table and its text."""

    def __init__(self, name, threads, workgroup_bytes, text):
        self.name, self.threads, self.text = name, threads, text
        self.workgroup_bytes = workgroup_bytes
        self.entry = name.replace(".", "$")

    @property
    def is_tensor_core(self):
        return "mma.sync" in self.text

    def count(self, pattern):
        return len(re.findall(pattern, self.text))


def read_ptx(text):
    """The kernels of the table in the first lines, each with its entry's text."""
    entries = dict(re.findall(r"\.entry (\S+?)\(.*?\n(.*?)\n}", text, re.S))
    return [Kernel(name, int(threads), int(size), entries.get(name.replace(".", "$"), ""))
            for name, threads, size in re.findall(r"^//   (\S+) (\d+) (\d+)$", text, re.M)]


def weights_in_flight(code):
    """In the loop of SASS that reads weights: how many of its loads of 16 bytes come
    before the warp waits for one."""
    found = []
    for place in code.hot():
        body = code.body(place)
        waits = sass.walk(body).waits
        found.append(sum(i.is_wide_load for i in body[:waits[0] if waits else None]))
    return min(found)


def cache_in_flight(code):
    """In SASS of attention, behind the barrier for the query: how many of the loads of 16
    bytes come before the warp waits for one."""
    first = next(at for at, i in enumerate(code.instructions) if i.opcode == "BAR")
    body = code.instructions[first + 1:]
    return sum(i.is_wide_load for i in body[:sass.walk(body).waits[0]])


def read_ptxas(text):
    """Of each entry: (registers, bytes of stack, spilled bytes, static bytes of
    workgroup memory)."""
    found = {}
    for part in text.split("Compiling entry function '")[1:]:
        name = part.split("'")[0]
        stack, stores, loads = re.search(
            r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads",
            part).groups()
        registers = re.search(r"Used (\d+) registers", part)[1]
        static = re.search(r"(\d+) bytes smem", part)
        found[name] = (int(registers), int(stack), int(stores) + int(loads),
                       int(static[1]) if static else 0)
    return found


def test_kernel(report, place, kernel, usage, code, arch, form, sizes, flags):
    registers, stack, spilled, static = usage
    exact = EXACT in flags
    attends = (not exact and kernel.name == "attn.prefill" and
               "--cache-type=f32" not in flags and sizes["head_size"] <= TENSOR_HEAD)
    is_product = kernel.name.split(".")[0] in PRODUCTS
    is_decode = is_product and kernel.name.endswith((".decode", ".lm_head"))
    staged = (not exact and is_product and kernel.name.endswith(".prefill")
              and form not in FLOAT_FORMATS)
    split = not exact and is_decode and form in SPLIT_FORMATS
    budget = MANY_REGISTERS if staged or kernel.name.startswith("attn") else REGISTERS
    faults = []
    if stack or spilled:
        faults.append(f"{stack} bytes of stack, {spilled} bytes spilled")
    if registers > budget:
        faults.append(f"{registers} registers, {budget} is the budget")
    workgroup = kernel.workgroup_bytes + static
    allowed = WORKGROUP_LIMIT[arch] if sizes["hidden"] > LONG_ROW else WORKGROUP_BYTES
    if workgroup > allowed:
        faults.append(f"{workgroup} bytes of workgroup memory, {allowed} is the budget")
    if f".reqntid {kernel.threads}" not in kernel.text:
        faults.append(f"no .reqntid {kernel.threads}")
    # Without a rounding in their name ptxas makes an fma of two of them.
    loose = kernel.count(r"\b(?:mul|add|sub)(?:\.ftz)?\.f32\b")
    if loose:
        faults.append(f"{loose} operations that ptxas may contract")
    wide = kernel.count(r"\bld\.global\.v4\.b32\b")
    # Nothing in memory is constant to ptxas, or it would move loads of weights over a
    # converge. The context is in the parameters.
    constants = kernel.count(r"\bld\.global\.nc\b")
    if constants:
        faults.append(f"{constants} loads of constants")
    # Tensor cores have f16 and bf16 by asynchronous copies.
    copied = staged and form in ("F16", "BF16")
    if is_product and not wide and not copied and not (staged and form in NARROW_FORMATS):
        faults.append("reads no weight 16 bytes at a time")
    # Launches overlap from 9.0 on: each kernel lets the next one begin, and waits for
    # those before it, behind its first prefetches of weights.
    waits = kernel.count(r"\bgriddepcontrol\.wait\b")
    lets = kernel.count(r"\bgriddepcontrol\.launch_dependents\b")
    expected = 0 if arch == "sm_80" else 1
    if (waits, lets) != (expected, expected):
        faults.append(f"waits for earlier launches {waits} times, lets {lets} begin, "
                      f"{expected} expected")
    before = kernel.text.split("griddepcontrol.wait")[0]
    if is_decode and "prefetch.global.L2" not in before:
        faults.append("prefetches no weight before it waits")
    # Prefill has warps that wait for different rows; decode reads a weight once.
    wanted = SHARED_LOADS_IN_FLIGHT.get((form, kernel.name), LOADS_IN_FLIGHT[form])
    if is_decode and code:
        in_flight = weights_in_flight(code)
        if in_flight < wanted:
            faults.append(f"{in_flight} loads of 16 bytes before the first wait, "
                          f"{wanted} are to be in flight")
    if kernel.name == "attn.decode" and sizes is LARGE and code:
        in_flight = cache_in_flight(code)
        if in_flight < CACHE_LOADS_IN_FLIGHT:
            faults.append(f"{in_flight} loads of keys and values before the first wait, "
                          f"{CACHE_LOADS_IN_FLIGHT} are to be in flight")
    if kernel.is_tensor_core != (staged or split or attends):
        faults.append("is in tensor cores" if kernel.is_tensor_core
                      else "is not in tensor cores")
    if staged or attends:
        for what in [r"cp\.async\.cg\.shared\.global", r"ldmatrix\.sync\.aligned\.m8n8\.x4"]:
            if not kernel.count(what):
                faults.append(f"no {what}".replace("\\", ""))
    report.check(f"{place}: {kernel.name}", not faults, "; ".join(faults),
                 f"{registers} registers, {workgroup} bytes")


def test_model(report, args, ptxas, name, sizes, arch, form, folder, *flags, only=None):
    """Of `only` these kernels, if it is given."""
    place = f"{arch} {form} {name}"
    model, ptx = folder / "model.gguf", folder / "kernels.ptx"
    make_models.write_shapes(model, sizes, form)
    result = harness.compile_model(args.corellama, model, ptx, f"--target=cuda:{arch}",
                                   "--emit=ptx", *flags)
    if not report.check(f"{place}: compiles", result.code == 0, result.why):
        return
    text = ptx.read_text()
    kernels = read_ptx(text)
    expected = len(re.findall(r"\.visible \.entry ", text))
    report.check(f"{place}: the table lists the kernels",
                 len(kernels) == expected > 0 and all(k.text for k in kernels),
                 f"{[k.name for k in kernels]}, and {expected} entries")
    kernels = [k for k in kernels if k.name in (only or [k.name])]
    entries = [f"--entry={k.entry}" for k in kernels if only]
    result = harness.run([ptxas, *entries, "-v", "--warn-on-spills",
                          "--warn-on-local-memory-usage", "-Werror", f"-arch={arch}", ptx,
                          "-o", folder / "kernels.cubin"])
    if not report.check(f"{place}: assembles", result.code == 0, result.why):
        return
    usage = read_ptxas(result.err_text + result.text)
    codes = {}
    if sizes is LARGE:
        result = harness.run([sass.find_tool("nvdisasm") or "nvdisasm", "-c", "-hex",
                              folder / "kernels.cubin"])
        report.check(f"{place}: disassembles", result.code == 0, result.why)
        codes = sass.read(result.text)
    for kernel in kernels:
        if kernel.entry in usage:
            test_kernel(report, place, kernel, usage[kernel.entry],
                        codes.get(kernel.entry), arch, form, sizes, flags)
        else:
            report.fail(f"{place}: {kernel.name}", "ptxas says nothing of it")


def windowed(report, args, sizes, arch, folder):
    """Flags for a model of these sizes whose rows see a window of keys."""
    model, graph = folder / "model.gguf", folder / "window.mlir"
    make_models.write_shapes(model, sizes, "F16")
    result = harness.compile_model(args.corellama, model, graph, f"--target=cuda:{arch}",
                                   "--compile-to=import")
    if not report.check(f"{arch} window: imports", result.code == 0, result.why):
        return None
    text, count = re.subn(r"causal heads (\d+)", r"causal heads \1 window 200",
                          graph.read_text())
    graph.write_text(text)
    report.check(f"{arch} window: of every attention", count > 0)
    return "--compile-from=import", f"--ir={graph}"


def widths_of(args):
    """(name, sizes, architecture, format) of each width that is tested: formats and
    architectures take turns."""
    count = ALL_FORMATS_A_WIDTH if args.all else FORMATS_A_WIDTH
    for i, (name, sizes) in enumerate(WIDTHS.items()):
        rows = [sizes["dim"], sizes["hidden"], sizes["heads"] * sizes["head_size"]]
        turn = i * count % len(FORMATS)
        forms = [form for form in FORMATS[turn:] + FORMATS[:turn]
                 if all(row % BLOCKS.get(form, 1) == 0 for row in rows)]
        for j, form in enumerate(forms[:count]):
            arch = ARCHITECTURES[(i + j) % len(ARCHITECTURES)]
            if form in (args.format or FORMATS) and arch in (args.arch or ARCHITECTURES):
                yield name, sizes, arch, form


def turns(items, args, first=0):
    """(item, architecture): architectures take turns."""
    for i, item in enumerate(items, first):
        arch = ARCHITECTURES[i % len(ARCHITECTURES)]
        if arch in (args.arch or ARCHITECTURES):
            yield item, arch


def main():
    parser = harness.parser(__doc__.splitlines()[0], model=False)
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES)
    parser.add_argument("--format", action="append", choices=FORMATS)
    parser.add_argument("--all", action="store_true",
                        help="every width in six formats and all ways to share keys, "
                        "for one architecture each")
    args = parser.parse_args()
    report = harness.Report()
    ptxas = find_ptxas()
    if not report.check("ptxas is there", ptxas, "no ptxas; install the CUDA toolkit or "
                        "pip install -r scripts/requirements.txt", ptxas):
        report.finish()
    with harness.Workspace(args.keep) as folder:
        forms = args.format or FORMATS
        for form, arch in turns(forms, args, first=1):
            small = SMALL_SUPERBLOCKS if BLOCKS.get(form) == 256 else SMALL
            test_model(report, args, ptxas, "small", small, arch, form, folder, EXACT)
        for form, arch in turns(forms, args):
            test_model(report, args, ptxas, "large", LARGE, arch, form, folder)
        for i, (name, sizes, arch, form) in enumerate(widths_of(args)):
            test_model(report, args, ptxas, name, sizes, arch, form, folder,
                       *[EXACT] * (i % 2))
        sharing = ALL_SHARING if args.all else SHARING
        attention = [turns(itertools.product(HEAD_SIZES, [cache], sharing), args, first)
                     for first, cache in enumerate(CACHES)]
        for (size, cache, heads), arch in itertools.chain(*attention):
            sizes = width(2 * heads * size, 512, 2 * heads, 2, size)
            sizes["vocabulary"] = 512
            test_model(report, args, ptxas, f"{heads} heads of {size}, {cache} cache",
                       sizes, arch, "F16", folder, f"--cache-type={cache}", only=ATTENTION)
        # A window is another limit of each row, and a ring another way to its keys.
        for arch in args.arch or ARCHITECTURES:
            sizes = width(512, 512, 4, 2, 128) | dict(vocabulary=512)
            if flags := windowed(report, args, sizes, arch, folder):
                test_model(report, args, ptxas, "window, heads of 128", sizes, arch, "F16",
                           folder, *flags, only=ATTENTION)
    report.finish()


if __name__ == "__main__":
    main()
