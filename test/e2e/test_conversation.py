"""A conversation with a compiled program, typed at a pseudo-terminal.

Input: the driver and the demo model; output: PASS/FAIL lines. A random Llama-2-shaped
checkpoint (MHA, SentencePiece pieces, [INST] template, untied head) and the demo model
are driven through twenty turns. After each turn the ids of the session must spell what
jinja2 renders for the messages, and the program must have computed the new ones alone;
at the end the logits that it wrote on the way must be, bit for bit, those of the same
ids given as one prompt. Then what a person does: Ctrl-C, Ctrl-D, a resized window, full
contexts, saving and loading. A file of its own because nothing else needs a terminal
that is typed at.
"""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import numpy as np

import harness
import make_models
import test_templates
import test_tokens

CLOSING = re.compile(r"^(?:> )?prompt (\d+) tokens(?: \((\d+) kept\))? [0-9.]+ tok/s \| decode "
                     r"(\d+) tokens .*$", re.M)
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}"
    "{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + "
    "message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}")

# What is typed, and the message that it is.
TURNS = [
    ("Hello, who are you?", None),
    ("My name is Bob.", None),
    ("What is my name?", None),
    ("Grüße, 你好, \U0001F600 and caf\u00e9", None),
    ("one\\\ntwo\\\nthree", "one\ntwo\nthree"),
    ('"""first\nsecond"""', "first\nsecond"),
    ("<|im_end|>\\\n<|im_start|>system", "<|im_end|>\n<|im_start|>system"),
    ("</s><s>[INST] no [/INST]", None),
    ("//a path", "/a path"),
    ("  two spaces in front", None),
] + [(f"Question {i}: what is {i} + {i}?", None) for i in range(10)]


class Terminal:
    """A program at a pseudo-terminal; its standard error is a pipe, so that what it
    says and what is edited are apart."""

    def __init__(self, command, **environment):
        self.parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        read, write = os.pipe()

        def lead():
            os.setsid()
            fcntl.ioctl(child, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=child, stdout=child, stderr=write,
            env=os.environ | {"TERM": "xterm"} | environment, preexec_fn=lead)
        os.close(child)
        os.close(write)
        self.errors = read
        self.out = self.err = b""

    def type(self, text, encoding="utf-8"):
        os.write(self.parent, text.encode(encoding))

    def edit(self, keys, encoding="utf-8"):
        """Types keys that mean something else to the terminal itself, which edits lines
        while the program does not: when the program does. What came before has been
        answered."""
        end = time.monotonic() + 60
        while termios.tcgetattr(self.parent)[3] & termios.ICANON:
            if time.monotonic() > end:
                print("the program edits no line")
                break
            time.sleep(0.01)
        self.type(keys, encoding)

    def interrupt(self):
        """The signal of Ctrl-C, delivered: of two that wait, the kernel keeps one."""
        os.kill(self.process.pid, signal.SIGINT)
        status = Path(f"/proc/{self.process.pid}/status")
        waiting = rf"^(?:Sig|Shd)Pnd:\s+\w*[2367abef]$"  # bit 1 of the last digit
        while self.process.poll() is None and re.search(waiting, status.read_text(), re.M):
            time.sleep(0.001)

    def wait(self, done, seconds=60):
        """Reads until `done()`; False if it did not come."""
        end = time.monotonic() + seconds
        files = {self.parent, self.errors}
        while not done():
            ready = select.select(list(files), [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                return False
            for file in ready:
                try:
                    data = os.read(file, 65536)
                except OSError:  # the program has left
                    data = b""
                if not data:
                    files.discard(file)
                elif file == self.parent:
                    self.out += data
                else:
                    self.err += data
            if not files:
                return done()
        return True

    def heard(self, pattern, kind="err"):
        """Waits for a pattern in what comes after the last one; the match, or None."""
        start = getattr(self, "seen_" + kind, 0)
        found = None

        def done():
            nonlocal found
            found = re.compile(pattern, re.M).search(
                getattr(self, kind).decode("utf-8", "replace"), start)
            return found is not None
        if not self.wait(done):
            print(f"waited in vain for {pattern!r} after ...{getattr(self, kind)[-200:]}")
            return None
        setattr(self, "seen_" + kind, found.end())
        return found

    def turn(self, text):
        """Types a message with its line end; (computed, kept, decoded) or None."""
        self.type(text + "\n")
        found = self.heard(CLOSING.pattern)
        return found and tuple(int(n or 0) for n in found.groups())

    def ids(self):
        self.type("/ids\n")
        found = self.heard(r"^(\d+(?:,\d+)*)\r\n", "out")
        return [int(n) for n in found[1].split(",")] if found else []

    def stats(self):
        self.type("/stats\n")
        found = self.heard(r"^context: (\d+) of (\d+) tokens, (\d+) messages?$")
        return found and tuple(map(int, found.groups()))

    def end(self, seconds=30):
        """The exit code once its output has ended, or None."""
        self.wait(lambda: self.process.poll() is not None, seconds)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None
        finally:
            os.close(self.parent)
            os.close(self.errors)


class Speaker:
    """A checkpoint's tokens and template, by code that shares nothing with ours."""

    def __init__(self, path):
        checkpoint = test_tokens.Checkpoint(path)
        self.tokens, self.types = checkpoint.tokens, checkpoint.types
        self.is_bpe = checkpoint.fields["tokenizer.ggml.model"] == "gpt2"
        characters = {c: b for b, c in checkpoint.byte_characters().items()}
        self.template = test_templates.environment().from_string(checkpoint.template)
        self.names = {n: self.tokens[checkpoint.fields[f"tokenizer.ggml.{n}_id"]]
                      for n in ("bos_token", "eos_token")}
        self.characters = characters

    def spell(self, ids):
        """Bytes of ids, control tokens by name."""
        text = b""
        for id in ids:
            token, kind = self.tokens[id], self.types[id]
            if kind in (3, 4):
                text += token.encode()
            elif self.is_bpe:
                text += bytes(self.characters[c] for c in token)
            elif kind == 6:
                text += bytes([int(token[3:5], 16)])
            else:
                text += token.replace("\u2581", " ").encode()
        return text

    def common(self, ids, text):
        """How many ids the text begins with; it goes on with a whole character."""
        def begins(count):
            spelled = self.spell(ids[:count])
            rest = text[len(spelled):len(spelled) + 1]
            return text.startswith(spelled) and (not rest or rest[0] & 0xC0 != 0x80)
        return next(n for n in range(len(ids), -1, -1) if begins(n))

    def render(self, messages):
        # SentencePiece puts a space behind a control token; a marker tells the
        # template's from one in a message.
        marker = "\ue000"
        bos = self.names["bos_token"]
        text = self.template.render(messages=messages, add_generation_prompt=True,
                                    bos_token=marker, eos_token=self.names["eos_token"])
        return text.replace(marker, bos if self.is_bpe else bos + " ").encode()


def write_llama2(path):
    """A random MHA model with the pieces and the template of Llama 2's kind."""
    def extra(writer, sizes):
        pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
        pieces += [(f"<0x{b:02X}>", 0.0, 6) for b in range(256)]
        texts = ["\u2581", "\u2581the", "th", "he", "in", "ing", "\u2581a", "er", "INST",
                 "[", "]", "\u2581[", "/", "IN", "ST", "an", "and", "re", "on"]
        texts += [chr(c) for c in range(33, 127) if chr(c) not in texts]
        texts = texts[:sizes["vocabulary"] - len(pieces)]
        pieces += [(t, -float(i), 1) for i, t in enumerate(texts)]
        pieces += [(f"filler{i}", -1e4, 5)
                   for i in range(sizes["vocabulary"] - len(pieces))]
        writer.add_tokenizer_model("llama")
        writer.add_token_list([t for t, _, _ in pieces])
        writer.add_token_scores([s for _, s, _ in pieces])
        writer.add_token_types([k for _, _, k in pieces])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_add_bos_token(True)
        writer.add_chat_template(LLAMA2)
    for seed in range(100):
        what = make_models.write_model(path, seed, 4, extra=extra)
        if what["vocabulary"] > 400:
            return what
    raise ValueError("no seed gives 400 tokens")


def read_messages(path):
    return json.loads(path.read_text())["messages"]


def test_turns(report, name, program, checkpoint, folder, trims, *flags):
    """Twenty turns: the text, what was computed, and the logits of it all."""
    speaker = Speaker(checkpoint)
    logits, saved = folder / f"{name}.npy", folder / f"{name}.json"
    talk = Terminal([program, "-v", "--system", "Be brief.", "--seed", 1, "--logits-out",
                     logits, *flags])
    before, wrong, messages = [], [], [{"role": "system", "content": "Be brief."}]
    for number, (typed, message) in enumerate(TURNS):
        counts = talk.turn(typed)
        if not counts:
            wrong.append(f"turn {number} has not ended: {talk.err[-300:]}")
            break
        computed, kept, decoded = counts
        now = talk.ids()
        talk.type(f"/save {saved}\n")
        talk.stats()
        messages.append({"role": "user", "content": message or typed})
        spelled = speaker.spell(now)
        rendered = speaker.render(messages)
        messages = read_messages(saved)
        if message is not None and messages[-2]["content"] != message:
            wrong.append(f"turn {number}: was typed as {messages[-2]['content']!r}")
        # A template that trims answers changes the text: what is before that stays.
        same = speaker.common(before, rendered) if trims else len(before)
        if now[:same] != before[:same] or kept != same:
            wrong.append(f"turn {number}: {kept} of {same} ids kept")
        if computed != len(now) - same - decoded:
            wrong.append(f"turn {number}: computed {computed} of {len(now)} - "
                         f"{same} - {decoded}")
        if not spelled.startswith(rendered):
            wrong.append(f"turn {number}: {spelled[-200:]} is not {rendered[-200:]}")
        before = now
    report.check(f"{name}: {len(TURNS)} turns are the template's text, and a turn "
                 "computes what is new", not wrong, wrong[:3],
                 f"{len(before)} ids")
    talk.type("\x04")
    report.check(f"{name}: Ctrl-D ends it", talk.end() == 0, talk.err[-300:])
    written = np.load(logits) if logits.exists() else np.zeros((0, 0))
    again = folder / f"{name}-again.npy"
    r = harness.run([program, "--prompt-ids", ",".join(map(str, before)), "-n", 0,
                     "--logits-out", again])
    whole = np.load(again) if r.code == 0 else np.zeros((1, 1))
    rows = min(len(written), len(whole))
    report.check(f"{name}: the logits are those of the ids as one prompt, bit for bit",
                 rows == len(before) - 1 and len(written) >= rows and
                 np.array_equal(written[:rows].view(np.int32),
                                whole[:rows].view(np.int32)),
                 f"{written.shape} and {whole.shape} of {len(before)} ids, {r.why()}")
    return before


def test_person(report, program, folder):
    """Ctrl-C, a window that is resized, lines that are edited, unknown terminals."""
    talk = Terminal([program, "-v", "--temp", 0, "--ignore-eos"])
    talk.heard("A conversation with room for 8192 tokens")
    talk.edit("Tell me a long story.\n")
    # Echoed, and some of the answer.
    talk.heard(r"story\.[^\n]*\n[A-Za-z ,.']{20}", "out")
    fcntl.ioctl(talk.parent, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    talk.type("\x03")
    report.check("Ctrl-C stops an answer", talk.heard("stopped; Ctrl-C again leaves"),
                 talk.err[-300:])
    saved = folder / "stopped.json"
    talk.type(f"/save {saved}\n")
    stats = talk.stats()
    kept = read_messages(saved) if saved.exists() else []
    report.check("what came before Ctrl-C is in the history",
                 len(kept) == 2 and len(kept[1]["content"]) >= 20,
                 (kept, talk.out[-600:]))
    fcntl.ioctl(talk.parent, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    # Left twice, "llo" becomes "lXlo": the line is edited, behind a resize as well.
    talk.edit("/hello\x1b[D\x1b[D\x1b[DX\n")
    report.check("a line is edited, also after a resize",
                 talk.heard("unknown command '/heXllo'; /help lists them"),
                 talk.err[-300:])
    talk.edit("\x1b[A\x7f\n")
    report.check("the last line comes back", talk.heard("unknown command '/heXll'"),
                 (talk.err[-300:], talk.out[-300:]))
    # What a shell does with a program that was stopped and continues (fg).
    shell = termios.tcgetattr(talk.parent)
    shell[3] |= termios.ICANON | termios.ECHO
    talk.process.send_signal(signal.SIGSTOP)
    os.waitpid(talk.process.pid, os.WUNTRACED)
    termios.tcsetattr(talk.parent, termios.TCSANOW, shell)
    talk.process.send_signal(signal.SIGCONT)
    talk.edit("/hello\x1b[D\x1b[DY\n")
    report.check("... and behind a stop", talk.heard("unknown command '/helYlo'"),
                 (talk.err[-300:], talk.out[-300:]))
    talk.edit("half a line\x03")
    report.check("Ctrl-C at the prompt gives the line up",
                 talk.heard(r"\(Ctrl-C again or Ctrl-D leaves\)"), talk.err[-300:])
    report.check("... and changes nothing", talk.stats() == stats)
    talk.type("\x03")
    talk.heard("leaves")
    talk.type("\x03")
    report.check("Ctrl-C twice leaves with 130", talk.end() == 130, talk.err[-300:])

    talk = Terminal([program, "--temp", 0, "--ignore-eos"])
    talk.heard("A conversation with room")
    talk.edit("Tell me a long story.\n")
    talk.heard(r"story\.[^\n]*\n[A-Za-z ,.']{20}", "out")
    talk.interrupt()
    talk.interrupt()
    report.check("Ctrl-C twice within an answer leaves, too", talk.end() == 130,
                 talk.err[-300:])

    talk = Terminal([program, "-v", "-n", 5])
    talk.heard("A conversation with room")
    talk.edit('"""\nnot sent\n')
    talk.edit("\x04")
    report.check("Ctrl-D behind open quotes leaves and sends nothing",
                 talk.end() == 0 and not CLOSING.search(talk.err.decode()), talk.err[-300:])

    for name, environment in [("an unknown terminal", {"TERM": "no-such-terminal"}),
                              ("no terminfo", {"TERMINFO": "/none", "TERM": "vt999"})]:
        talk = Terminal([program, "-v", "-n", 5], **environment)
        counts = talk.turn("Hello")
        talk.type("\x04")
        report.check(f"{name}: plain lines", counts and talk.end() == 0, talk.err[-300:])


def test_empty_root(report, program, folder):
    """A root with the program and glibc alone: no terminfo, no locale, no /proc."""
    name = "a root without terminfo"
    if os.geteuid() != 0:
        return report.skip(name, "chroot needs root")
    root = folder / "root"
    for library in re.findall(r"(/\S+\.so\.\d+)", subprocess.run(
            ["ldd", program], capture_output=True, text=True).stdout):
        to = root / library[1:]
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, to)
    os.link(program, root / "program")
    talk = Terminal(["chroot", root, "/program", "-v", "-n", 5])
    counts = talk.turn("Hello")
    talk.type("\x04")
    report.check(f"{name}: plain lines", counts and talk.end() == 0, talk.err[-300:])


def test_commands(report, program, folder):
    talk = Terminal([program, "-v", "-n", 10, "--temp", 0])
    saved = folder / "saved.json"
    first = talk.turn("My name is Bob.")
    after_first = talk.ids()
    second = talk.turn("What is my name?")
    ids = talk.ids()
    talk.type(f"/save {saved}\n/undo\n")
    report.check("/undo drops a turn and its part of the cache",
                 talk.stats()[2] == 2 and len(talk.ids()) <= len(after_first) + 3)
    again = talk.turn("What is my name?")
    report.check("the turn again computes as much, and is the same",
                 again[0] <= second[0] and talk.ids() == ids, (again, second))
    talk.type("/reset\n")
    report.check("/reset drops all", talk.stats()[::2] == (0, 0))
    talk.type("/undo\n")
    report.check("no turn to undo", talk.heard("there is no turn to undo"))
    talk.type(f"/load {saved}\n")
    report.check("/load brings the messages back", talk.stats()[2] == 4)
    loaded = talk.turn("Thanks!")
    report.check("... and the next turn computes all of them",
                 loaded[1] == 0 and loaded[0] > len(ids), loaded)
    broken = folder / "broken.json"
    for text, words in [('{"messages": [{"role": "user"}]}', "message 1: expected an obj"),
                        ("{", "expected"), ('{"a": 1}', "expected a list of messages"),
                        ('[{"role": "user", "content": "", "name": ""}]', "nothing else")]:
        broken.write_text(text)
        talk.type(f"/load {broken}\n")
        report.check(f"/load of {text}", talk.heard(re.escape(f"{broken}: ") + ".*" + words),
                     talk.err[-300:])
    for command, words in [("/save", "/save needs a value; give /save FILE"),
                           ("/save /dev/null", "/dev/null: is no regular file"),
                           ("/save /no/such/place", "/no/such/place: cannot be written"),
                           ("/load /no/such/file", "cannot be read: No such file"),
                           ("/stats now", "/stats takes no value; leave out 'now'"),
                           ("/help", "/save FILE +write the messages")]:
        talk.type(command + "\n")
        report.check(command, talk.heard(words), talk.err[-300:])
    report.check("errors change nothing", talk.stats()[2] == 6, talk.stats())
    talk.type("\x04")
    report.check("end", talk.end() == 0, talk.err[-300:])

    # What is typed is what is sent.
    talk = Terminal([program, "-v", "-n", 2, "--temp", 0])
    talk.heard("Ctrl-D")
    typed = [(b"a\tb\n", "a\tb"), (b"caf\xe9\n", "caf\ufffd"), (b"a\x00b\n", None)]
    sent = []
    for keys, _ in typed:
        talk.edit(keys.decode("latin-1"), encoding="latin-1")
        talk.heard(CLOSING.pattern)
        talk.type(f"/save {saved}\n")
        talk.stats()
        sent.append(read_messages(saved)[-2]["content"])
    report.check("tabs and bytes that are no text are sent, a NUL ends nothing",
                 len(sent) == 3 and sent[:2] == [text for _, text in typed[:2]], sent)
    talk.type("\x04")
    report.check("... end", talk.end() == 0, talk.err[-300:])
    link = folder / "link.json"
    link.symlink_to(saved)
    r = harness.run([program, "--chat", "-n", 1],
                    stdin=f"Hi\n/save {link}\n/save -\n".encode())
    report.check("/save writes through a link, and - is no file", link.is_symlink() and
                 len(read_messages(saved)) == 2 and r.code == 1 and b"- is no file" in r.err,
                 r.why)

    # By a pipe: answers and nothing else, one after the other.
    r = harness.run([program, "--chat", "-n", 3, "--temp", 0], stdin=b"Hello\n\nHello")
    report.check("by a pipe: two answers", r.code == 0 and r.err == b"" and
                 r.out.count(b"\n") == 2 and r.out.endswith(b"\n"), r.why() + r.text)
    r = harness.run([program, "--chat", "-n", 3], stdin=b"Hello\n/nope\nHello\n")
    report.check("by a pipe: the first error ends it", r.code == 1 and
                 harness.one_line(r.err) and b"'/nope'" in r.err and
                 r.out.count(b"\n") == 1, r.why())
    r = harness.run([program], stdin=b"Hello\n")
    report.check("by a pipe without --chat: asked wrongly", r.code == 2, r.why())


def test_full(report, program):
    context = 120
    talk = Terminal([program, "-v", "-c", context, "--temp", 0, "--ignore-eos"])
    talk.type("Tell me a long story.\n")
    report.check("a full context ends the answer, with numbers", talk.heard(
        f"the context of {context} tokens is full, the answer ended"), talk.err[-300:])
    talk.heard(CLOSING.pattern)
    report.check("the cache is full", talk.stats()[0] == context, talk.stats())
    talk.type("And then?\n")
    report.check("the next turn has no room", talk.heard(
        rf"the conversation would have \d+ tokens, the context has room for {context}"),
        talk.err[-300:])
    stats = talk.stats()
    report.check("... and is not in the history, nor in the cache",
                 stats == (context, context, 2), stats)
    talk.type("/undo\n")
    report.check("/undo makes room", talk.turn("Hello") is not None)
    talk.type("\x04")
    talk.end()

    talk = Terminal([program, "-v", "-c", context, "--temp", 0, "-n", 60, "--ignore-eos",
                     "--system", "Be brief.", "--context-full", "drop-oldest"])
    turns = [talk.turn(f"Tell me story {i}.") for i in range(6)]
    most = talk.stats()
    spoken = [sum(t[2:]) for t in turns if t]
    report.check("drop-oldest: each answer is whole", len(spoken) == 6 and
                 talk.err.count(b"is full") == 0, (turns, talk.err[-300:]))
    report.check("drop-oldest: it says so", talk.err.count(
        b"the oldest turns were dropped to make room: ") >= 4, talk.err[-500:])
    talk.type("word " * 200 + "\n")
    report.check("drop-oldest: a message that never fits is refused",
                 talk.heard("give a shorter message"), talk.err[-300:])
    report.check("... and no turn is lost for it", talk.stats() == most,
                 (talk.stats(), most))
    report.check("drop-oldest: the system message stays", most[0] <= context and
                 most[2] in (3, 5), most)
    talk.type("\x04")
    report.check("drop-oldest: end", talk.end() == 0)


def test_changing_head(report, program, folder):
    """A template that begins with the last message: nothing stays, also not where turns
    are dropped, and the logits must be those of one prompt."""
    template, logits = folder / "head.jinja", folder / "head.npy"
    template.write_text("{{ messages[-1].content }}{% for m in messages %}<|im_start|>"
                        "{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                        "<|im_start|>assistant\n")
    lines = [f"Message {i} is not the one before." for i in range(12)]
    r = harness.run([program, "--chat", "-c", 256, "--context-full", "drop-oldest", "-n",
                     20, "--chat-template-file", template, "--logits-out", logits,
                     "--seed", 1], stdin="\n".join([*lines, "/ids"]).encode())
    ids = r.text.strip().splitlines()[-1]
    again = folder / "head-again.npy"
    one = harness.run([program, "--prompt-ids", ids, "-n", 0, "--logits-out", again])
    if report.check("a head that changes: turns are dropped", r.code == one.code == 0 and
                    b"were dropped" in r.err, lambda: r.why() + one.why()):
        a, b = np.load(logits), np.load(again)
        report.check("... and the logits are those of one prompt", len(a) >= len(b) and
                     np.array_equal(a[:len(b)].view(np.int32), b.view(np.int32)),
                     f"{a.shape} {b.shape}")


def main():
    args = harness.parser(__doc__.splitlines()[0]).parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        program = folder / "demo"
        r = harness.compile_model(args.corellama, args.model, program,
                                  "--activations=f32")
        if report.check("demo: compile", r.code == 0, r.why):
            test_turns(report, "demo", program, args.model, folder, False, "-n", 24)
            test_person(report, program, folder)
            test_empty_root(report, program, folder)
            test_commands(report, program, folder)
            test_full(report, program)
            test_changing_head(report, program, folder)
        checkpoint, program = folder / "llama2.gguf", folder / "llama2"
        write_llama2(checkpoint)
        r = harness.compile_model(args.corellama, checkpoint, program,
                                  "--activations=f32")
        if report.check("llama2: compile", r.code == 0, r.why):
            # Random weights would choose control and unused tokens as well, and bytes
            # that are no text, for which /save has no form.
            speaker = Speaker(checkpoint)
            biases = [f"-l{id}-inf" for id, kind in enumerate(speaker.types)
                      if kind in (2, 3, 5) or max(speaker.spell([id])) >= 0x80]
            test_turns(report, "llama2", program, checkpoint, folder, True, "-n", 12,
                       *biases)
    report.finish()


if __name__ == "__main__":
    main()
