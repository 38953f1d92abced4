# The lit tests: which files are tests and what their RUN lines may say.
#
#   %opt         corellama-opt
#   %corellama   corellama
#   %emulator_opt  corellama-opt with the passes of the emulator
#   %pass        in test/passes: the flag of the file's name, so that flag, file
#                and test cannot drift apart; `chunk.mlir` and `chunk-invalid.mlir`
#                both mean --chunk. `%pass{chunk=8}` means --chunk=chunk=8.
#   %python      the interpreter that the build found
#   %cxx, %mlir_include   the compiler of the build, and MLIR's headers
#
# Parameters (lit --param NAME=1):
#   empty_pass   %pass is nothing: every pass test must then fail, which
#                tools/check-empty-pass.py verifies
#   roundtrip    %opt prints and re-parses each input first; IR (.mlir) only
#   build        the build to test, where lit is given a path of the source tree
#                (`lit test/passes/Llama`); build/ by default
import os
import sys

from lit.llvm import llvm_config

root = os.path.dirname(os.path.abspath(__file__))
if not hasattr(config, "corellama_bin"):
    # lit was given a path of the source tree: begin again with what the build knows.
    build = lit_config.params.get("build", os.path.join(root, "../build"))
    site = os.path.join(build, "test/lit.site.cfg.py")
    if not os.path.exists(site):
        lit_config.fatal(f"{site}: is missing; configure the build first, or name its "
                         "folder with --param build=FOLDER")
    lit_config.load_config(config, site)
    sys.exit()

sys.path.insert(0, os.path.join(root, "tools"))
from pass_test_format import PassTest  # noqa: E402


def flag(name):
    return lit_config.params.get(name, "") not in ("", "0")


config.name = "CoreLlama"
config.test_format = PassTest(empty=flag("empty_pass"))
# Tests of command lines (.test) give %opt little to parse.
config.suffixes = [".mlir"] if flag("roundtrip") else [".mlir", ".test", ".ll"]
config.excludes = ["CMakeLists.txt", "Inputs"]
config.test_source_root = root
config.test_exec_root = os.path.join(config.corellama_binary_dir, "test")

llvm_config.use_default_substitutions()  # FileCheck, not, count, split-file
roundtrip = " --verify-roundtrip" if flag("roundtrip") else ""
opt = os.path.join(config.corellama_bin, "corellama-opt") + roundtrip
emulator_opt = os.path.join(config.corellama_bin, "corellama-emulator-opt") + roundtrip
config.substitutions += [
    (r"%opt\b", opt),
    (r"%emulator_opt\b", emulator_opt),
    (r"%corellama\b", os.path.join(config.corellama_bin, "corellama")),
    (r"%python\b", config.python),
    (r"%bin\b", config.corellama_bin),
    (r"%llvm_bin\b", config.llvm_tools_dir),
    (r"%cxx\b", config.cxx),
    (r"%mlir_include\b", config.mlir_include),
    (r"%root\b", config.corellama_source_dir),
    (r"%build\b", config.corellama_binary_dir),
]
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
