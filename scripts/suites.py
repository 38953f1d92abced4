#!/usr/bin/env python3
"""Runs the test suites one after the other and adds up what they counted.

Input: a finished build and the demo model; output: a paragraph for each suite
(its failures, its sum) and the last line `N passed, N failed`. scripts/check
calls it when everything is built. A file of its own because counting the tests
of lit, GoogleTest and our own scripts is data, not shell.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIT_PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
LIT_NEITHER = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


class Suites:
    def __init__(self, args):
        self.args = args
        self.build = Path(args.build).resolve()
        self.logs = self.build / "check"
        self.logs.mkdir(exist_ok=True)
        self.driver = self.build / "bin/corellama"
        self.passed = self.failed = 0
        self.only = set(args.only.split(",")) if args.only else None
        self.known = []
        # The tests of GPU kernels read it: all combinations, not some by a seed.
        self.environment = os.environ | ({"CORELLAMA_ALL": "1"} if args.all else {})

    def wanted(self, name):
        self.known.append(name)
        return not self.only or name in self.only

    def run(self, name, command, remedy, count, shards=()):
        """Runs one suite; `count(code, text)` is its (passed, failed, lines).
        `shards`: variables of each of several runs at once, by default one run."""
        if not self.wanted(name):
            return
        print(f"== {name}: {' '.join(show(c) for c in command)}", flush=True)
        started = time.monotonic()
        log = self.logs / f"{name}.log"
        code = 0
        with open(log, "wb") as out:
            try:
                runs = [subprocess.Popen([str(c) for c in command], stdout=out,
                                         stderr=subprocess.STDOUT, cwd=ROOT,
                                         env=self.environment | variables)
                        for variables in shards or [{}]]
                code = max((abs(run.wait()) for run in runs))
            except OSError as error:
                out.write(str(error).encode())
                code = 127
        text = log.read_text(errors="replace")
        passed, failed, lines = count(code, text)
        # A suite that ends badly or counts nothing has failed, whatever it says.
        if failed == 0 and (code != 0 or passed == 0):
            failed = 1
            lines = lines or text.strip().splitlines()[-15:]
        for line in lines[:40]:
            print(f"   {line}")
        if len(lines) > 40:
            print(f"   and {len(lines) - 40} lines more")
        print(f"   {name}: {passed} passed, {failed} failed in "
              f"{time.monotonic() - started:.0f} s", flush=True)
        if failed:
            print(f"   step {name} failed: see {show(log)}; {remedy}", flush=True)
        self.passed += passed
        self.failed += failed

    def ours(self, name, *command):
        """A script that ends with `N passed, N failed`."""
        def count(code, text):
            sums = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)
            lines = [l for l in text.splitlines() if l.startswith(("FAIL", "SKIP"))]
            if not sums:
                return 0, 1, text.strip().splitlines()[-15:]
            return int(sums[-1][0]), int(sums[-1][1]), lines
        shown = " ".join(show(c) for c in command)
        self.run(name, [sys.executable, *command],
                 f"again: {show(sys.executable)} {shown}", count)

    def lit(self, name, *extra):
        results = self.logs / f"{name}.json"
        results.unlink(missing_ok=True)

        def count(code, text):
            if not results.exists():
                return 0, 1, text.strip().splitlines()[-15:]
            tests = json.loads(results.read_text())["tests"]
            bad = [f"{t['code']} {t['name']}" for t in tests
                   if t["code"] not in LIT_PASSED | LIT_NEITHER]
            good = sum(t["code"] in LIT_PASSED for t in tests)
            return good, len(bad), bad
        lit = self.cache("LLVM_EXTERNAL_LIT") or "/usr/lib/llvm-22/bin/lit"
        command = [sys.executable, lit, "-v", "--no-progress-bar", "--output",
                   results, *extra, self.build / "test"]
        self.run(name, command, "one test alone: /usr/lib/llvm-22/bin/lit -v "
                 "build/test --filter NAME", count)

    def cache(self, key):
        text = (self.build / "CMakeCache.txt").read_text(errors="replace")
        found = re.search(rf"^{key}:[A-Z]+=(.*)$", text, re.M)
        return found[1] if found else ""

    def by_exit_code(self, name, *command):
        """A check that is one: it passes or it says why it does not."""
        python = [sys.executable] if Path(command[0]).suffix == ".py" else []
        self.run(name, [*python, *command],
                 f"again: {' '.join(show(c) for c in command)}",
                 lambda code, text: (int(code == 0), int(code != 0),
                                     text.strip().splitlines() if code else []))

    def google_tests(self):
        """Each test that CTest knows, counted by GoogleTest where it is one."""
        listed = subprocess.run(
            ["ctest", "--test-dir", self.build, "--show-only=json-v1"],
            capture_output=True, text=True)
        try:
            tests = json.loads(listed.stdout)["tests"]
        except (ValueError, KeyError):
            tests = []
        if not tests and self.wanted("ctest"):
            print(f"   ctest: lists no tests: {listed.stderr.strip()}")
            self.failed += 1
        for test in tests:
            name = test["name"]
            command = test.get("command") or ["false"]
            program = Path(command[0]).name
            is_google = "Tests" in program or "Replay" in program
            # An hour and a half of one core: shared out, where all of it is asked for.
            shares = os.cpu_count() if name == "CUDAKernelTests" and self.args.all else 1
            shards = [{"GTEST_OUTPUT": f"json:{self.logs / name}.{i}.gtest.json",
                       "GTEST_TOTAL_SHARDS": str(shares), "GTEST_SHARD_INDEX": str(i)}
                      for i in range(shares)]
            results = [self.logs / f"{name}.{i}.gtest.json" for i in range(shares)]
            for old in self.logs.glob(f"{name}.*.gtest.json"):
                old.unlink()

            def count(code, text):
                if not is_google:
                    return (int(code == 0), int(code != 0),
                            text.strip().splitlines()[-15:] if code else [])
                if not all(r.exists() for r in results):  # crashed, or not built
                    return 0, 1, text.strip().splitlines()[-15:]
                bad = re.findall(r"^\[  FAILED  \] (\S+) \(", text, re.M)
                passed = failed = 0
                for r in (json.loads(r.read_text()) for r in results):
                    passed += r["tests"] - r["failures"] - r.get("disabled", 0)
                    failed += r["failures"] + r.get("errors", 0)
                return passed, failed, bad
            self.run(name, command, f"again: {show(command[0])}", count, shards)

    def end_to_end(self):
        e2e, demo, driver = ROOT / "test/e2e", self.args.model, self.driver
        opt = self.build / "bin/corellama-opt"
        self.ours("reference", e2e / "test_reference.py")
        self.ours("tokens", e2e / "test_tokens.py", "--tool",
                  self.build / "bin/corellama-tokenize", "--model", demo)
        self.ours("cli", e2e / "test_cli.py", "--corellama", driver, "--model", demo)
        self.ours("refusals", e2e / "test_refusals.py", "--corellama", driver)
        exact = [e2e / "test_exact.py", "--corellama", driver]
        both = "--target=native,x86-64-v3"
        self.ours("exact-demo", *exact, "--model", demo, "--negative", both)
        self.ours("exact-random", *exact, "--random", both)
        if self.args.all:
            for seed in (2, 3, 4):
                self.ours(f"exact-random-{seed}", *exact, "--random", both,
                          "--seed", seed)
        self.ours("phases", e2e / "test_phases.py", "--corellama", driver, "--opt",
                  opt, "--model", demo)
        bits = [e2e / "test_bits.py", "--corellama", driver, "--model", demo,
                "--delays-rt", self.build / "rt-delays"]
        self.ours("bits", *bits)
        if self.args.all:
            self.ours("bits-f32", *bits, "--flags=--activations=f32")
        self.ours("kernels", e2e / "test_kernels.py", "--corellama", driver,
                  "--model", demo)
        self.ours("cuda-ptx", e2e / "test_cuda_ptx.py", "--corellama", driver,
                  *(["--all"] if self.args.all else []))
        self.ours("emulator", e2e / "test_emulator.py", "--corellama", driver, "--emulator",
                  self.build / "bin/corellama-emulator", "--model", demo)
        self.ours("metrics", ROOT / "benchmarks/metrics.py", "--corellama", driver,
                  "--model", demo, "--check", ROOT / "benchmarks/metrics.csv")
        if self.args.all:
            self.ours("floor", ROOT / "benchmarks/floor", "--corellama", driver,
                      "--model", demo)

    def all(self):
        self.by_exit_code("format", ROOT / "scripts/lint", "--format", "--all")
        self.by_exit_code("tidy", ROOT / "scripts/lint", "--tidy")
        self.by_exit_code("lint-lit", ROOT / "scripts/lint-lit")
        self.lit("lit")
        self.lit("lit-roundtrip", "--param", "roundtrip=1")
        lit = self.cache("LLVM_EXTERNAL_LIT") or "/usr/lib/llvm-22/bin/lit"
        self.by_exit_code("empty-pass", ROOT / "test/tools/check-empty-pass.py",
                          "--lit", lit, "--build", self.build / "test")
        self.google_tests()
        self.end_to_end()


def show(argument):
    """An argument as one would type it at the root."""
    return str(argument).replace(f"{ROOT}/", "")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", required=True)
    p.add_argument("--model", required=True)
    p.add_argument("--all", action="store_true", help="the long forms too")
    p.add_argument("--only", metavar="SUITE,...", help="these suites alone")
    suites = Suites(p.parse_args())
    suites.all()
    if suites.only and not suites.only <= set(suites.known):
        sys.exit(f"no suite {', '.join(sorted(suites.only - set(suites.known)))}; "
                 f"there are {', '.join(suites.known)}")
    print(f"{suites.passed} passed, {suites.failed} failed", flush=True)
    sys.exit(0 if suites.failed == 0 and suites.passed > 0 else 1)


if __name__ == "__main__":
    main()
