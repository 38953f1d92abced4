"""Programs for a GPU, run without one.

A program is what `corellama compile --target=cuda:...` makes; the driver that it loads
is ours (test/emulator/EmulatorDriver.cpp), whose kernels are libraries made of the same
modules. A file of its own because several suites run a GPU's code beside a CPU's.
"""

import hashlib
import os
import re
import struct
import subprocess
from pathlib import Path

import harness

CUDA_MACHINE = 190  # e_machine of a cubin (EM_CUDA of elf.h)
HEADER = b"// corellama, target cuda:"


def device_modules(data):
    """The modules that a program carries: PTX with its zero, cubins."""
    at = -1
    while (at := data.find(HEADER, at + 1)) >= 0:
        yield data[at:data.index(b"\0", at) + 1]
    at = 0  # the program itself begins so, too
    while (at := data.find(b"\x7fELF\x02\x01", at + 1)) >= 0:
        header = data[at:at + 64]
        if len(header) < 64 or struct.unpack_from("<H", header, 18)[0] != CUDA_MACHINE:
            continue
        segments, sections = struct.unpack_from("<QQ", header, 32)
        sizes = struct.unpack_from("<HHHH", header, 54)
        yield data[at:at + max(segments + sizes[0] * sizes[1],
                               sections + sizes[2] * sizes[3])]


class Emulator:
    """Compiles programs and runs them on the emulated driver. `tool`: the path of
    corellama-emulator-library; the driver is in the same build."""

    def __init__(self, corellama, tool, folder):
        self.corellama, self.tool = corellama, tool
        self.driver = Path(tool).parents[1] / "emulator"
        self.folder = Path(folder) / "emulated"
        self.folder.mkdir(exist_ok=True)

    def compile(self, model, program, target, *flags, env=None):
        """The program and its kernels; the harness.Result of what failed, or of the
        program, which is compiled in `env`."""
        made = harness.compile_model(self.corellama, model, program, f"--target={target}",
                                     *flags, env=env)
        if made.code != 0:
            return made
        module = self.folder / "vector.mlir"
        result = harness.run([self.corellama, "compile", model, "--compile-to=vector",
                              f"--target={target}", "-o", module, *flags])
        if result.code != 0:
            return result
        library = self.folder / f"{Path(program).name}.so"
        library.unlink(missing_ok=True)
        result = harness.run([self.tool, module, library])
        if result.code != 0:
            return result
        for code in device_modules(Path(program).read_bytes()):
            name = self.folder / f"{hashlib.sha256(code).hexdigest()}.so"
            name.unlink(missing_ok=True)
            os.link(library, name)
        return made

    def environment(self, target="cuda:sm_90a", **more):
        """For harness.run; `more` are variables of the driver without their prefix."""
        capability = ".".join(target.removeprefix("cuda:sm_").rstrip("a"))
        more = {"KERNELS": self.folder, "DEVICES": capability} | more
        return os.environ | {"LD_LIBRARY_PATH": str(self.driver)} | {
            f"CORELLAMA_EMULATOR_{name}": str(value) for name, value in more.items()}


def without_driver():
    """The environment of a machine without NVIDIA's driver; none if it has one."""
    has = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True)
    if "libcuda.so.1" in has.stdout:
        return None
    return {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}


def read_report(path):
    """What the driver's REPORT says: {call: count}, {kind: left}, launches."""
    calls, left, launches = {}, {}, 0
    for line in Path(path).read_text().splitlines():
        words = line.split()
        if words[0] == "launches":
            launches = int(words[1])
        elif words[0] in ("call", "left"):
            (calls if words[0] == "call" else left)[words[1]] = int(words[2])
    return calls, left, launches


def read_early(path):
    """Of the launches of a REPORT, those that began while the one before them ran."""
    return int(re.search(r"^early (\d+)$", Path(path).read_text(), re.M)[1])
