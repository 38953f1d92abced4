#!/usr/bin/env python3
"""Runs the test suites, two at a time, and adds up what they counted.

Input: a finished build and the demo model; output: a paragraph for each suite when it
ends (its failures, its sum) and the last line `N passed, N failed`. With --targets it
prints instead which targets of the build the chosen suites need. scripts/check calls
it. A file of its own because counting the tests of lit, GoogleTest and our own scripts
is data, not shell.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIT_PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
LIT_NEITHER = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}
DRIVER, OPT = ["corellama", "corellama-rt"], ["corellama-opt", "corellama-emulator-opt"]
EMULATOR = ["corellama-emulator-library", "corellama-emulator-driver"]
# GoogleTests that take more than some ten seconds: not in --quick.
SLOW_TESTS = {"CPUKernelTests", "CUDAKernelTests", "EmulatorTests", "GraphTests",
              "RunnerTests"}
# About what suites of more than a minute take beside another on two cores, in seconds:
# the order of a first run, which without it ended with one suite alone for minutes.
LONG_SUITES = {"CUDAKernelTests": 240, "GraphTests": 230, "cuda-ptx": 200, "targets": 180,
               "bits": 160, "CPUKernelTests": 160, "emulator": 140, "phases": 140,
               "golden": 120, "tidy": 80, "exact-random": 80, "exact-demo": 90,
               "study": 100, "lit": 80, "bits-f32": 70, "lit-roundtrip": 60, "metrics": 60}
# With --all a quarter of an hour and more of one core: shared out, and begun first.
SHARED_TESTS = {"CUDAKernelTests", "GraphTests"}
SHARED_SECONDS = 900


@dataclasses.dataclass
class Suite:
    name: str
    command: list
    remedy: str            # how to run it again, or a part of it
    count: callable        # (exit code, log) -> passed, failed, lines to show
    needs: list            # targets of the build
    quick: bool = False    # part of scripts/check --quick
    chain: str = ""        # suites of one chain share files: one after the other
    environment: dict = dataclasses.field(default_factory=dict)


def last_lines(text):
    return text.strip().splitlines()[-15:]


def count_ours(code, text):
    """A script that ends with `N passed, N failed`."""
    sums = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)
    if not sums:
        return 0, 1, last_lines(text)
    lines = [l for l in text.splitlines() if l.startswith(("FAIL", "SKIP"))]
    return int(sums[-1][0]), int(sums[-1][1]), lines


def count_exit_code(code, text):
    """A check that is one: it passes or it says why it does not."""
    return int(code == 0), int(code != 0), text.strip().splitlines() if code else []


def count_lit(results):
    def count(code, text):
        if not results.exists():
            return 0, 1, last_lines(text)
        tests = json.loads(results.read_text())["tests"]
        bad = [f"{t['code']} {t['name']}" for t in tests
               if t["code"] not in LIT_PASSED | LIT_NEITHER]
        return sum(t["code"] in LIT_PASSED for t in tests), len(bad), bad
    return count


def count_google(results):
    def count(code, text):
        if not results.exists():  # crashed, or not built
            return 0, 1, last_lines(text)
        r = json.loads(results.read_text())
        bad = re.findall(r"^\[  FAILED  \] (\S+) \(", text, re.M)
        passed = r["tests"] - r["failures"] - r.get("disabled", 0)
        return passed, r["failures"] + r.get("errors", 0), bad
    return count


class Suites:
    """All suites, as data."""

    def __init__(self, args):
        self.args = args
        self.build = Path(args.build).resolve()
        self.logs = self.build / "check"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.list = []
        self.checks()
        self.google_tests()
        self.end_to_end()

    def add(self, name, command, count, **more):
        more.setdefault("remedy", "again: " + " ".join(show(c) for c in command))
        more.setdefault("needs", DRIVER)
        self.list.append(Suite(name, [str(c) for c in command], count=count, **more))

    def cache(self, key):
        text = (self.build / "CMakeCache.txt").read_text(errors="replace")
        found = re.search(rf"^{key}:[A-Z]+=(.*)$", text, re.M)
        return found[1] if found else ""

    def checks(self):
        lint = ROOT / "scripts/lint"
        self.add("format", [lint, "--format", "--all"], count_exit_code, needs=[],
                 quick=True)
        # It reads the generated headers.
        self.add("tidy", [lint, "--tidy"], count_exit_code, needs=["all"])
        self.add("lint-lit", [ROOT / "scripts/lint-lit"], count_exit_code, needs=[],
                 quick=True)
        self.add("lint-docs", [ROOT / "scripts/lint-docs"], count_exit_code, needs=[],
                 quick=True)
        # Builds of its own: a minute of one core, with --all some minutes of all.
        self.add("sanitize", [ROOT / "scripts/sanitize",
                              *(["--all"] if self.args.all else [])], count_ours, needs=[])
        lit = self.cache("LLVM_EXTERNAL_LIT") or "/usr/lib/llvm-22/bin/lit"
        needs = [*DRIVER, *OPT, "corellama-faulty"]
        stop = ["--max-failures=1"] if self.args.fail_fast else []
        for name, extra in (("lit", []), ("lit-roundtrip", ["--param", "roundtrip=1"])):
            results = self.logs / f"{name}.json"
            self.add(name, [sys.executable, lit, "-v", "--no-progress-bar", "--output",
                            results, *stop, *extra, self.build / "test"], count_lit(results),
                     remedy=f"one test alone: {lit} -v test/FOLDER/FILE", needs=needs,
                     chain="lit", quick=not extra)
        self.add("empty-pass", [sys.executable, ROOT / "test/tools/check-empty-pass.py",
                                "--lit", lit, "--build", self.build / "test"],
                 count_exit_code, needs=needs, chain="lit")

    def google_tests(self):
        """Each test that CTest knows, counted by GoogleTest."""
        listed = subprocess.run(
            ["ctest", "--test-dir", self.build, "--show-only=json-v1"],
            capture_output=True, text=True)
        try:
            tests = json.loads(listed.stdout)["tests"]
        except (ValueError, KeyError):
            sys.exit(f"ctest lists no tests: {listed.stderr.strip()}")
        for test in tests:
            name, command = test["name"], test.get("command") or ["false"]
            shares = os.cpu_count() if name in SHARED_TESTS and self.args.all else 1
            for i in range(shares):
                label = name if shares == 1 else f"{name}-{i + 1}of{shares}"
                if shares > 1:
                    LONG_SUITES[label] = SHARED_SECONDS
                results = self.logs / f"{label}.gtest.json"
                self.add(label, command, count_google(results), needs=[name],
                         quick=name not in SLOW_TESTS,
                         environment={"GTEST_OUTPUT": f"json:{results}",
                                      "GTEST_TOTAL_SHARDS": str(shares),
                                      "GTEST_SHARD_INDEX": str(i)})

    def end_to_end(self):
        e2e, demo, driver = ROOT / "test/e2e", self.args.model, self.build / "bin/corellama"
        emulator = self.build / "bin/corellama-emulator-library"

        def add(name, script, *arguments, **more):
            self.add(name, [sys.executable, script, *arguments], count_ours, **more)
        add("reference", e2e / "test_reference.py", needs=[])
        add("tokens", e2e / "test_tokens.py", "--tool", self.build /
            "bin/corellama-tokenize", "--model", demo, needs=["corellama-tokenize"])
        add("sentencepiece", e2e / "test_sentencepiece.py", "--tool", self.build /
            "bin/corellama-tokenize", "--corellama", driver,
            needs=["corellama-tokenize", *DRIVER])
        add("templates", e2e / "test_templates.py", "--tool", self.build /
            "bin/corellama-render", "--folder", self.build / "templates",
            needs=["corellama-render"], chain="source of llama.cpp")
        long = ["--all"] if self.args.all else []
        add("vocabularies", e2e / "test_vocabularies.py", "--tool", self.build /
            "bin/corellama-tokenize", "--folder", self.build / "templates", *long,
            needs=["corellama-tokenize"], chain="source of llama.cpp")
        add("grammar", e2e / "test_grammar.py", "--tool", self.build /
            "bin/corellama-grammar", "--corellama", driver, "--model", demo, "--folder",
            self.build / "templates", *long, needs=DRIVER + ["corellama-grammar"],
            chain="source of llama.cpp")
        add("text", e2e / "test_text.py", "--corellama", driver, "--model", demo, "--folder",
            self.build / "templates", chain="source of llama.cpp",
            *(["--all"] if self.args.all else []))
        add("cli", e2e / "test_cli.py", "--corellama", driver, "--model", demo)
        add("bench", e2e / "test_bench.py", "--corellama", driver)
        add("compare", e2e / "test_compare.py", "--corellama", driver)
        add("costs", e2e / "test_costs.py", "--corellama", driver)
        add("conversation", e2e / "test_conversation.py", "--corellama", driver,
            "--model", demo)
        add("sampling", e2e / "test_sampling.py", "--corellama", driver, "--model", demo,
            "--tool", self.build / "bin/corellama-sample",
            needs=DRIVER + ["corellama-sample"])
        add("perplexity", e2e / "test_perplexity.py", "--corellama", driver, "--model", demo)
        add("agreement", e2e / "test_agreement.py", "--corellama", driver, "--model", demo)
        add("drafts", e2e / "test_drafts.py", "--corellama", driver, "--model", demo,
            *(["--prompts=20"] if self.args.all else []))
        add("refusals", e2e / "test_refusals.py", "--corellama", driver)
        add("robustness", e2e / "test_robustness.py", "--corellama", driver)
        add("containers", e2e / "test_containers.py", "--corellama", driver, "--tool",
            self.build / "bin/corellama-tokenize", *long,
            needs=DRIVER + ["corellama-tokenize"])
        add("golden", e2e / "test_golden.py", "--corellama", driver, "--model", demo,
            "--emulator", emulator, *long, needs=DRIVER + EMULATOR)
        exact = [e2e / "test_exact.py", "--corellama", driver]
        # Without AVX-512 both are the same code but for tuning.
        flags = Path("/proc/cpuinfo").read_text()
        both = "--target=native,x86-64-v3" if "avx512f" in flags else "--target=native"
        # The model whose layers alternate between six formats.
        add("exact-tiny", *exact, "--random", "--only=9", "--prompts=4", quick=True)
        # A Zen 3 has tiles of its own for large weights (passes/CPU/CPUPlanner.cpp).
        add("exact-demo", *exact, "--model", demo, "--negative",
            both.replace("x86-64-v3", "znver3") if "sse4a" in flags else both)
        add("exact-quantised", *exact, "--quantised", "--prompts=4")
        add("exact-random", *exact, "--random", both, *long)
        add("exact-q8", *exact, "--random", "--activations=q8", "--prompts=4")
        # Six formats, and superblocks; all that is claimed of x24 is --all's.
        add("exact-x24", *exact, "--activations=x24", "--random",
            *([both] if self.args.all else ["--only=9,24", "--prompts=2"]))
        if self.args.all:
            add("exact-x24-demo", *exact, "--activations=x24", "--model", demo, both)
        if "avx512_bf16" in flags: # the models of BF16 alone; elsewhere kernels alone
            add("exact-bf16", *exact, "--random", "--activations=bf16", "--only=2,14,20",
                "--prompts=4")
        add("family", e2e / "test_family.py", "--corellama", driver, "--emulator", emulator,
            "--docs", ROOT / "docs/checkpoints.md", *(["--all"] if self.args.all else []),
            needs=DRIVER + EMULATOR)
        add("targets", e2e / "test_targets.py", "--corellama", driver, *long)
        for seed in (2, 3, 4) if self.args.all else ():
            add(f"exact-random-{seed}", *exact, "--random", both, "--seed", seed, "--all")
        add("phases", e2e / "test_phases.py", "--corellama", driver, "--opt",
            self.build / "bin/corellama-opt", "--model", demo, needs=DRIVER + OPT)
        bits = [e2e / "test_bits.py", "--corellama", driver, "--model", demo,
                "--delays-rt", self.build / "rt-delays"]
        delays = DRIVER + ["corellama-rt-delays"]
        add("bits", *bits, *long, needs=delays)
        add("bits-f32", *bits, "--flags=--activations=f32",
            *(long or ["--depths=257", "--random-only"]), needs=delays)
        if self.args.all:
            add("bits-x24", *bits, "--flags=--activations=x24", "--depths=257", needs=delays)
        add("quantize", e2e / "test_quantize.py", "--corellama", driver, *long)
        add("large-files", e2e / "test_large_files.py", "--corellama", driver, *long)
        add("kernels", e2e / "test_kernels.py", "--corellama", driver, "--model", demo)
        add("cuda-ptx", e2e / "test_cuda_ptx.py", "--corellama", driver, *long)
        add("cuda-gates", e2e / "test_cuda_gates.py", "--corellama", driver, *long,
            needs=DRIVER + ["corellama-emulator-traffic"])
        add("emulator", e2e / "test_emulator.py", "--corellama", driver, "--emulator",
            emulator, "--model", demo, *long, needs=DRIVER + EMULATOR)
        add("gpu-check", e2e / "test_gpu_check.py", "--corellama", driver, "--emulator",
            emulator, needs=DRIVER + EMULATOR)
        add("study", e2e / "test_study.py", "--corellama", driver, *long,
            needs=DRIVER + OPT + ["corellama-faulty"])
        add("metrics", ROOT / "benchmarks/metrics.py", "--corellama", driver,
            "--model", demo, "--check", ROOT / "benchmarks/metrics.csv")

    def chosen(self):
        only = set(self.args.only.split(",")) if self.args.only else None
        if only:
            known = {s.name for s in self.list}
            if not only <= known:
                sys.exit(f"no suite {', '.join(sorted(only - known))}; there are "
                         f"{', '.join(s.name for s in self.list)}")
            return [s for s in self.list if s.name in only]
        return [s for s in self.list if s.quick or not self.args.quick]


class Runner:
    """Runs suites and prints what each counted."""

    def __init__(self, suites):
        self.logs = suites.logs
        # Tests of kernels and graphs read it: more of them.
        self.environment = os.environ | (
            {"CORELLAMA_ALL": "1"} if suites.args.all else {}) | (
            {"GTEST_FAIL_FAST": "1"} if suites.args.fail_fast else {})
        self.passed = self.failed = 0
        self.fail_fast = suites.args.fail_fast
        self.running, self.stopped = [], False
        self.lock = threading.Lock()
        # What the last run took: the longest begin first.
        self.times = self.logs / "seconds.json"
        self.seconds = dict(LONG_SUITES)
        try:
            self.seconds |= json.loads(self.times.read_text())
        except (OSError, ValueError):
            pass

    def run(self, suite):
        started = time.monotonic()
        log = self.logs / f"{suite.name}.log"
        for old in self.logs.glob(f"{suite.name}.*json"):
            old.unlink()
        with open(log, "wb") as out:
            try:
                with subprocess.Popen(suite.command, stdout=out, cwd=ROOT,
                                      stderr=subprocess.STDOUT,
                                      env=self.environment | suite.environment,
                                      start_new_session=self.fail_fast) as process:
                    self.running.append(process)
                code = process.returncode
            except OSError as error:
                out.write(str(error).encode())
                code = 127
        text = log.read_text(errors="replace")
        passed, failed, lines = suite.count(code, text)
        # A suite that ends badly or counts nothing has failed, whatever it says.
        if failed == 0 and (code != 0 or passed == 0):
            failed, lines = 1, lines or last_lines(text)
        seconds = time.monotonic() - started
        with self.lock:
            if self.stopped:
                return
            self.report(suite, passed, failed, lines, seconds, log)

    def report(self, suite, passed, failed, lines, seconds, log):
        print(f"== {suite.name}: {' '.join(show(c) for c in suite.command)}")
        for line in lines[:40]:
            print(f"   {line}")
        if len(lines) > 40:
            print(f"   and {len(lines) - 40} lines more")
        print(f"   {suite.name}: {passed} passed, {failed} failed in {seconds:.0f} s")
        if failed:
            print(f"   step {suite.name} failed: see {show(log)}; {suite.remedy}")
        sys.stdout.flush()
        self.passed += passed
        self.failed += failed
        self.seconds[suite.name] = round(seconds, 1)
        if failed and self.fail_fast:
            self.stopped = True
            for process in self.running:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def all(self, suites):
        chains = {}
        for suite in suites:
            chains.setdefault(suite.chain or suite.name, []).append(suite)

        def run_chain(chain):
            for suite in chain:
                if not self.stopped:
                    self.run(suite)
        known = [(sum(self.seconds.get(s.name, 20) for s in c), c) for c in chains.values()]
        # The longest first, so that none is left over; but where the first failure ends
        # it all, the shortest, which find most faults a second.
        known.sort(key=lambda pair: pair[0], reverse=not self.fail_fast)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(run_chain, chain) for _, chain in known]:
                done.result()
        self.times.write_text(json.dumps(self.seconds, indent=1) + "\n")


def show(argument):
    """An argument as one would type it at the root."""
    return str(argument).replace(f"{ROOT}/", "")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", required=True)
    p.add_argument("--model", required=True)
    kind = p.add_mutually_exclusive_group()
    kind.add_argument("--all", action="store_true", help="the long forms too")
    kind.add_argument("--quick", action="store_true",
                      help="two minutes: lit, fast unit tests, a tiny model end to end")
    p.add_argument("--fail-fast", action="store_true",
                   help="stop all suites when the first one has failed")
    p.add_argument("--only", metavar="SUITE,...", help="these suites alone")
    p.add_argument("--targets", action="store_true",
                   help="print what has to be built for them, and run nothing")
    suites = Suites(p.parse_args())
    chosen = suites.chosen()
    if suites.args.targets:
        print(" ".join(sorted({target for suite in chosen for target in suite.needs})))
        return 0
    runner = Runner(suites)
    runner.all(chosen)
    print(f"{runner.passed} passed, {runner.failed} failed", flush=True)
    return 0 if runner.failed == 0 and runner.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
