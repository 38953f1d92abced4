"""What `corellama bench` prints, and how it asks a program.

Input: the driver; output: PASS/FAIL lines. A small random model is compiled and
measured: every form of the output, tests that are a cross product, kernels that are
those of the manifest, the requests that a program answers itself, and errors. No time
is judged here.
"""

import csv
import io
import json
import re

import harness
import make_models

# Layers of unlike formats, so that a layer runs kernels that another does not.
RECIPE = 9


def records(report, name, result):
    """The records of -o jsonl; none where it failed."""
    if not report.check(name, result.code == 0 and result.err == b"", result.why):
        return []
    return [json.loads(line) for line in result.text.splitlines()]


def equal(report, name, got, wanted):
    return report.check(name, got == wanted, lambda: f"is {got}, expected {wanted}")


def test_tests(report, bench, program):
    """Each depth with each prompt and each number of generated tokens."""
    made = records(report, "bench: -o jsonl",
                   bench(program, "-p", "4,9", "-n", "3", "-d", "0,5", "-r", 2,
                         "-o", "jsonl"))
    got = [(r["n_depth"], r["n_prompt"], r["n_gen"]) for r in made]
    wanted = [(d, p, n) for d in (0, 5) for p, n in ((4, 0), (9, 0), (0, 3))]
    equal(report, "bench: tests are the cross product", got, wanted)
    report.check("bench: two rounds of each, and what they give on average",
                 made and all(
                     len(r["samples_ns"]) == 2
                     and abs(sum(r["samples_ns"]) / 2 - r["avg_ns"]) <= 1
                     and abs(sum(r["samples_ts"]) / 2 - r["avg_ts"]) < 1e-6 * r["avg_ts"]
                     for r in made), lambda: str(made))
    report.check("bench: no prediction without --predict",
                 all("predicted_ts" not in r for r in made), lambda: str(made))
    report.check("bench: ceilings and shares are positive",
                 made and all(r["ceiling_gbps"] > 0 and r["ceiling_gops"] > 0
                              and r["share"] > 0 for r in made), lambda: str(made))


def test_forms(report, bench, program):
    result = bench(program, "-p", 4, "-n", 2, "-r", 1, "-o", "json")
    if report.check("bench: -o json", result.code == 0, result.why):
        equal(report, "bench: -o json is a list of two", len(json.loads(result.text)), 2)
    result = bench(program, "-p", 4, "-n", 2, "-r", 1, "-o", "csv")
    if report.check("bench: -o csv", result.code == 0, result.why):
        rows = list(csv.DictReader(io.StringIO(result.text)))
        equal(report, "bench: -o csv has the fields by name",
              [(r["n_prompt"], r["n_gen"]) for r in rows], [("4", "0"), ("0", "2")])
    result = bench(program, "-p", 4, "-n", 2, "-r", 1)
    lines = result.text.splitlines()
    report.check("bench: a table by default, its columns in line",
                 result.code == 0 and re.match(r"\| model .*\| share \|$", lines[0])
                 and len({len(line) for line in lines[:4]}) == 1
                 and re.search(r"\| +pp4 \| +[0-9.]+ ± 0.00 \|", lines[2]), result.why)


def test_predictions(report, bench, program):
    """From the same ceilings: what is predicted is below the speed at them."""
    made = records(report, "bench: --predict",
                   bench(program, "-p", 9, "-n", 3, "-r", 2, "--predict", "-o", "jsonl"))
    report.check("bench: a prediction is slower than the ceilings",
                 made and all(0 < r["predicted_ts"] * r["share"] <= r["avg_ts"] * 1.05
                              for r in made), lambda: str(made))
    result = bench(program, "-p", 4, "-n", 0, "-r", 1, "--predict")
    report.check("bench: predictions are the table's last columns", result.code == 0 and
                 re.match(r"\| model .*\| share \| predicted t/s \| of it \|$",
                          result.text.splitlines()[0]), result.why)


def test_kernels(report, bench, inspect, program):
    made = records(report, "bench: --kernels",
                   bench(program, "-p", 4, "-n", 2, "-r", 1, "--kernels", "-o", "jsonl"))
    if not made:
        return
    manifest = json.loads(inspect(program, "--json").text)
    steps = {form["name"]: form for form in manifest["forms"] + manifest["lm_heads"]}
    for record, form in zip(made, ("prefill", "decode")):
        wanted = {}
        for kernel, _ in steps[form]["dispatches"] + steps["lm_head"]["dispatches"]:
            wanted[kernel] = wanted.get(kernel, 0) + 1
        equal(report, f"bench: the kernels of {form}, as often as the manifest says",
                     {k["name"]: k["calls"] for k in record["kernels"]}, wanted)
        equal(report, f"bench: a barrier behind each dispatch of {form}",
                     record["barriers"], sum(wanted.values()))
        products = [k for k in record["kernels"] if k["gbps"] > 0]
        report.check(f"bench: bytes and operations of products of {form}",
                     len(products) >= 4 and all(k["gops"] > 0 for k in products),
                     lambda: str(record["kernels"]))


def test_requests(report, program):
    """What a program answers itself: a line of times for each request."""
    def ask(*lines):
        return harness.run([program, "--bench", "-t", 2],
                           stdin="".join(f"{line}\n" for line in lines).encode())
    result = ask("prompt 5 0", "generate 2 3", "answer 2 3", "trace 1 4 0 0:0 1:1",
                 "again 1:0", "empty 0:0 1:1", "barriers 7")
    counts = [len(line.split()) for line in result.text.splitlines()]
    report.check("--bench: a time for each request, kernel and barrier",
                 result.code == 0 and counts == [1, 1, 1, 2, 1, 2, 7], result.why)
    # An answer of a full cache: the id before it, and as many as it has ids but the last.
    for steps, code in (7, 0), (8, 1):
        result = harness.run([program, "--bench", "-t", 2, "-c", 8],
                             stdin=f"answer {steps} 0\n".encode())
        report.check(f"--bench: an answer of {steps} steps in a cache of 8",
                     result.code == code and (code != 0) == ("out of bounds" in
                                                             result.err_text), result.why)
    for line in ("", "prompt", "prompt 0 0", "prompt 5", "prompt 5 0 0", "prompt -1 0",
                 "generate 1 99999999", "answer 0 0", "answer 1", "answer 1 0 0",
                 "answer 1 99999999", "trace 1 0 0", "trace 1 0 2 0:0",
                 "again 0:0", "again", "empty 0:0", "empty",
                 "trace 1 0 0 99999:0", "trace 1 0 0 0:99", "trace 1 0 0 0", "barriers 0",
                 "barriers 99999999", "stop", "prompt 18446744073709551615 1"):
        result = ask("prompt 1 0", line, "prompt 1 0")
        report.check(f"--bench: refuses '{line}'",
                     result.code == 1 and len(result.text.splitlines()) == 1
                     and harness.one_line(result.err)
                     and "corellama bench" in result.err_text,
                     result.why)


def test_errors(report, bench, checkpoint, program, folder):
    def refused(name, code, words, *arguments):
        result = bench(*arguments)
        report.check(name, result.code == code and not result.out
                     and harness.one_line(result.err)
                     and all(word in result.err_text for word in words), result.why)
    refused("bench: a checkpoint is no program", 1, ["model.gguf"], checkpoint)
    refused("bench: no test", 1, ["-p"], program, "-p", 0, "-n", 0)
    refused("bench: behind more tokens than the context", 1, ["context"], program,
            "-d", 1000000)
    refused("bench: an unknown form", 2, ["md, csv"], program, "-o", "xml")
    refused("bench: no number", 2, ["'4x'"], program, "-p", "4x")
    refused("bench: kernels do not fit csv", 2, ["--kernels"], program, "--kernels",
            "-o", "csv")
    locked = folder / "locked"
    locked.write_bytes(program.read_bytes())
    refused("bench: a program that may not be started", 1, ["Permission denied"], locked)


def main():
    args = harness.parser(__doc__.splitlines()[0], model=False).parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        checkpoint, program = folder / "model.gguf", folder / "program"
        make_models.write_model(checkpoint, 1, RECIPE)
        result = harness.compile_model(args.corellama, checkpoint, program,
                                       "--activations=q8")
        if report.check("compiles", result.code == 0, result.why):
            def bench(*arguments):
                return harness.run([args.corellama, "bench", *arguments])

            def inspect(*arguments):
                return harness.run([args.corellama, "inspect", *arguments])
            test_tests(report, bench, program)
            test_forms(report, bench, program)
            test_predictions(report, bench, program)
            test_kernels(report, bench, inspect, program)
            test_requests(report, program)
            test_errors(report, bench, checkpoint, program, folder)
    report.finish()


if __name__ == "__main__":
    main()
