"""What the end-to-end scripts share: running commands, counting results.

Input: commands of the driver and of compiled programs; output: `PASS name` and
`FAIL name: why` lines and the closing `N passed, N failed`. It is a file of its
own because each test script is one subject and none should repeat this part.
It shares no code with the compiler and knows it by its command line only.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# Of a compilation, in order; test_phases.py compares the driver's own list.
PHASES = ["import", "specialize", "fuse", "plan", "schedule", "tile", "vector", "llvm"]


class Report:
    """Counts results and prints them as they come."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def ok(self, name, detail=""):
        self.passed += 1
        print(f"PASS {name}" + (f" ({detail})" if detail else ""), flush=True)

    def fail(self, name, why):
        self.failed += 1
        why = " | ".join(str(why).strip().splitlines()) or "no reason given"
        print(f"FAIL {name}: {why}", flush=True)

    def check(self, name, condition, why="", detail=""):
        if condition:
            self.ok(name, detail)
        else:
            self.fail(name, why() if callable(why) else why)
        return bool(condition)

    def skip(self, name, why):
        """Says what was not tested; counts as neither."""
        print(f"SKIP {name}: {why}", flush=True)

    def finish(self):
        """Prints the sum and ends the process; nothing tested is a failure."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)


class Result:
    def __init__(self, command, code, out, err, seconds, peak_bytes):
        self.command = command
        self.code = code
        self.out = out
        self.err = err
        self.seconds = seconds
        self.peak_bytes = peak_bytes

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def err_text(self):
        return self.err.decode("utf-8", "replace")

    def why(self):
        shown = " ".join(shorten(a) for a in self.command)
        return f"exit code {self.code} of `{shown}`: {self.err_text.strip()[-400:]}"


def shorten(argument):
    argument = str(argument)
    return argument if len(argument) <= 60 else argument[:57] + "..."


# Peak memory is asked of a small process between us and the command: a child's
# ru_maxrss begins at that of the process it was forked from, and ours may hold
# a whole model.
_MEASURE = (
    "import os,sys,resource\n"
    "p=os.fork()\n"
    "if p==0: os.execvp(sys.argv[2],sys.argv[2:])\n"
    "_,s=os.waitpid(p,0)\n"
    "open(sys.argv[1],'w').write(str(resource.getrusage("
    "resource.RUSAGE_CHILDREN).ru_maxrss*1024))\n"
    "c=os.waitstatus_to_exitcode(s)\n"
    "sys.exit(c if c>=0 else 128-c)\n"
)

# A shell starts what runs in the background with SIGINT ignored, and programs keep it so;
# tests of Ctrl-C do not want that. A handler is the default again in a child.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run(command, stdin=b"", cwd=None, env=None, timeout=600, peak=False):
    """Runs a command to its end; never raises for what the command does."""
    command = [str(c) for c in command]
    with tempfile.TemporaryDirectory() as scratch:
        note = os.path.join(scratch, "peak")
        real = command
        if peak:
            real = [sys.executable, "-S", "-E", "-c", _MEASURE, note] + command
        started = time.monotonic()
        with open(os.path.join(scratch, "out"), "w+b") as out, open(
            os.path.join(scratch, "err"), "w+b"
        ) as err:
            try:
                process = subprocess.Popen(
                    real, stdin=subprocess.PIPE, stdout=out, stderr=err,
                    cwd=cwd, env=env, start_new_session=True)
            except OSError as error:
                return Result(command, 127, b"", str(error).encode(), 0.0, 0)
            timer = threading.Timer(timeout, _kill_group, [process.pid])
            timer.start()
            try:
                process.stdin.write(stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass
            process.wait()
            expired = not timer.is_alive()
            timer.cancel()
            seconds = time.monotonic() - started
            out.seek(0)
            err.seek(0)
            output, errors = out.read(), err.read()
        if expired:
            errors += f"\nkilled after {timeout} s".encode()
        code = process.returncode
        peak_bytes = 0
        if peak and os.path.exists(note):
            peak_bytes = int(Path(note).read_text() or 0)
        return Result(command, 128 - code if code < 0 else code, output, errors,
                      seconds, peak_bytes)


def _kill_group(pid):
    try:
        os.killpg(pid, 9)
    except ProcessLookupError:
        pass


def one_line(data):
    """True where `data` is exactly one line, ended by its newline."""
    return data.endswith(b"\n") and data.count(b"\n") == 1 and len(data) > 1


def compile_model(corellama, model, program, *flags, **kwargs):
    return run([corellama, "compile", model, "-o", program, *flags], **kwargs)


def reenter(report, corellama, name, model, program, dumps, phases=PHASES):
    """The dumps in a folder, compiled on from each of `phases`, are the program."""
    again = Path(dumps).parent / "from-dump"
    for phase in phases:
        made = compile_model(
            corellama, model, again, f"--compile-from={phase}",
            f"--ir={Path(dumps) / f'{PHASES.index(phase) + 1}-{phase}.mlir'}")
        report.check(f"{name}: from {phase}, the same program",
                     made.code == 0 and same_file(program, again),
                     made.why() if made.code else "the programs differ")
    again.unlink(missing_ok=True)


def generate(program, ids, count, *flags, logits=None, **kwargs):
    """Greedy continuation: (Result, list of generated ids or None)."""
    command = [program, "--prompt-ids", ",".join(map(str, ids)), "-n", count,
               "--temp", "0", "--ignore-eos", "--output-ids", *flags]
    if logits is not None:
        command += ["--logits-out", logits]
    result = run(command, **kwargs)
    if result.code != 0:
        return result, None
    try:
        if not one_line(result.out):
            raise ValueError
        return result, [int(x) for x in result.text.strip().split(",")]
    except ValueError:
        result.err += b"stdout is not one line of ids: " + result.out[:200]
        return result, None


def same_file(a, b):
    """Byte-wise comparison in pieces: files may be as large as a model."""
    if os.path.getsize(a) != os.path.getsize(b):
        return False
    with open(a, "rb") as first, open(b, "rb") as second:
        while True:
            x, y = first.read(1 << 20), second.read(1 << 20)
            if x != y:
                return False
            if not x:
                return True


def parser(description, model=True):
    """The arguments that all scripts have."""
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--corellama", required=True, type=existing,
                   help="the driver, e.g. build/bin/corellama")
    if model:
        p.add_argument("--model", required=True, type=existing,
                       help="a GGUF checkpoint")
    p.add_argument("--keep", metavar="DIR",
                   help="work in DIR and leave the files there")
    return p


def existing(path):
    if not os.path.exists(path):
        raise argparse.ArgumentTypeError(
            f"{path}: no such file; build it or give another path")
    return os.path.abspath(path)


class Workspace:
    """A folder for programs and arrays, removed at the end."""

    def __init__(self, keep=None):
        self.keep = keep

    def __enter__(self):
        if self.keep:
            os.makedirs(self.keep, exist_ok=True)
            self.path = os.path.abspath(self.keep)
        else:
            self.path = tempfile.mkdtemp(prefix="corellama-e2e-")
        return Path(self.path)

    def __exit__(self, *exception):
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)
