"""What a GPU's kernels ask memory for, as the emulator counts it.

Input: the driver, a shape of a model and a format; output: a Traffic for each kernel.
The kernels that ship run on the emulator (test/emulator/EmulatorTraffic.h), two blocks of
each launch on zeros, and their figures are scaled to the grid: addresses decide them, so
they are the same on every machine. A file of its own because it needs a tool of the test
tree, and nothing of NVIDIA's.
"""

import dataclasses
import json
import os
import tempfile
from pathlib import Path

import cuda_kernels
from cuda_kernels import make_models

# Of 16 bytes and less; narrower ones are scales.
QUANTS = 16
# Blocks that run: with two, what blocks have in common can be told from what is their own.
BLOCKS = 2
ROWS = KEYS = 512
PREFILL = ["qkv.prefill", "attn.prefill", "o.prefill", "gate_up.prefill", "down.prefill"]


@dataclasses.dataclass
class Traffic:
    """Of a launch. Ratios are of all requests of a kind together."""
    quants: float  # sectors of weights, 16 bytes a lane, over the fewest
    scales: float  # of narrower loads of weights
    others: float  # of all other reads of global memory
    passes: float  # of workgroup memory, over those without conflicts of banks
    conflicts: int  # the most that one request has too many
    l2: float  # bytes between multiprocessors and the second-level cache
    # Distinct bytes that are read or prefetched. Not of prefill: two of its blocks have
    # neither rows nor columns in common.
    dram: float

    def figures(self, name):
        def megabytes(count):
            return float(f"{count / 1e6:.3g}")
        made = {"quants": round(self.quants, 2), "scales": round(self.scales, 2),
                "others": round(self.others, 2), "passes": round(self.passes, 2),
                "conflicts": self.conflicts, "l2-MB": megabytes(self.l2)}
        return made | ({} if name in PREFILL else {"dram-MB": megabytes(self.dram)})


# Less is better in all.
BETTER = {field: 1 for field in ("quants", "scales", "others", "passes", "conflicts",
                                 "l2-MB", "dram-MB")}


def ratio(sites, value, least):
    most = sum(site[least] for site in sites)
    return sum(site[value] for site in sites) / most if most else 1.0


def traffic_of(launch):
    """The Traffic of a line of the tool."""
    sites = launch["sites"]
    reads = [s for s in sites if s["kind"] in ("load", "copy") and s["memory"] != "workgroup"]
    weights = [s for s in reads if s["memory"] == "weights"]
    shared = [s for s in sites if s["memory"] == "workgroup"]

    def sectors(some):
        return ratio(some, "sectors", "fewest")
    return Traffic(sectors([s for s in weights if s["width"] == QUANTS]),
                   sectors([s for s in weights if s["width"] < QUANTS]),
                   sectors([s for s in reads if s not in weights]),
                   ratio(shared, "passes", "least_passes"),
                   max((s["worst"] for s in shared), default=0),
                   launch["l2_bytes"], launch["dram_bytes"])


def measure(driver, shape, form, arch, kernels, rows=ROWS, keys=KEYS):
    """{kernel: Traffic} of a model's kernels."""
    with tempfile.TemporaryDirectory() as folder:
        model, module = (os.path.join(folder, name) for name in ("shapes.gguf", "module.mlir"))
        make_models.write_shapes(model, shape | dict(layers=1), form)
        cuda_kernels.run(driver, "compile", model, f"--target=cuda:{arch}",
                         "--compile-to=vector", "-o", module)
        columns, most = shape["dim"], max(shape["vocabulary"], 2 * shape["hidden"])
        # An f16 cache; a multiple of the sectors and lines that are counted.
        weight = -(-int(cuda_kernels.size_of(form, most, columns)) // 4096) * 4096
        positions = -(-max(rows, keys) // 256) * 256  # blocks of the cache
        cache = 2 * 2 * positions * shape["kv_heads"] * shape["head_size"]
        out = cuda_kernels.run(Path(driver).with_name("corellama-emulator-traffic"), module,
                               *map(str, (rows, keys, BLOCKS, weight, cache)), *kernels)
    return {launch["kernel"]: traffic_of(launch)
            for launch in map(json.loads, out.stdout.splitlines())}
