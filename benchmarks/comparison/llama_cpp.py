"""llama.cpp as people build it for the machine that they have.

Input: a folder; output: `llama-bench` and `llama-quantize` in it, and a record of the
source, compiler and flags. The source is that of PyPI's `llama-cpp-python`, whose source
distribution carries a llama.cpp at a commit of its own. A file of its own because nothing
else has to know where the other engine comes from.
"""

import dataclasses
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from comparison.steps import Failure, progress, run, whole_file

VERSION = "0.3.36"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
TARGETS = ["llama-bench", "llama-quantize"]
# Release is -O3. Shared libraries, HTTPS and ccache are off because they cost speed or
# need more packages; ccache besides takes `-march=native` for the same on all machines.
CMAKE_FLAGS = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DGGML_BLAS=OFF",
               "-DGGML_CUDA=OFF", "-DGGML_CCACHE=OFF", "-DBUILD_SHARED_LIBS=OFF",
               "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_TESTS=OFF",
               "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF",
               "-DLLAMA_BUILD_APP=OFF"]
# A file whose code is most of what a benchmark runs: its flags are recorded.
HOT_FILE = "ggml/src/ggml-cpu/ggml-cpu.c"


@dataclasses.dataclass(frozen=True)
class LlamaCpp:
    folder: Path

    @property
    def bench(self):
        return self.folder / "llama-bench"

    @property
    def quantize(self):
        return self.folder / "llama-quantize"

    @property
    def record(self):
        """package, commit, compiler, flags (of a hot file), cmake."""
        return json.loads((self.folder / "build.json").read_text())


def prepare(folder):
    """Builds it in `folder`, once: some minutes."""
    built = LlamaCpp(folder / f"llama.cpp-{VERSION}")
    if built.folder.exists():
        return built
    # An interrupted build goes on from here; the folder's name appears at the end.
    work = folder / f"llama.cpp-{VERSION}.partial"
    work.mkdir(parents=True, exist_ok=True)
    source, objects = work / "source", work / "objects"
    commit = fetch(work, source)
    progress("llama.cpp: cmake")
    run(["cmake", "-S", source, "-B", objects, "-G", "Ninja", *CMAKE_FLAGS,
         # Else it would name the commit of the repository around it: ours.
         f"-DLLAMA_BUILD_COMMIT={commit[:9]}", "-DLLAMA_BUILD_NUMBER=0"],
        "cmake of llama.cpp", work / "cmake.log")
    progress("llama.cpp: ninja, some minutes")
    run(["ninja", "-C", objects, "-j", len(os.sched_getaffinity(0)), *TARGETS],
        "ninja of llama.cpp", work / "ninja.log")
    result = work / "result"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    for target in TARGETS:
        shutil.copy2(objects / "bin" / target, result)
    record = {"package": f"llama-cpp-python {VERSION}", "commit": commit,
              "compiler": compiler(objects), "flags": flags(objects),
              "cmake": CMAKE_FLAGS}
    (result / "build.json").write_text(json.dumps(record, indent=1) + "\n")
    result.rename(built.folder)
    shutil.rmtree(work)
    return built


def kept_source(folder):
    """The source in `folder`, fetched the first time: tests read files of it."""
    source = folder / "source"
    if not source.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fetch(folder, source)
    return source


def fetch(work, source):
    """The source at `source`; its commit."""
    name = f"llama_cpp_python-{VERSION}"
    archive = work / f"{name}.tar.gz"
    if not archive.exists():
        progress(f"llama.cpp: the source distribution of llama-cpp-python {VERSION}")
        download(archive)
    commit = run(["tar", "-xzOf", archive,
                  f"{name}/.git/modules/vendor/llama.cpp/HEAD"], "tar").strip()
    if not source.exists():
        unpacked = work / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        run(["tar", "-xzf", archive, "-C", unpacked, "--strip-components=3",
             "--exclude=.git", f"{name}/vendor/llama.cpp"], "tar")
        unpacked.rename(source)
    return commit


def download(archive):
    """By pip, which knows of mirrors and proxies, and compares the hash."""
    wanted = archive.with_name("requirement.txt")
    wanted.write_text(f"llama-cpp-python=={VERSION} --hash=sha256:{SHA256}\n")
    with whole_file(archive) as partial:
        into = archive.with_name("download")
        run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
             "--no-deps", "--no-binary", "llama-cpp-python", "-r", wanted, "--dest", into],
            "pip", archive.with_name("pip.log"))
        (into / archive.name).rename(partial)
        into.rmdir()


def compiler(objects):
    """The name and version of the C compiler, which the hot files are written in."""
    [path] = objects.glob("CMakeFiles/*/CMakeCCompiler.cmake")
    text = path.read_text()
    return " ".join(re.search(rf'set\(CMAKE_C_COMPILER_{key} "(.*?)"\)', text)[1]
                    for key in ("ID", "VERSION"))


def flags(objects):
    """What the compiler was told about code, as it was called."""
    commands = json.loads((objects / "compile_commands.json").read_text())
    for entry in commands:
        if entry["file"].endswith(HOT_FILE):
            return [word for word in shlex.split(entry["command"])
                    if re.match(r"-(O|m|f|DNDEBUG|DGGML_USE)", word)]
    raise Failure(f"{objects}/compile_commands.json: has no {HOT_FILE}; this llama.cpp "
                  "is another than the one that was tried")
