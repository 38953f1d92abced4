"""The name of the machine that figures were measured on.

Input: /proc/cpuinfo; output: a CPU's name, a name for files, and the instructions on
which the speed of products depends. A file of its own because a virtual machine hides
much of it, and a figure without its machine is none.
"""

import platform
import re
from pathlib import Path

# As the kernel names them.
FEATURES = ["avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni",
            "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"]


def describe(cpuinfo=None):
    """{name, file_name, features}"""
    text = Path("/proc/cpuinfo").read_text() if cpuinfo is None else cpuinfo

    def field(key):
        found = re.search(rf"^{key}\s*: (.+)$", text, re.M)
        return found[1].strip() if found else None
    name = field("model name") or platform.machine()
    # "AMD EPYC": a virtual machine that hides the number; family and model tell it.
    if not re.search(r"\d", name) and field("model"):
        name += f" (family {field('cpu family')}, model {field('model')})"
    has = (field("flags") or "").split()
    return {"name": name, "features": [f for f in FEATURES if f in has],
            "file_name": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")}
