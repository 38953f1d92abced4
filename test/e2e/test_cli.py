"""What the driver and a compiled program say, write and return.

Input: the driver and a checkpoint with a tokenizer (the demo model); output:
PASS/FAIL lines. Each rule of the command line has its line here: text and ids
on stdout and nothing else, one line on stderr for an error, the exit codes
0, 1 (cannot), 2 (asked wrongly) and 130 (interrupted). test_refusals has the
checkpoints that must not compile.
"""

import json
import os
import pty
import re
import signal
import subprocess
import termios
import time

import numpy as np

import harness
import llama_reference
import make_models

FLAGS = ["-p", "-f", "--prompt-ids", "--chat", "--chat-template",
         "--chat-template-file", "--template-kwargs", "--refuse-markers", "--parse-special", "-n", "-c", "-b", "-t", "-s",
         "--temp", "--top-k", "--top-p", "--min-p", "--ignore-eos", "--output-ids",
         "--logits-out", "--draft", "--bench", "-v", "--version", "--help"]
COMPILE_FLAGS = ["-o", "--target", "--activations", "--cache-type",
                 "--cache-type-k", "--cache-type-v", "--quantize", "--rows",
                 "--chunk",
                 "--emit", "--compile-to", "--compile-from", "--ir",
                 "--dump-compilation-phases-to"]
# Targets, and a flag of /proc/cpuinfo without which a CPU cannot run their code. No CPU
# has them all.
NOT_HERE = {"sapphirerapids": "amx_tile", "znver5": "avx512_vp2intersect"}
CLOSING = re.compile(r"load [0-9.]+ ms \| prompt (\d+) tokens [0-9.]+ tok/s"
                     r"( \| decode (\d+) tokens [0-9.]+ tok/s)? \| seed \d+$")


class Checker:
    def __init__(self, report, command):
        self.report, self.command = report, [command]

    def run(self, *arguments, **kwargs):
        return harness.run([*self.command, *arguments], **kwargs)

    def error(self, name, code, words, *arguments, **kwargs):
        """Fails with `code` and one line that has all of `words`."""
        r = self.run(*arguments, **kwargs)
        missing = [w for w in words if w.lower() not in r.err_text.lower()]
        problem = (f"exit code {r.code}, expected {code}" if r.code != code else
                   "stdout is not empty" if r.out else
                   "stderr is not one line" if not harness.one_line(r.err) else
                   f"does not name {missing}" if missing else None)
        return self.report.check(name, problem is None,
                                 lambda: f"{problem}: {r.err_text[:300]}")

    def good(self, name, *arguments, **kwargs):
        """Succeeds with nothing on stderr; returns the Result or None."""
        r = self.run(*arguments, **kwargs)
        ok = self.report.check(name, r.code == 0 and r.err == b"", r.why)
        return r if ok else None


def test_driver(report, args, folder):
    d = Checker(report, args.corellama)
    r = d.good("driver: --help", "--help")
    if r:
        missing = [w for w in ["compile", "inspect", "tokenize", "detokenize", "render"] if w not in r.text]
        report.check("driver: --help names its commands", not missing, missing)
    r = d.good("driver: compile --help", "compile", "--help")
    if r:
        missing = [f for f in COMPILE_FLAGS if f not in r.text]
        report.check("driver: compile --help names its flags", not missing, missing)
    d.good("driver: --version", "--version")
    both = [d.good(f"driver: {' '.join(words)}", *words)
            for words in (["--list-targets"], ["compile", "--list-targets"])]
    for r in filter(None, both):
        wanted = ["x86-64-v3", "x86-64-v4", "znver4", "znver5", "sapphirerapids"]
        missing = [t for t in wanted if t not in r.text]
        report.check("driver: --list-targets names them", not missing, missing)

    out, model = folder / "out", args.model
    small = folder / "m00.gguf"
    d.error("driver: an unknown command", 2, ["frobnicate"], "frobnicate")
    d.error("driver: an unknown flag", 2, ["--targt"], "compile", small, "-o", out,
            "--targt=native")
    d.error("driver: no checkpoint", 2, [], "compile", "-o", out)
    d.error("driver: no output", 2, ["-o"], "compile", small)
    d.error("driver: an unknown target", 2, ["pentium"], "compile", small,
            "-o", out, "--target=pentium")
    d.error("driver: unknown activations", 2, ["f17"], "compile", small, "-o", out,
            "--activations=f17")
    d.error("driver: an unknown phase", 2, ["linalg"], "compile", small, "-o", out,
            "--compile-to=linalg")
    d.error("driver: a chunk of 0", 2, ["chunk"], "compile", small, "-o", out,
            "--chunk=0")
    d.error("driver: rows that do not ascend", 2, ["rows", "512"], "compile", small,
            "-o", out, "--rows=512,1")
    d.error("driver: a missing checkpoint", 1, ["none.gguf"], "compile",
            folder / "none.gguf", "-o", out)
    d.error("driver: a missing output folder", 1, ["nowhere"], "compile", small,
            "-o", folder / "nowhere" / "out")
    d.error("driver: inspect of a text file", 1, ["text.txt"], "inspect",
            folder / "text.txt")
    report.check("driver: errors leave no output", not out.exists(),
                 f"{out.name} is there")

    for path, kind in [(model, "checkpoint"), (folder / "demo", "program")]:
        r = d.good(f"driver: inspect a {kind}", "inspect", path)
        r = d.good(f"driver: inspect --json a {kind}", "inspect", path, "--json")
        try:
            report.check(f"driver: inspect --json of a {kind} is JSON",
                         r and isinstance(json.loads(r.out), dict), "not an object")
        except ValueError as error:
            report.fail(f"driver: inspect --json of a {kind} is JSON", error)
    for emit, sign in [("llvm", b"define"), ("asm", b".text")]:
        d.good(f"driver: --emit={emit}", "compile", small, "-o", out,
               f"--emit={emit}")
        report.check(f"driver: --emit={emit} writes text",
                     out.exists() and sign in out.read_bytes(), f"no {sign}")
        out.unlink(missing_ok=True)
    # What auto means, as the program's manifest says it.
    for path, meaning in [(model, "q8"), (small, "f32")]:
        d.good(f"driver: compile {os.path.basename(path)}", "compile", path, "-o", out)
        r = d.good(f"driver: inspect what {os.path.basename(path)} became", "inspect", out, "--json")
        got = r and json.loads(r.out)["activations"]
        report.check(f"driver: auto is {meaning} for {os.path.basename(path)}", got == meaning, got)
        out.unlink(missing_ok=True)
    leftover = [f.name for f in folder.iterdir() if f.name.startswith("out")]
    report.check("driver: nothing is left behind", not leftover, leftover)


def test_variants(report, args, folder):
    """The code of several targets in one program, which chooses when it starts."""
    d, out = Checker(report, args.corellama), folder / "variants"
    flags = set(re.search(r"^flags\s*:(.*)$", open("/proc/cpuinfo").read(), re.M)[1].split())
    too_new = next(target for target, flag in NOT_HERE.items() if flag not in flags)
    names = ["x86-64-v3", "native", too_new]
    if not d.good("variants: compile", "compile", args.model, "-o", out,
                  "--target=" + ",".join(names)):
        return
    p = Checker(report, out)
    r = p.good("variants: --version", "--version")
    native = re.search(r"native:\S+?(?=,)", r.text)[0]
    report.check("variants: the last one that this CPU can run", r.text.endswith(
        f"compiled for {too_new}, {native}, x86-64-v3; this CPU runs that for {native}\n"),
        r.text)
    prompt = ["-p", "Once upon a time", "-n", "16", "--temp", "0", "--output-ids"]
    for name, given in [(native, []), (native, ["--target", native]),
                        ("x86-64-v3", ["--target", "x86-64-v3"])]:
        one = folder / "one"
        d.good(f"variants: compile for {name} alone", "compile", args.model, "-o", one,
               "--target=" + name.split(":")[0])
        r, alone = p.run(*prompt, *given), harness.run([one, *prompt])
        report.check(f"variants: {' '.join(given) or 'no --target'}: the same ids as a "
                     f"program for {name}", r.code == alone.code == 0 and
                     r.out == alone.out, r.why)
    p.error("variants: one that this CPU cannot run", 1, ["needs a CPU with", too_new],
            *prompt, "--target", too_new)
    p.error("variants: one that it does not have", 1, ["'mips'", "x86-64-v3", "leave it"],
            *prompt, "--target", "mips")
    r = d.good("variants: inspect", "inspect", out)
    report.check("variants: inspect names them", r and re.search(
        rf"^target +{too_new}.*^or target +{native}.*^or target +x86-64-v3", r.text,
        re.M | re.S), r and r.text[:600])
    r = d.run("bench", out, "-p", "8", "-n", "2", "-r", "1", "--kernels")
    report.check("variants: bench measures the code that runs",
                 r.code == 0 and f"target {native}" in r.text, r.why)
    for targets, words in [("x86-64-v3,x86-64-v3", "'x86-64-v3' is there twice"),
                           ("x86-64-v3,cuda:sm_90a", "CPUs and GPUs"), ("x86-64-v3,", "''"),
                           ("x86-64-v3,pentium", "pentium")]:
        d.error(f"variants: --target={targets}", 2, [words], "compile", args.model, "-o",
                out, f"--target={targets}")
    d.error("variants: not for an object", 2, ["several targets are for a program"],
            "compile", args.model, "-o", out, "--target=x86-64-v3,x86-64-v4", "--emit=obj")
    dumps = folder / "dumps"
    d.good("variants: dumps", "compile", folder / "m00.gguf", "-o", out,
           "--target=x86-64-v3,x86-64-v4", f"--dump-compilation-phases-to={dumps}")
    report.check("variants: a folder of dumps for each",
                 sorted(f.name for f in dumps.iterdir()) == ["x86-64-v3", "x86-64-v4"])


def test_asked_wrongly(report, p, context, vocabulary):
    p.error("no prompt", 2, [])
    p.error("an unknown flag", 2, ["--tmp"], "--tmp", "0")
    p.error("a flag without its value", 2, ["-n"], "-p", "x", "-n")
    p.error("a number that is none", 2, ["12x"], "-p", "x", "-n", "12x")
    p.error("a negative number", 2, ["-t"], "-p", "x", "-t", "-1")
    p.error("no threads", 2, ["-t"], "-p", "x", "-t", "0")
    p.error("a number beyond all bounds", 2, ["99999999999999999999"], "-p", "x",
            "-n", "99999999999999999999")
    p.error("two prompts", 2, ["--prompt-ids"], "-p", "x", "--prompt-ids", "1")
    p.error("a word without a flag", 2, ["hello"], "hello")
    p.error("--chat with ids", 2, ["--chat"], "--chat", "--prompt-ids", "1")
    p.error("ids that are none", 2, ["1,,2"], "--prompt-ids", "1,,2")
    p.error("no ids", 2, ["--prompt-ids"], "--prompt-ids", "")
    p.error("an id outside the vocabulary", 1, [str(vocabulary)], "--prompt-ids",
            f"1,{vocabulary}")
    p.error("a context above the checkpoint's", 1, [str(context), str(context + 1)],
            "--prompt-ids", "1", "-c", context + 1)
    p.error("a prompt that does not fit", 1, ["10", "8"], "--prompt-ids",
            ",".join(["5"] * 10), "-c", "8")
    p.error("a missing prompt file", 1, ["none.txt"], "-f", "none.txt", "-n", "1")
    p.error("logits into a missing folder", 1, ["nowhere"], "--prompt-ids", "1",
            "-n", "1", "--temp", "0", "--output-ids", "--logits-out",
            "nowhere/logits.npy")


def test_output(report, p, folder, vocabulary):
    greedy = ["--temp", "0", "-n", "12", "--ignore-eos"]
    r = p.good("--help", "--help")
    if r:
        words = re.findall(r"--?[a-z][a-z-]*", r.text)
        missing = [f for f in FLAGS if f not in words]
        report.check("--help names every flag", not missing, missing)
    with open("/dev/full", "wb") as full:
        r = subprocess.run([*p.command, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    report.check("--help to a full disk", r.returncode == 1 and harness.one_line(r.stderr)
                 and b"standard output cannot be written: No space left" in r.stderr, r.stderr)
    r = p.good("--version", "--version")
    if r:
        report.check("--version is one line", harness.one_line(r.out), r.text)

    prompt = "Once upon a time, in a village"
    text = p.good("-p", "-p", prompt, *greedy)
    if not text:
        return
    (folder / "prompt.txt").write_text(prompt)
    same = lambda name, r: report.check(name, r and r.out == text.out,
                                        lambda: r and r.text)
    same("-f gives the text of -p", p.good("-f", "-f", folder / "prompt.txt", *greedy))
    same("-f - gives the text of -p", p.good("-f -", "-f", "-", *greedy,
                                             stdin=prompt.encode()))
    r = p.run("-p", prompt, *greedy, "-v")
    line = r.err_text.strip().splitlines()[-1] if r.err.strip() else ""
    found = CLOSING.search(line)
    same("-v changes nothing on stdout", r)
    report.check("-v ends with the closing line", found, line)
    report.check("-v counts decoded tokens", found and found.group(3) == "11", line)

    r = p.good("--output-ids", "-p", prompt, *greedy, "--output-ids")
    if r:
        report.check("--output-ids is one line of 12 ids",
                     re.fullmatch(r"\d+(,\d+){11}\n", r.text), r.text)
    tokenizer = llama_reference.tokenizer(p.model)
    ids = tokenizer.encode(prompt).ids
    again = p.good("--prompt-ids", "--prompt-ids", ",".join(map(str, ids)), *greedy,
                   "--output-ids")
    report.check("-p and --prompt-ids agree", r and again and again.out == r.out,
                 lambda: again and again.text)
    if r:
        new = [int(i) for i in r.text.split(",")]
        want = tokenizer.decode(new, skip_special_tokens=False)
        report.check("the text is that of the ids", text.text.rstrip("\n") ==
                     want.rstrip("\n"), f"{text.text!r}, expected {want!r}")

    for n in (1, 5):
        path = folder / "logits.npy"
        r = p.good(f"--logits-out, -n {n}", "--prompt-ids", "1,2,3", "-n", n,
                   "--temp", "0", "--ignore-eos", "--output-ids", "--logits-out", path)
        if r:
            logits = np.load(path)
            ids = [int(i) for i in r.text.split(",")]
            report.check(f"--logits-out, -n {n}: [P + N - 1, vocabulary]",
                         logits.shape == (2 + n, vocabulary)
                         and logits.dtype == np.float32
                         and logits[2:].argmax(axis=1).tolist() == ids,
                         f"{logits.dtype} {logits.shape}, ids {ids}")


def on_terminal(command, columns, terminal):
    """What a command writes to standard error where that is a terminal."""
    primary, secondary = pty.openpty()
    termios.tcsetwinsize(secondary, (24, columns))
    process = subprocess.Popen([str(c) for c in command], stderr=secondary,
                               stdout=subprocess.DEVNULL,
                               env={**os.environ, "TERM": terminal})
    os.close(secondary)
    pieces = []
    try:
        while piece := os.read(primary, 1 << 16):
            pieces.append(piece)
    except OSError:  # Linux's word for the other side's end
        pass
    os.close(primary)
    process.wait()
    return b"".join(pieces).decode()


def test_terminal(report, args, program, folder):
    """Progress lines: where there are some, how wide, and that they go away."""
    compile_small = [args.corellama, "compile", folder / "m00.gguf",
                     "--compile-to=plan"]
    read_prompt = [program, "--prompt-ids", "5,6,7", "-b", "1", "-n", "0"]
    for name, command, sign in [("driver", compile_small, "phase fuse"),
                                ("program", read_prompt, "2 of 3")]:
        text = on_terminal(command, 200, "xterm")
        report.check(f"{name}: progress on a terminal", sign in text
                     and text.endswith("\x1b[K"), repr(text))
        text = on_terminal(command, 200, "dumb")
        report.check(f"{name}: none on a dumb terminal", text == "", repr(text))
    text = on_terminal(compile_small, 20, "xterm")
    lines = [re.sub(r"\x1b\[\d*[mK]", "", line) for line in text.split("\r")]
    report.check("driver: progress fits the terminal", "phase" in text
                 and max(map(len, lines)) < 20, lines)


def test_ends(report, p):
    """Where generation stops, and what it says then."""
    r = p.run("--prompt-ids", "5,6,7,8,9,10,11,12", "-c", "12", "--temp", "0",
              "--ignore-eos", "--output-ids")
    count = len(r.text.split(","))
    # The last id needs no place in the cache, so one more may come.
    report.check("a full context: exit 0, one line on stderr",
                 r.code == 0 and harness.one_line(r.err) and "12" in r.err_text
                 and count in (4, 5), lambda: f"{count} ids; {r.why()}")
    r = p.run("--prompt-ids", "5,6,7,8", "-c", "4", "-n", "1", "--temp", "0",
              "--ignore-eos", "--output-ids")
    report.check("a prompt that fits exactly", r.code == 0 and r.out, r.why)
    r = p.good("--chat stops by itself", "--chat", "-p",
               "What is the capital of Japan?", "--temp", "0")
    if r:
        report.check("--chat answers", "Tokyo" in r.text and "<|im_" not in r.text,
                     r.text)
    prompt = ["-p", "The best way to learn", "-n", "24", "--ignore-eos"]
    texts = [p.run(*prompt, "-s", s, "-t", t).out
             for s, t in [(7, 1), (7, 2), (7, 3), (8, 1)]]
    report.check("the same seed gives the same text at any -t",
                 texts[0] and texts[0] == texts[1] == texts[2], texts[:3])
    report.check("another seed gives another text", texts[0] != texts[3], texts[3])


def start(command, **kwargs):
    """A process that Ctrl-C ends, as in a terminal: a background job of a shell
    ignores SIGINT and hands that down to its children."""
    return subprocess.Popen(
        command, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **kwargs)


def test_streams(report, p, command, folder):
    """Pipes and signals: what a shell does to a program."""
    process = start(
        [command, "-p", "你好,世界 😀😀", "-n", "80", "--ignore-eos", "--temp", "1.5",
         "-s", "3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pieces = []
    while piece := os.read(process.stdout.fileno(), 1 << 16):
        pieces.append(piece)
    process.wait()
    process.stdout.close()
    process.stderr.close()

    def split(piece):
        try:
            piece.decode()
            return False
        except UnicodeDecodeError as error:
            # Only a piece that breaks off inside of a sequence was split; the
            # model may well emit bytes that are no UTF-8 at all.
            return error.reason == "unexpected end of data"
    report.check("UTF-8 is never split", not any(map(split, pieces[:-1])),
                 next((p for p in pieces[:-1] if split(p)), None))
    report.check("text streams", len(pieces) > 10, f"{len(pieces)} writes")

    process = start(
        [command, "--prompt-ids", "5,6,7", "-n", "4000", "--ignore-eos"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.read(process.stdout.fileno(), 1)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    report.check("a closed pipe is success", process.wait(timeout=120) == 0
                 and err == b"", f"exit code {process.returncode}: {err}")

    with open(folder / "text", "w+b") as out:
        process = start(
            [command, "--prompt-ids", "5,6,7", "-n", "8000", "--ignore-eos", "-v"],
            stdout=out, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while os.fstat(out.fileno()).st_size < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()
        report.check("Ctrl-C: exit 130 with what was written",
                     process.returncode == 130
                     and os.fstat(out.fileno()).st_size >= 20,
                     f"exit code {process.returncode}, "
                     f"{os.fstat(out.fileno()).st_size} bytes")

    path = folder / "interrupted.npy"
    process = start(
        [command, "--prompt-ids", "5,6,7", "-n", "8000", "--ignore-eos",
         "--logits-out", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.read(process.stdout.fileno(), 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    left = [f.name for f in folder.iterdir() if "interrupted" in f.name]
    report.check("Ctrl-C leaves no half-written logits", left in
                 ([], ["interrupted.npy"]) and process.returncode == 130, left)
    if left == ["interrupted.npy"]:
        try:
            rows = np.load(path, mmap_mode="r").shape[0]
            report.check("logits that were written are readable", rows >= 3, rows)
        except ValueError as error:
            report.fail("logits that were written are readable", error)


def test_without_tokenizer(report, args, folder):
    program = folder / "small"
    made = harness.compile_model(args.corellama, folder / "m00.gguf", program)
    if not report.check("a checkpoint without tokenizer compiles", made.code == 0,
                        made.why):
        return
    p = Checker(report, program)
    p.error("text without a tokenizer", 1, ["--prompt-ids"], "-p", "hello")
    p.error("chat without a tokenizer", 1, [], "--chat", "-p", "hello")
    r = p.good("ids without a tokenizer", "--prompt-ids", "1,2,3", "-n", "4",
               "--temp", "0", "--ignore-eos", "--output-ids")
    if r:
        report.check("ids without a tokenizer: four ids",
                     re.fullmatch(r"\d+(,\d+){3}\n", r.text), r.text)


def main():
    args = harness.parser(__doc__.splitlines()[0]).parse_args()
    report = harness.Report()
    model = llama_reference.Model(args.model)
    with harness.Workspace(args.keep) as folder:
        make_models.write_all(folder, 1, only=[0])
        (folder / "text.txt").write_text("this is no checkpoint and no program\n")
        program = folder / "demo"
        made = harness.compile_model(args.corellama, args.model, program)
        if report.check("compiles", made.code == 0 and made.out == b"", made.why):
            p = Checker(report, program)
            p.model = args.model
            test_asked_wrongly(report, p, model.context, model.vocabulary)
            test_output(report, p, folder, model.vocabulary)
            test_ends(report, p)
            test_terminal(report, args, program, folder)
            test_streams(report, p, program, folder)
        test_driver(report, args, folder)
        test_variants(report, args, folder)
        test_without_tokenizer(report, args, folder)
    report.finish()


if __name__ == "__main__":
    main()
