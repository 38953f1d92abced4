"""What is left where a compile cannot end well, of GGUF files and of folders.

Input: the driver; output: PASS/FAIL lines. A full disk, a folder that takes no files, a
checkpoint that is written to or cut while it is read: one line on standard error, exit code 1,
and the older program is what it was, alone in its folder. The same after 50 kills at moments
drawn from a seed, and after two compiles of one program at once, of which either may win. A
file of its own because these are about processes and files, not about what is compiled; what
every other output does on a full disk is in test/compiler/Driver/outputs.test.

    build/venv/bin/python test/e2e/test_robustness.py --corellama build/bin/corellama
"""

import errno
import os
import random
import signal
import struct
import subprocess
import time

import container_models as cm
import harness

KILLS = 50
SEED = 7
# Files of some 100 KB, which are mapped, not read: what is cut is missed at once.
SIZES = cm.Sizes(dim=64, heads=4, kv_heads=2, hidden=128, vocabulary=64, layers=2)
# One form: half a second.
FLAGS = ["--target=x86-64-v3", "--rows=1", "--activations=f32"]

# In a mount namespace of its own: $0 is a new file system with an older program, or the
# folder, read-only; $@ is the compile.
FULL_DISK = """
mount -t tmpfs -o size=64k tmpfs "$0" && echo good > "$0/program" || exit 99
"$@"; code=$?
[ "$(cat "$0/program")" = good ] && [ "$(ls "$0" | wc -l)" = 1 ] || exit 98
exit $code
"""
READ_ONLY = """
mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" || exit 99
exec "$@"
"""


def tokenizer_model(pieces):
    """A tokenizer.model by sentencepiece_model.proto: texts, and that they are BPE."""
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data
    made = b""
    for i, text in enumerate(pieces):
        made += field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", -i)
                      + b"\x18" + bytes([(2, 3, 3, 1)[min(i, 3)]]))
    return made + field(2, b"\x18\x02") + field(3, field(1, b"identity") + b"\x20\x00")


class Case:
    """A checkpoint in a container, its program, and an older one in that place."""

    def __init__(self, report, args, root, container):
        self.report, self.args, self.container = report, args, container
        self.root = root / container
        self.folder = self.root / "out"
        self.folder.mkdir(parents=True)
        self.program = self.folder / "program"
        self.model = self.write("new", 2)
        self.new = self.compiled(self.model)
        self.old = self.compiled(self.write("old", 1))
        self.restore()

    def write(self, name, seed):
        weights = cm.draw(SIZES, seed)
        if self.container == "folder":
            return cm.write_folder(self.root / name, SIZES, weights, "F16", shards=2)
        return cm.write_gguf(self.root / f"{name}.gguf", SIZES, weights, "F16")[0]

    def weights_file(self):
        return max(self.model.iterdir(), key=lambda f: f.stat().st_size) \
            if self.model.is_dir() else self.model

    def compiled(self, model):
        result = harness.run(self.command(model))
        self.report.check(f"{self.container}: {model.name} compiles", result.code == 0,
                          result.why)
        self.seconds = result.seconds
        return self.program.read_bytes()

    def command(self, model, *flags):
        return [str(a) for a in (self.args.corellama, "compile", model, "-o", self.program,
                                 *FLAGS, *flags)]

    def restore(self):
        self.program.write_bytes(self.old)
        self.program.chmod(0o755)

    def left(self):
        """What is wrong with what is there, where the older program has to be."""
        names = sorted(os.listdir(self.folder))
        if names != ["program"]:
            return f"left behind: {names}"
        return "" if self.program.read_bytes() == self.old else "the older program is lost"

    def refused(self, name, code, out, err, *words):
        text = err.decode("utf-8", "replace")
        missing = [word for word in words if word not in text]
        problem = (f"exit code {code}, expected 1" if code != 1 else
                   "stderr is not one line" if not harness.one_line(err) else
                   "stdout is not empty" if out else
                   f"lacks {missing}" if missing else self.left())
        self.report.check(f"{self.container}: {name}", not problem,
                          f"{problem}: {text[:300]}")
        self.restore()

    def mounted(self, name, script, *words, command=None):
        """What `script` does in a mount namespace of its own: $0 is the output's folder."""
        result = harness.run(["unshare", "-m", "sh", "-c", script, self.folder,
                              *(command or self.command(self.model))])
        if result.code == 99 or result.err.startswith(b"unshare"):
            return self.report.skip(f"{self.container}: {name}", "no file system can be mounted")
        return self.refused(name, result.code, result.out, result.err, *words)

    def full_disk(self):
        limited = ["prlimit", f"--fsize={len(self.new) - 1}"]
        result = harness.run(limited + self.command(self.model))
        self.refused("a file beyond the limit", result.code, result.out, result.err,
                     str(self.program), "File too large")
        self.mounted("a full disk", FULL_DISK, str(self.program), "No space left",
                     "make room there")

    def unwritable(self):
        """Each kind of output is looked at before the checkpoint, which is not there."""
        missing, dumps = self.root / "missing.gguf", self.folder / "dumps"
        elsewhere = ["-o", self.root / "elsewhere", f"--dump-compilation-phases-to={dumps}"]
        for name, output, flags in [
                ("program", self.program, []), ("assembly", self.program, ["--emit=asm"]),
                ("object", self.program, ["--emit=obj"]), ("LLVM IR", self.program, ["--emit=llvm"]),
                ("module", self.program, ["--compile-to=import"]), ("dumps", dumps, elsewhere)]:
            name = f"a folder that cannot be written: {name}"
            command = [str(a) for a in (self.args.corellama, "compile", missing, *FLAGS,
                                        *(flags if output is dumps
                                          else ["-o", self.program, *flags]))]
            if os.geteuid() == 0:  # who may write to any folder, but not there
                self.mounted(name, READ_ONLY, str(output), "Read-only file system",
                             "name another output", command=command)
                continue
            self.folder.chmod(0o555)
            result = harness.run(command)
            self.folder.chmod(0o755)
            self.refused(name, result.code, result.out, result.err, str(output),
                         "Permission denied", "name another output")

    def changed(self, name, change, *words):
        """`change` of the largest file while the compile has it open: it then waits for the
        tokenizer, which is a FIFO."""
        path = self.weights_file()
        whole = path.read_bytes()
        fifo = self.root / "tokenizer.model"
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo)
        process = subprocess.Popen(self.command(self.model, f"--tokenizer={fifo}"),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        waits = None
        while waits is None and process.poll() is None:
            try:
                waits = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                time.sleep(0.01)
        if waits is not None:
            change(path)
            with os.fdopen(waits, "wb") as f:
                f.write(tokenizer_model(["<unk>", "<s>", "</s>"] + [
                    chr(ord("A") + i) for i in range(SIZES.vocabulary - 3)]))
        out, err = process.communicate(timeout=600)
        self.refused(name, process.returncode, out, err, *words)
        path.write_bytes(whole)

    def all_changes(self):
        def flip(path):
            with open(path, "r+b") as f:
                f.seek(-1, os.SEEK_END)
                last = f.read(1)[0]
                f.seek(-1, os.SEEK_END)
                f.write(bytes([last ^ 1]))
        self.changed("a byte written while it is read", flip, self.weights_file().name,
                     "has changed while it was read", "run the command again")
        self.changed("cut while it is read", lambda path: os.truncate(path, 8192),
                     "became shorter while it was read")

    def two_at_once(self):
        other = self.root / ("old" if self.model.is_dir() else "old.gguf")
        for round in range(3):
            both = [subprocess.Popen(self.command(model), stderr=subprocess.PIPE)
                    for model in (self.model, other)]
            errors = [process.communicate(timeout=600)[1] for process in both]
            data = self.program.read_bytes()
            self.report.check(
                f"{self.container}: two compiles at once, {round + 1}",
                [p.returncode for p in both] == [0, 0] and data in (self.old, self.new)
                and os.listdir(self.folder) == ["program"],
                f"{[p.returncode for p in both]} {errors} {os.listdir(self.folder)}")
        self.restore()

    def kills(self, count, rng):
        ended, problems = 0, []
        for i in range(count):
            how = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[i % 4]
            started = time.monotonic()
            process = subprocess.Popen(self.command(self.model), stderr=subprocess.DEVNULL)
            try:
                process.wait(rng.uniform(0, 1.2 * self.seconds))
                ended += 1
                # Other work may have made the first one slow.
                self.seconds = min(self.seconds, time.monotonic() - started)
            except subprocess.TimeoutExpired:
                process.send_signal(how)
                process.wait()
            data = self.program.read_bytes()
            # Between its two last calls the new program has another name, and is whole.
            others = [f for f in self.folder.iterdir()
                      if f != self.program and f.read_bytes() != self.new]
            if data not in (self.old, self.new) or others:
                problems.append(f"{how.name} {i}: {os.listdir(self.folder)}, {len(data)} bytes")
            for f in self.folder.iterdir():
                f.unlink()
            self.restore()
        self.report.check(f"{self.container}: {count} kills", not problems and ended < count,
                          f"{problems[:3]}, {ended} had ended", f"{ended} had ended")


def main():
    args = harness.parser(__doc__.splitlines()[0], model=False).parse_args()
    report, rng = harness.Report(), random.Random(SEED)
    with harness.Workspace(args.keep) as root:
        for container in ("GGUF", "folder"):
            case = Case(report, args, root, container)
            case.full_disk()
            case.unwritable()
            case.all_changes()
            case.two_at_once()
            case.kills(KILLS // 2, rng)
    report.finish()


if __name__ == "__main__":
    main()
