"""Where `corellama compile` writes, and what is left of what cannot be written.

    outputs.py CORELLAMA CHECKPOINT FOLDER

Prints one line a rule that is broken and ends with 1 then; with none, `N rules
hold`. A script because the rules are about links, devices, limits and full
disks, which a RUN line has no words for.
"""

import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

tool, checkpoint, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
# One of each way through the driver; assembly goes that of an object.
KINDS = {"text": ["--compile-to=import"], "llvm": ["--emit=llvm"],
         "object": ["--emit=obj"], "program": []}
rules = broken = 0


def expect(rule, holds, why=""):
    global rules, broken
    rules += 1
    if not holds:
        broken += 1
        print(f"{rule}: {why}", flush=True)


def compile_to(output, kind, **options):
    # Only decode: a quarter of the time, and no other way to a file.
    command = [tool, "compile", checkpoint, "--rows=1", *KINDS[kind]]
    if output is not None:
        command += ["-o", str(output)]
    return subprocess.run(command, capture_output="stdout" not in options,
                          **options)


def explain(result):
    return f"exit code {result.returncode}, {result.stderr!r}"


def one_error(rule, result, *words):
    """Exit code 1 and one line that has all words."""
    text = (result.stderr or b"").decode()
    expect(rule, result.returncode == 1 and text.count("\n") == 1
           and text.startswith("corellama: ")
           and all(word in text for word in words), explain(result))


def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


plain = {}
for kind in KINDS:
    path = folder / f"plain.{kind}"
    result = compile_to(path, kind)
    expect(f"{kind} is written", result.returncode == 0, explain(result))
    plain[kind] = path.read_bytes()

# Links stay; what they name is replaced, or made.
(folder / "real").mkdir()
for kind in KINDS:
    for there in (True, False) if kind == "text" else (True,):
        link, target = folder / f"link.{kind}", folder / "real" / kind
        link.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        if there:
            target.write_text("old")
        link.symlink_to(f"real/{kind}")
        result = compile_to(link, kind)
        expect(f"{kind} through a link, target {'' if there else 'not '}there",
               result.returncode == 0 and link.is_symlink()
               and target.read_bytes() == plain[kind], explain(result))
(folder / "circle").symlink_to("circle")
one_error("a circle of links", compile_to(folder / "circle", "text"), "circle")

# Devices and FIFOs are written to. A program is refused.
os.mkfifo(folder / "fifo")
for kind in KINDS:
    if kind == "program":
        one_error("a program to a FIFO", compile_to(folder / "fifo", kind), "fifo",
                  "not a regular file")
    else:
        got = []
        reader = threading.Thread(
            target=lambda: got.append((folder / "fifo").read_bytes()))
        reader.start()
        result = compile_to(folder / "fifo", kind)
        if not stat.S_ISFIFO(os.lstat(folder / "fifo").st_mode):
            os._exit(1)  # the reader would wait for ever
        reader.join()
        expect(f"{kind} to a FIFO", got == [plain[kind]], explain(result))
    expect(f"{kind} leaves a FIFO a FIFO",
           stat.S_ISFIFO(os.lstat(folder / "fifo").st_mode))
try:
    device = folder / "null"
    os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
except PermissionError:
    device = None
    print("note: not root, devices were left out", file=sys.stderr)
for kind in ("text", "object", "program") if device else ():
    result = compile_to(device, kind)
    expect(f"{kind} to a device", result.returncode == (kind == "program")
           and stat.S_ISCHR(os.lstat(device).st_mode), explain(result))

# Standard output by another name.
link = folder / "stdout"
link.symlink_to("/proc/self/fd/1")
result = compile_to(link, "text")
expect("a link to standard output", result.stdout == plain["text"]
       and link.is_symlink(), explain(result))
with open(folder / "log", "ab") as log:
    log.write(b"before\n")
    log.flush()
    compile_to(link, "text", stdout=log, stderr=subprocess.PIPE)
expect("a link to standard output that is appended to a file",
       (folder / "log").read_bytes() == b"before\n" + plain["text"])

# The umask says who may read and run it.
for mask, text, program in [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]:
    for kind, mode in [("text", text), ("program", program)]:
        path = folder / "mode"
        path.unlink(missing_ok=True)
        compile_to(path, kind, umask=mask)
        have = stat.S_IMODE(path.stat().st_mode)
        expect(f"{kind} with umask {mask:o}", have == mode, f"{have:o}")
    dump = folder / f"dump{mask:o}"
    subprocess.run([tool, "compile", checkpoint, "--compile-to=import", "-o",
                    "/dev/null", f"--dump-compilation-phases-to={dump}"],
                   umask=mask)
    have = stat.S_IMODE(dump.stat().st_mode)
    expect(f"a dump's folder with umask {mask:o}", have == program, f"{have:o}")

# What cannot be written whole leaves what was there.
small = folder / "small"
small.mkdir()
for kind in KINDS:
    path = small / kind
    path.write_text("good")
    result = compile_to(path, kind, preexec_fn=limit_files(len(plain[kind]) - 1))
    one_error(f"{kind} beyond a limit", result, str(path), "bytes", "File too large")
    expect(f"{kind} beyond a limit leaves the old file",
           path.read_text() == "good" and os.listdir(small) == [kind],
           os.listdir(small))
    path.unlink()

# In a mount namespace of its own: $1 is a new file system, $2 a file in it.
FULL = """
mount -t tmpfs -o size=64k tmpfs "$1" && echo good > "$2" || exit 99
cat /dev/zero > "$1/fill" 2> /dev/null
"$0" compile "$3" --rows=1 -o "$2" $4; code=$?
[ "$(cat "$2")" = good ] && [ "$(ls "$1" | wc -l)" = 2 ] || exit 98
exit $code
"""
PROBE = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", small]
if subprocess.run(PROBE, capture_output=True).returncode:
    print("note: no file system can be mounted, full disks were left out",
          file=sys.stderr)
else:
    for kind in KINDS:
        path = small / kind
        result = subprocess.run(
            ["unshare", "-m", "sh", "-c", FULL, tool, small, path, checkpoint,
             *KINDS[kind]], capture_output=True,
            env={**os.environ, "TMPDIR": str(small)})
        one_error(f"{kind} to a full disk", result, str(path), "bytes",
                  "No space left")

# Standard output.
with open("/dev/full", "wb") as full:
    for name, arguments in [("text", ["compile", checkpoint, *KINDS["text"]]),
                            ("inspect", ["inspect", checkpoint]),
                            ("targets", ["--list-targets"]), ("help", ["--help"]),
                            ("version", ["--version"])]:
        result = subprocess.run([tool, *arguments], stdout=full,
                                stderr=subprocess.PIPE)
        one_error(f"{name} to a full device", result, "standard output",
                  "No space left")
        result = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', tool, *arguments],
                                stderr=subprocess.PIPE)
        one_error(f"{name} to a closed output", result, "standard output")

# No temporary folder is needed.
result = compile_to(folder / "elsewhere", "program",
                    env={**os.environ, "TMPDIR": str(folder / "none")})
expect("no TMPDIR is needed", result.returncode == 0, explain(result))

print(f"{rules} rules hold" if not broken else f"{broken} of {rules} broken")
sys.exit(broken != 0)
