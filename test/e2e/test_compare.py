"""What `benchmarks/compare` makes of what it measures, and its checkpoints.

Input: the driver; output: PASS/FAIL lines. Nothing is fetched, llama.cpp is not needed
and no time is judged: what llama-bench prints is recorded here. A checkpoint with the
smallest sizes is written, compiled, run and measured.
"""

import json
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import gguf
import harness
import numpy as np

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import make_checkpoint  # noqa: E402
from comparison import machine, report, results  # noqa: E402
from comparison.results import Test, contestant  # noqa: E402
from comparison.steps import Failure, run, whole_file  # noqa: E402

# llama-bench of llama-cpp-python 0.3.36 with -p 0 -n 8 -fa 1 -r 1 -o json, whole.
LLAMA_BENCH = """[
  {
    "build_commit": "0c1e57098",
    "build_number": 0,
    "cpu_info": "AMD EPYC",
    "gpu_info": "",
    "backends": "CPU",
    "model_filename": "tiny-bf16.gguf",
    "model_type": "llama ?B BF16",
    "model_size": 2659328,
    "model_n_params": 1328384,
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_threads": 2,
    "cpu_mask": "0x0",
    "cpu_strict": false,
    "poll": 50,
    "type_k": "f16",
    "type_v": "f16",
    "n_gpu_layers": -1,
    "n_cpu_moe": 0,
    "split_mode": "layer",
    "main_gpu": 0,
    "no_kv_offload": false,
    "flash_attn": 1,
    "devices": "auto",
    "tensor_split": "0.00",
    "tensor_buft_overrides": "none",
    "load_mode": "auto",
    "lazy_mode": "auto",
    "embeddings": false,
    "no_op_offload": 0,
    "no_host": false,
    "repack": true,
    "fit_target": 0,
    "fit_min_ctx": 0,
    "n_prompt": 0,
    "n_gen": 8,
    "n_depth": 0,
    "test_time": "2026-11-29T09:01:35Z",
    "avg_ns": 1362310,
    "stddev_ns": 0,
    "avg_ts": 5872.378534,
    "stddev_ts": 0.000000,
    "samples_ns": [ 1362310 ],
    "samples_ts": [ 5872.38 ]
  }
]
"""
# `corellama bench` 0.1.0 with -p 0 -n 8 -d 16 -r 1 -o json, whole.
CORELLAMA = """[
  {
    "build": "corellama 0.1.0",
    "cpu_info": "AMD EPYC (znver3)",
    "model_filename": "smollm2",
    "model_type": "SmolLM2-135M-Instruct.Q4_1.gguf",
    "model_size": 96576768,
    "model_n_params": 134515008,
    "target": "native:znver3",
    "activations": "f32",
    "n_batch": 512,
    "n_threads": 2,
    "type_k": "f16",
    "type_v": "f16",
    "n_prompt": 0,
    "n_gen": 8,
    "n_depth": 16,
    "test_time": "2026-11-29T08:50:17Z",
    "avg_ns": 65369780,
    "stddev_ns": 0,
    "avg_ts": 122.38070863937435,
    "stddev_ts": 0,
    "ceiling_gbps": 93.764067379565162,
    "ceiling_gops": 172.12110680231402,
    "share": 0.19224192343302701,
    "samples_ns": [
      65369780
    ],
    "samples_ts": [
      122.38070863937435
    ]
  }
]
"""
HIDDEN_CPU = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
flags\t\t: fpu sse2 fma avx f16c avx2
"""
NAMED_CPU = HIDDEN_CPU.replace("AMD EPYC", "AMD EPYC 9654 96-Core Processor").replace(
    "avx2", "avx2 avx512f avx512_vnni")


def equal(report_, name, got, wanted):
    return report_.check(name, got == wanted, lambda: f"is {got!r}, expected {wanted!r}")


def refused(report_, name, words, call, *arguments):
    """`call` ends with a Failure whose text has all `words`."""
    try:
        got = call(*arguments)
    except Failure as failure:
        return report_.check(name, all(word in str(failure) for word in words),
                             str(failure))
    return report_.check(name, False, f"gave {got!r}, expected a failure")


def test_parsing(out):
    got = results.parse_llama_bench(LLAMA_BENCH, Test(0, 8, 0))
    equal(out, "parse: llama-bench", got,
          {"avg_ts": 5872.378534, "build_commit": "0c1e57098", "type_k": "f16",
           "type_v": "f16"})
    got = results.parse_corellama(CORELLAMA, Test(0, 8, 16))
    equal(out, "parse: corellama bench", got,
          {"avg_ts": 122.38070863937435, "build": "corellama 0.1.0",
           "target": "native:znver3", "activations": "f32", "type_k": "f16",
           "type_v": "f16", "ceiling_gbps": 93.764067379565162,
           "ceiling_gops": 172.12110680231402, "share": 0.19224192343302701})
    parse = results.parse_corellama
    refused(out, "parse: another test", ["tg8 @ d16", "expected tg8"], parse, CORELLAMA,
            Test(0, 8, 0))
    refused(out, "parse: no JSON", ["corellama bench", "'error: "], parse,
            "error: no such file\n", Test(0, 8, 16))
    refused(out, "parse: nothing", ["llama-bench"], results.parse_llama_bench, "",
            Test(0, 8, 0))
    refused(out, "parse: two records", ["one record"], parse,
            json.dumps(2 * json.loads(CORELLAMA)), Test(0, 8, 16))
    refused(out, "parse: a field is missing", ["ceiling_gbps"], parse,
            CORELLAMA.replace("ceiling_gbps", "other"), Test(0, 8, 16))
    refused(out, "parse: no time was taken", ["tg8 @ d16"], parse,
            CORELLAMA.replace("122.38070863937435", "0"), Test(0, 8, 16))


def test_tests(out):
    equal(out, "tests: the cross product, in llama-bench's order",
          [t.name for t in results.all_tests([4, 9], [3], [0, 5])],
          ["pp4", "pp9", "tg3", "pp4 @ d5", "pp9 @ d5", "tg3 @ d5"])
    equal(out, "tests: both benchmarks' arguments", Test(0, 8, 16).arguments,
          ["-p", 0, "-n", 8, "-d", 16])


def made_rounds(ours, theirs, share=0.5):
    """Rounds of one program and llama.cpp's two, by their tokens a second."""
    [without, flash] = theirs
    return [{contestant("auto"): {"avg_ts": o, "activations": "f32", "share": share,
                                  "ceiling_gbps": 20.0, "ceiling_gops": 150.0},
             "llama.cpp -fa 0": {"avg_ts": a}, "llama.cpp -fa 1": {"avg_ts": b}}
            for o, a, b in zip(ours, without, flash)]


def row_of(*arguments):
    return results.make_row("m", Test(0, 8, 0), "auto", made_rounds(*arguments))


def test_statistics(out):
    # The second round met a slow minute. Ratios to -fa 1 are 2, 1 and 1.25, the ratio of
    # medians is 1.5.
    row = row_of([20, 5, 15], [[9, 4, 9], [10, 5, 12]])
    equal(out, "statistics: medians", (row.ours, row.theirs), (15, 10))
    equal(out, "statistics: the faster of llama.cpp's two", row.flash_attention, 1)
    equal(out, "statistics: the median of ratios, not the ratio of medians",
          (row.ratio, row.lowest, row.highest), (1.25, 1, 2))
    equal(out, "statistics: the speed at the ceilings", (row.share, row.at_ceiling),
          (0.5, 30))
    equal(out, "statistics: of two rounds the mean",
          row_of([1, 3], [[4, 4], [1, 1]]).ratio, 0.5)
    equal(out, "statistics: flash attention off where that is faster",
          row_of([1, 3], [[4, 4], [1, 1]]).flash_attention, 0)
    equal(out, "statistics: a ratio at the least is no failure",
          results.too_slow([row], 1.25), [])
    equal(out, "statistics: a ratio under the least", results.too_slow([row], 1.3),
          ["m auto tg8: ratio is 1.250, expected at least 1.3"])


def test_machine(out):
    equal(out, "machine: a name without a number gets family and model",
          machine.describe(HIDDEN_CPU),
          {"name": "AMD EPYC (family 25, model 1)", "features": ["avx2", "fma", "f16c"],
           "file_name": "amd-epyc-family-25-model-1"})
    got = machine.describe(NAMED_CPU)
    equal(out, "machine: a name with a number stays", got["name"],
          "AMD EPYC 9654 96-Core Processor")
    equal(out, "machine: features in order", got["features"],
          ["avx2", "fma", "f16c", "avx512f", "avx512_vnni"])
    equal(out, "machine: this one has a name for files",
          machine.describe()["file_name"].strip("-") != "", True)


def test_report(out):
    rows = [row_of([20, 5, 15], [[9, 4, 9], [10, 5, 12]])]
    lines = report.table(rows).splitlines()
    equal(out, "report: a row", [cell.strip() for cell in lines[2].split("|")[1:-1]],
          ["m", "auto (f32)", "tg8", "15.0", "10.0", "on", "1.25 (1.00 to 2.00)", "20.0",
           "150", "50%"])
    equal(out, "report: columns in line", len({len(line) for line in lines}), 1)
    about = {"machine": machine.describe(HIDDEN_CPU), "date": "2026-11-29", "rounds": 3,
             "threads": 2, "corellama": {"build": "corellama 0.1.0", "target": "native"},
             "caches": ["llama.cpp f16"],
             "llama_cpp": {"package": "llama-cpp-python 0.3.36", "commit": 40 * "a",
                           "compiler": "GNU 12.2.0", "flags": ["-O3", "-march=native"],
                           "cmake": ["-DGGML_NATIVE=ON"]}}
    page = report.page(about, rows)
    out.check("report: the page says what was measured with what", all(
        text in page for text in ("AMD EPYC (family 25, model 1)", "avx2, fma, f16c",
                                  "commit aaaaaaaaa of llama-cpp-python 0.3.36",
                                  "GNU 12.2.0, `-O3 -march=native`", "3 rounds, 2 threads",
                                  "-DGGML_NATIVE=ON", lines[2])), page)
    rounds = {("m", "tg8"): made_rounds([20], [[9], [10]])}
    data = json.loads(json.dumps(report.data(about, rows, rounds)))
    equal(out, "report: every round is in the data",
          data["rounds_of"][0]["rounds"][0]["llama.cpp -fa 1"], {"avg_ts": 10})
    equal(out, "report: and the rows", data["rows"][0]["ratio"], 1.25)
    return rows


def test_picture(out, rows):
    try:
        from comparison import picture
    except ImportError:
        return out.skip("picture", "no package 'matplotlib'; `benchmarks/compare` has it "
                        "installed")
    svg = picture.draw(rows, "a machine")
    root = xml.fromstring(svg)
    words = "".join(root.itertext())
    out.check("picture: names, units and speeds as text", all(
        word in words for word in ("a machine", "tg8", "llama.cpp", "corellama auto",
                                   "15.0 tok/s", "10.0 tok/s", "ceiling", "%")), words)
    out.check("picture: its ink follows the reader's mode",
              "prefers-color-scheme: dark" in svg and "currentColor" in svg
              and picture.INK not in svg, "it does not")
    equal(out, "picture: the same rows, the same bytes", picture.draw(rows, "a machine"),
          svg)


def test_steps(out, folder):
    def interrupted():
        with whole_file(folder / "half") as partial:
            partial.write_text("half")
            raise KeyboardInterrupt
    try:
        interrupted()
    except KeyboardInterrupt:
        pass
    equal(out, "steps: an interrupted file is not there", list(folder.iterdir()), [])
    equal(out, "steps: what a command printed", run(["echo", 1], "echo"), "1\n")
    refused(out, "steps: a command that fails", ["what: exit code 3: why"], run,
            ["sh", "-c", "echo more; echo why >&2; exit 3"], "what")
    refused(out, "steps: a command that is not there", ["what: ", "No such file"], run,
            [folder / "none"], "what")


def test_checkpoint(out, corellama, folder):
    first, again, other = (folder / f"{name}.gguf" for name in ("first", "again", "other"))
    make_checkpoint.write_checkpoint(first, "tiny")
    make_checkpoint.write_checkpoint(again, "tiny")
    make_checkpoint.write_checkpoint(other, "tiny", seed=2)
    out.check("checkpoint: the same seed, the same bytes", harness.same_file(first, again))
    out.check("checkpoint: another seed, other bytes", not harness.same_file(first, other))
    full = folder / "full.gguf"
    make_checkpoint.write_checkpoint(full, "tiny", form="f32")
    exact = {t.name: t.data for t in gguf.GGUFReader(full).tensors}
    for tensor in gguf.GGUFReader(first).tensors:
        if tensor.tensor_type == gguf.GGMLQuantizationType.BF16:
            wanted = gguf.quants.quantize(exact[tensor.name], tensor.tensor_type)
            if not np.array_equal(tensor.data, wanted):
                out.fail("checkpoint: BF16 is the nearest to F32", tensor.name)
                break
    else:
        out.ok("checkpoint: BF16 is the nearest to F32")
    # 131,072 normal numbers: their deviation is within 1% but for one seed in 10^6.
    weight = exact["blk.1.ffn_down.weight"]
    out.check("checkpoint: deviation is 1 / sqrt(columns)",
              abs(weight.std() * weight.shape[1] ** 0.5 - 1) < 0.01, str(weight.std()))
    program = folder / "program"
    for checkpoint in (first, full):
        result = harness.compile_model(corellama, checkpoint, program)
        if not out.check(f"checkpoint: {checkpoint.name} compiles", result.code == 0,
                         result.why):
            return
        result, ids = harness.generate(program, [1, 2, 3], 4)
        out.check(f"checkpoint: {checkpoint.name} runs",
                  ids is not None and len(ids) == 4, result.why)
    test = Test(4, 0, 3)
    got = harness.run([corellama, "bench", program, "-r", 1, "-o", "json",
                       *test.arguments])
    if out.check("checkpoint: is measured", got.code == 0, got.why):
        out.check("parse: what this `corellama bench` prints",
                  results.parse_corellama(got.text, test)["avg_ts"] > 0)


def test_command_line(out):
    def refuses(name, words, *arguments):
        result = harness.run([BENCHMARKS / "compare", *arguments])
        out.check(name, result.code == 2 and not result.out and all(
            word in result.err_text.splitlines()[-1] for word in words), result.why)
    here = ["--corellama", __file__]
    refuses("compare: an unknown model", ["'1.1b-q9'", "q4_k_m"], "--models=1.1b-q9")
    refuses("compare: a checkpoint that is not there", ["none.gguf"], "--models=none.gguf")
    refuses("compare: no test", ["--prompts"], "--prompts=", "--generate=", *here)
    refuses("compare: no model", ["--models"], "--models=", *here)
    refuses("compare: no number", ["'4x'"], "--prompts=4x")
    refuses("compare: no driver", ["no such file"], "--corellama=none")


def test_start(out, corellama, folder):
    """benchmarks/start, on the smallest model."""
    text = run([BENCHMARKS / "start", "--corellama", corellama, "--model",
                folder / "first.gguf", "--rounds", 1], "benchmarks/start")
    rows = re.findall(r"^\| (.+?) \| ([\d.e+]+) \| ([\d.e+]+) \| ([\d.e+]+) \|$", text, re.M)
    out.check("start: a row for each figure, none of them 0", len(rows) == 3
              and all(float(figure) > 0 for row in rows for figure in row[1:]), text)


def main():
    args = harness.parser(__doc__.splitlines()[0], model=False).parse_args()
    out = harness.Report()
    test_parsing(out)
    test_tests(out)
    test_statistics(out)
    test_machine(out)
    test_picture(out, test_report(out))
    test_command_line(out)
    with harness.Workspace(args.keep) as folder:
        test_steps(out, folder)
        test_checkpoint(out, args.corellama, folder)
        test_start(out, args.corellama, folder)
    out.finish()


if __name__ == "__main__":
    main()
