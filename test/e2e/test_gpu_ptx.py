"""The GPU's kernels, assembled: ptxas takes all of them, within their budgets.

Input: the driver; output: PASS/FAIL lines. For each architecture and weight
format a small and a large model are compiled to PTX. ptxas (of the CUDA toolkit,
or of PyPI's nvidia-cuda-nvcc; without it the test fails) must assemble every
kernel without a spill, with as many registers and as much workgroup memory as
its budget allows. In the text: weights are read 16 bytes at a time, and no
arithmetic is left that ptxas would contract. A file of its own because it is
what can be known of a kernel's quality on a machine without a GPU.
"""

import os
import re
import shutil
import sysconfig
from pathlib import Path

import harness
import make_models

ARCHITECTURES = ["sm_80", "sm_90a"]
FORMATS = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"]
# Weights of these go through tensor cores in gate_up.prefill.
TENSOR_CORE_FORMATS = ["F16", "Q8_0", "Q4_0"]

# Sizes that are multiples of nothing but a block, and those of Llama 3 8B, with
# its rows of 14336 in workgroup memory.
SMALL = dict(layers=2, dim=96, heads=6, kv_heads=2, head_size=16, hidden=160,
             vocabulary=301)
LARGE = dict(layers=2, dim=4096, heads=32, kv_heads=8, head_size=128, hidden=14336,
             vocabulary=128256)

# As gpu-outline-device asks ptxas for. An SM has 65536 registers. 128 let two blocks
# of 256 threads run on it, and four of 128: enough warps to have the loads in flight
# that its bandwidth needs.
REGISTERS = 128
# A tensor-core kernel hides latency by its stages and holds two tiles of sums;
# three blocks of 128 threads are 12 warps, and registers come in eights.
TENSOR_CORE_REGISTERS = 168
# Two blocks on an SM of an A100, which has 164 KiB of workgroup memory, less the
# 1 KiB that each block takes for the system.
WORKGROUP_BYTES = (164 // 2 - 1) * 1024
# Loads of 16 bytes that a lane of a product has on their way; of four bits, whose
# 32 columns a load want as many activations, half.
LOADS_IN_FLIGHT = {"Q4_0": 4, "Q4_1": 4}

PRODUCTS = ["qkv", "o", "gate_up", "down", "head"]


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


def test_kernel(report, place, kernel, usage, form, large):
    registers, stack, spilled, static = usage
    budget = TENSOR_CORE_REGISTERS if kernel.is_tensor_core else REGISTERS
    faults = []
    if stack or spilled:
        faults.append(f"{stack} bytes of stack, {spilled} bytes spilled")
    if registers > budget:
        faults.append(f"{registers} registers, {budget} is the budget")
    workgroup = kernel.workgroup_bytes + static
    if workgroup > WORKGROUP_BYTES:
        faults.append(f"{workgroup} bytes of workgroup memory, "
                      f"{WORKGROUP_BYTES} is the budget")
    if f".reqntid {kernel.threads}" not in kernel.text:
        faults.append(f"no .reqntid {kernel.threads}")
    # Without a rounding in their name ptxas makes an fma of two of them.
    loose = kernel.count(r"\b(?:mul|add|sub)(?:\.ftz)?\.f32\b")
    if loose:
        faults.append(f"{loose} operations that ptxas may contract")
    wide = kernel.count(r"\bld\.global\.nc\.v4\.b32\b")
    # What else is constant is an address in the context, 8 bytes.
    narrow = kernel.count(r"\bld\.global\.nc\.(?!v4\.b32\b|b64\b)")
    is_product = kernel.name.split(".")[0] in PRODUCTS
    if narrow:
        faults.append(f"{narrow} loads of constants that are not 16 bytes")
    if is_product and not wide:
        faults.append("reads no weight 16 bytes at a time")
    # Prefill has warps that wait for different rows; decode reads a weight once.
    is_decode = kernel.name.endswith((".decode", ".head"))
    in_flight = LOADS_IN_FLIGHT.get(form, 8)
    if is_product and large and is_decode and wide < in_flight:
        faults.append(f"{wide} loads of 16 bytes, {in_flight} are to be in flight")
    tensor_core = kernel.name == "gate_up.prefill" and form in TENSOR_CORE_FORMATS
    if kernel.is_tensor_core != tensor_core:
        faults.append("is in tensor cores" if kernel.is_tensor_core
                      else "is not in tensor cores")
    if tensor_core:
        for what in [r"cp\.async\.cg\.shared\.global", r"ldmatrix\.sync\.aligned\.m8n8\.x4"]:
            if not kernel.count(what):
                faults.append(f"no {what}".replace("\\", ""))
    report.check(f"{place}: {kernel.name}", not faults, "; ".join(faults),
                 f"{registers} registers, {workgroup} bytes")


def test_model(report, corellama, ptxas, model, arch, form, large, folder):
    place = f"{arch} {form} {'large' if large else 'small'}"
    ptx = folder / "kernels.ptx"
    result = harness.compile_model(corellama, model, ptx, f"--target=cuda:{arch}",
                                   "--emit=ptx")
    if not report.check(f"{place}: compiles", result.code == 0, result.why):
        return
    text = ptx.read_text()
    kernels = read_ptx(text)
    expected = len(re.findall(r"\.visible \.entry ", text))
    report.check(f"{place}: the table lists the kernels",
                 len(kernels) == expected > 0 and all(k.text for k in kernels),
                 f"{[k.name for k in kernels]}, and {expected} entries")
    result = harness.run([ptxas, "-v", "--warn-on-spills", "--warn-on-local-memory-usage",
                          "-Werror", f"-arch={arch}", ptx, "-o", folder / "kernels.cubin"])
    if not report.check(f"{place}: assembles", result.code == 0, result.why):
        return
    usage = read_ptxas(result.err_text + result.text)
    for kernel in kernels:
        if kernel.entry in usage:
            test_kernel(report, place, kernel, usage[kernel.entry], form, large)
        else:
            report.fail(f"{place}: {kernel.name}", "ptxas says nothing of it")


def main():
    parser = harness.parser(__doc__.splitlines()[0], model=False)
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES)
    parser.add_argument("--format", action="append", choices=FORMATS)
    args = parser.parse_args()
    report = harness.Report()
    ptxas = find_ptxas()
    if not report.check("ptxas is there", ptxas, "no ptxas; install the CUDA toolkit or "
                        "pip install -r scripts/requirements.txt", ptxas):
        report.finish()
    with harness.Workspace(args.keep) as folder:
        for form in args.format or FORMATS:
            for large in (False, True):
                model = folder / "model.gguf"
                make_models.write_shapes(model, LARGE if large else SMALL, form)
                for arch in args.arch or ARCHITECTURES:
                    test_model(report, args.corellama, ptxas, model, arch, form, large,
                               folder)
    report.finish()


if __name__ == "__main__":
    main()
