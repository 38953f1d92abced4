"""Text without a model: corellama tokenize, detokenize and render, and what programs do alike.

Input: the driver, the demo model and a folder to keep downloads in; output: PASS/FAIL lines
and a closing `N passed, N failed`. A text comes back byte for byte, its ids' places cover it,
a program computes the same ids, and a conversation through `render` is what PyPI's `jinja2`
writes. The vocabularies and templates are those that llama.cpp keeps. Input that is broken
ends in one line. A file of its own because it is about commands: test_tokens, _sentencepiece
and _templates compare the code behind them with other implementations in depth.

    python test_text.py --corellama build/bin/corellama --model MODEL.gguf --folder build/templates
"""

import json
import random
import re
import subprocess
from pathlib import Path

import harness
import make_models
import test_cli
import test_templates

VOCABULARIES = ["llama-spm", "phi-3", "llama-bpe", "gpt-2", "qwen2"]
TEXTS = [b"", b"Hello", b" Hello  w\xc3\xb6rld \n\n", b"  ", b"\n", b"\xe2\x96\x81x", b"a\0b\0",
         "你好 \U0001f600\U0001f468\u200d\U0001f469".encode(), b"\xff\xfe\x80 x\xc3", b"<s></s><|im_end|> [INST]",
         bytes(range(256)), b"1234567890 aaaaaaaaaaaaaaaaaaaa    \t\r\n"]
CONVERSATION = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": " Hi"},
                {"role": "assistant", "content": "Hello "}, {"role": "user", "content": "Who?"}]
# What the models' documentation gives for CONVERSATION. Of Mistral's, the spaces behind <s> and
# </s> are left out, which SentencePiece adds.
FORMATS = {
    "chatml": "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\n Hi<|im_end|>\n"
              "<|im_start|>assistant\nHello <|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
              "<|im_start|>assistant\n",
    "llama2": "<s>[INST] <<SYS>>\nBe kind\n<</SYS>>\n\n Hi [/INST] Hello </s><s>[INST] Who? [/INST]",
    "llama3": "<s><|start_header_id|>system<|end_header_id|>\n\nBe kind<|eot_id|>"
              "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
              "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
              "<|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|>"
              "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "zephyr": "<|system|>\nBe kind</s>\n<|user|>\n Hi</s>\n<|assistant|>\nHello </s>\n"
              "<|user|>\nWho?</s>\n<|assistant|>\n",
    "mistral": "<s>[INST] Be kind\n\n Hi [/INST] Hello </s>[INST] Who? [/INST]"}


class Checker:
    def __init__(self, report, command):
        self.report, self.command = report, [command]

    def run(self, *arguments, **kwargs):
        return harness.run([*self.command, *arguments], **kwargs)

    def error(self, name, code, message, *arguments, **kwargs):
        """Fails with `code`, nothing on stdout, and one line that ends in `message`."""
        r = self.run(*arguments, **kwargs)
        good = r.code == code and not r.out and harness.one_line(r.err) \
            and r.err_text.endswith(message + "\n")
        return self.report.check(name, good, lambda: f"{r.why()}, expected {code}: {message}")

    def good(self, name, *arguments, **kwargs):
        r = self.run(*arguments, **kwargs)
        return r if self.report.check(name, r.code == 0 and not r.err, r.why) else None


def test_round_trip(report, d, path, name):
    """Each text to its ids and back; the places of the ids are the text, in order."""
    for i, text in enumerate(TEXTS):
        label = f"{name}: {text[:20]!r}"
        listed = d.run("tokenize", path, "-f", "-", "--json", stdin=text)
        if not report.check(f"{label} has ids", listed.code == 0, listed.why):
            continue
        tokens = json.loads(listed.out)
        ids = ",".join(str(t["id"]) for t in tokens)
        lost = int(re.search(r"note: (\d+) byte", listed.err_text)[1]) if listed.err else 0
        places = [(t["begin"], t["end"]) for t in tokens]
        inside = sum(end - begin for begin, end in places)
        in_order = all(0 <= a[0] <= a[1] <= b[0] for a, b in zip(places, places[1:]))
        report.check(f"{label}: the places cover it", in_order and inside == len(text) - lost
                     and (not places or places[-1][1] <= len(text)), places)
        if lost:
            continue
        # SentencePiece writes a space as U+2581, and takes one for the other.
        want = text.replace("\u2581".encode(), b" ") if name in ("llama-spm", "phi-3") else text
        back = d.run("detokenize", path, "-f", "-", stdin=ids.encode())
        report.check(f"{label} comes back", back.code == 0 and back.out == want,
                     lambda: f"{back.out!r}; {back.why()}")
        if i == 1:  # without --json the same, and ids may be separated by anything
            for source in (["-p", text.decode()], ["-f", "-"]):
                r = d.run("tokenize", path, *source, stdin=text)
                report.check(f"{label}: ids by {source[0]}", r.text == ids + "\n", r.text)
            r = d.run("detokenize", path, "--ids", "\n " + ids.replace(",", "  ") + " ")
            report.check(f"{label}: ids by spaces", r.out == text, r.why)


def test_bos(report, d, vocabularies):
    spm, gpt2 = vocabularies["llama-spm"], vocabularies["gpt-2"]
    for path, arguments, want in [(spm, [], "1,15043\n"), (spm, ["--no-bos"], "15043\n"),
                                  (gpt2, [], "15496\n")]:
        r = d.run("tokenize", path, "-p", "Hello", *arguments)
        report.check(f"ids of Hello {arguments} by {path.name}", r.text == want, r.text)
    r = d.run("tokenize", spm, "-p", " Hello", "--json")
    want = [["<s>", 0, 0], ["\u2581", 0, 0], ["\u2581Hello", 0, 6]]
    got = [[t["piece"], t["begin"], t["end"]] for t in json.loads(r.out)]
    report.check("pieces and places", got == want, got)
    r = d.run("detokenize", spm, "--ids", "1,15043,2,15043", "--special")
    report.check("detokenize --special", r.text == "<s>Hello</s>Hello", r.text)


def test_program(report, d, program, model):
    """What a compiled program does with a text, and what the commands say of it."""
    p = Checker(report, program)
    end = ["-n", "8", "--temp", "0", "--ignore-eos"]
    for text in ["Once upon a time", " <|im_end|> caf\u00e9 \u2615"]:
        ids = d.run("tokenize", program, "-p", text)
        report.check(f"program and checkpoint agree on {text!r}",
                     ids.code == 0 and ids.out == d.run("tokenize", model, "-p", text).out, ids.why)
        by_text, by_ids = p.run("-p", text, *end), p.run("--prompt-ids", ids.text.strip(), *end)
        report.check(f"{text!r} by its ids is {text!r}", by_text.code == 0 and by_text.out
                     and by_text.out == by_ids.out, by_ids.why)
    r = d.good("inspect a program's text", "inspect", program)
    lines = ["text        byte-level BPE (smollm), 49152 tokens",
             "bos         1 '<|im_start|>', not in front of a text", "eos         2 '<|im_end|>'",
             "answer ends 0 '<|endoftext|>', 2 '<|im_end|>'", "chat        chatml template, 368 bytes, another without a system message"]
    for path in (program, model):
        r = d.good(f"inspect {path.name}", "inspect", path)
        report.check(f"inspect {path.name}: its text", r and "\n".join(lines) in r.text, lines)
        r = d.good(f"the template of {path.name}", "inspect", path, "--template")
        report.check(f"the template of {path.name} as it is", r and len(r.out) == 368
                     and r.text.startswith("{% for message in messages %}"), lambda: r.text)
        r = d.good(f"inspect {path.name} as JSON", "inspect", path, "--json")
        got = r and json.loads(r.out)["text"]
        report.check(f"inspect {path.name} as JSON: its text", got and got["reads_chats"]
                     and got["eos"] == {"id": 2, "text": "<|im_end|>"}
                     and [e["id"] for e in got["ends"]] == [0, 2], got)


def with_vocabulary(**keys):
    """What make_models adds to a small model: a SentencePiece vocabulary of characters, and keys."""
    def extra(writer, sizes):
        tokens = ["<unk>", "<s>", "</s>", "\u2581"] + [chr(c) for c in range(33, 127)]
        tokens += [f"piece{i}" for i in range(sizes["vocabulary"] - len(tokens))]
        writer.add_tokenizer_model(keys.get("model", "llama"))
        writer.add_token_list(tokens)
        writer.add_token_scores([-float(i) for i in range(len(tokens))])
        writer.add_token_types([2, 3, 3] + [1] * (len(tokens) - 3))
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_add_eos_token("adds_eos" in keys)
        if "chat_template" in keys:
            writer.add_chat_template(keys["chat_template"])
    return extra


def test_chats(report, d, program, folder):
    """Flags of programs about chats and control tokens, beside the commands."""
    p, end = Checker(report, program), ["-n", "6", "--temp", "0", "--output-ids"]
    chat = folder / "chat.json"

    def rendered(name, flags, messages, *render):
        """--chat gives what the ids of the rendered text give."""
        chat.write_text(json.dumps(messages))
        text = d.good(f"{name}: render", "render", program, "--messages", chat, *render)
        ids = text and d.good(f"{name}: tokenize", "tokenize", program, "--parse-special", "--no-bos",
                              "-f", "-", stdin=text.out)
        want = ids and p.run("--prompt-ids", ids.text.strip(), *end)
        got = p.run("--chat", "-p", messages[-1]["content"], *flags, *end)
        report.check(f"{name}: the program's chat is the commands'", want and got.code == 0
                     and want.out and got.out == want.out, got.why)
        return got

    user = [{"role": "user", "content": "Name a colour"}]
    rendered("own template", [], user)
    rendered("--system", ["--system", "Be kind"], [{"role": "system", "content": "Be kind"}, *user])
    rendered("--chat-template", ["--chat-template", "chatml"], user, "--chat-template", "chatml")
    own = folder / "own.jinja"
    own.write_text("{% for m in messages %}<|im_start|>{{ m.role }}{{ mood }}\n{{ m.content }}"
                   "<|im_end|>\n{% endfor %}")
    rendered("--chat-template-file", ["--chat-template-file", own, "--template-kwargs",
             '{"mood": "!"}'], user, "--template", own, "--template-kwargs", '{"mood": "!"}')
    r = p.run("--chat", "-p", "Hi", "--chat-template", "llama3", *end)
    report.check("markers that are no control tokens are noted", r.code == 0 and
                 r.err_text.count("\n") == 2 and "this model has no control token <|start_header_id|>, "
                 "<|end_header_id|>, <|eot_id|>, so messages can imitate these markers of "
                 "--chat-template llama3" in r.err_text, r.err_text)
    raw = p.run("-p", "<|im_start|>user", "--parse-special", *end)
    ids = d.run("tokenize", program, "-p", "user")
    want = p.run("--prompt-ids", f"1,{ids.text.strip()}", *end)
    report.check("--parse-special", raw.code == 0 and raw.out and raw.out == want.out, raw.why)
    r = d.run("tokenize", program, "-p", "a<|im_end|>b", "--parse-special", "--json")
    places = [(t["begin"], t["end"]) for t in json.loads(r.out)]
    report.check("places of control tokens", places == [(0, 1), (1, 11), (11, 12)], places)

    marker = ["--chat", "--chat-template", "llama2", "--refuse-markers"]
    p.error("--refuse-markers", 1, "demo: --chat: message 1 (user) has '[/INST]', which the chat template "
            "writes around messages; take it out, or leave --refuse-markers out", *marker, "-p",
            "a [/INST] b")
    r = p.run(*marker, "-p", "a [INST b", *end)
    report.check("--refuse-markers takes other texts", r.code == 0, r.why)
    p.error("--template-kwargs that are no JSON", 1, "--template-kwargs: byte 6 of the JSON: expected a "
            "value, found 'tru}'", "--chat", "-p", "x", "--template-kwargs", '{"a": tru}')
    p.error("a missing template file", 1, "none.jinja: cannot be read: No such file or directory; give "
            "a file with a Jinja template", "--chat", "-p", "x", "--chat-template-file", "none.jinja")
    own.write_text("{% endfor %}")
    p.error("a malformed template file", 1, "--chat-template-file: line 1: unknown statement 'endfor'; give "
            "another one by --chat-template, or leave --chat out", "--chat", "-p", "x",
            "--chat-template-file", own)


def test_compile_notes(report, d, folder):
    """What compile says of text: to people always, to scripts where something is amiss."""
    path, program = folder / "small.gguf", folder / "small"
    unknown = "tokenizer.ggml.model: 'words', expected 'gpt2' (byte-level BPE) or 'llama' " \
              "(SentencePiece)"
    malformed = "tokenizer.chat_template: line 1: unknown statement 'endfor'"
    missing = "tokenizer.chat_template: missing, expected a Jinja template"
    for keys, notes, lines in [
            ({}, [], ["text: SentencePiece, N tokens", f"note: chat: no ({missing})"]),
            ({"chat_template": "{{ messages }}"}, [], ["text: SentencePiece, N tokens",
                                                       "chat: a template of 14 bytes"]),
            ({"chat_template": "{% endfor %}"}, [f"note: chat: no ({malformed})"],
             ["text: SentencePiece, N tokens", f"note: chat: no ({malformed})"]),
            ({"model": "words"}, [f"note: text: no ({unknown})"],
             [f"note: text: no ({unknown})", "note: chat: no (the program reads no text)"])]:
        make_models.write_model(path, 1, 0, extra=with_vocabulary(**keys))
        r = harness.compile_model(d.command[0], path, program)
        want = "".join(f"corellama: {note}\n" for note in notes)
        report.check(f"compile {keys}: notes", r.code == 0 and r.err_text == want, r.err_text)
        text = test_cli.on_terminal([*d.command, "compile", path, "-o", program], 200, "xterm")
        shown = re.sub(r"\d+ tokens", "N tokens", text.split("\x1b[K")[-1]).splitlines()
        report.check(f"compile {keys}: on a terminal", shown == [f"corellama: {line}" for line in lines],
                     shown)
    for name, source in named_sources().items():
        make_models.write_model(path, 1, 0, extra=with_vocabulary(chat_template=source + "{# #}"))
        r = d.run("inspect", path)
        report.check(f"inspect names {name}", f"chat        {name} template, {len(source) + 5} bytes\n"
                     in r.text, lambda: r.text)
    make_models.write_model(path, 1, 0, extra=with_vocabulary())
    harness.compile_model(d.command[0], path, program)
    p = Checker(report, program)
    p.error("a chat without a template", 1, f"{missing}; name one by --chat-template (chatml, llama2, "
            "llama3, zephyr, mistral), or give its text by --chat-template-file", "--chat", "-p", "x")
    r = p.run("--chat", "-p", "Hi", "--chat-template", "llama2", "-n", "4", "--output-ids")
    report.check("a chat by --chat-template alone", r.code == 0 and "imitate" in r.err_text, r.why)


def test_frame(report, d, folder):
    """A checkpoint whose texts end with EOS."""
    path, program = folder / "framed.gguf", folder / "framed"
    make_models.write_model(path, 1, 0, extra=with_vocabulary(adds_eos=True))
    harness.compile_model(d.command[0], path, program)
    p, greedy = Checker(report, program), ["--temp", "0", "-n", "4", "--ignore-eos", "--output-ids"]
    inner = d.run("tokenize", path, "-p", "ab", "--no-bos").text.strip()
    framed = f"1,{inner},2"
    for arguments, want in [(["-p", "ab"], framed), (["-p", ""], "1,2"),
                            (["-p", "<s>ab</s>", "--parse-special"], framed)]:
        for file in (path, program):
            r = d.run("tokenize", file, *arguments)
            report.check(f"{file.name}: {arguments} between BOS and EOS", r.text == want + "\n", r.text)
        by_text, by_ids = p.run(*arguments, *greedy), p.run("--prompt-ids", want, *greedy)
        report.check(f"a program's {arguments} between BOS and EOS", by_ids.code == 0 and by_ids.out
                     and by_text.out == by_ids.out, by_text.why)
    r = d.run("tokenize", path, "-p", "ab", "--json")
    got = [[t["piece"], t["begin"], t["end"]] for t in json.loads(r.out)]
    report.check("BOS and EOS stand for no bytes", got[0] == ["<s>", 0, 0] and got[-1] == ["</s>", 2, 2]
                 and got[-2][2] == 2, got)
    r = d.run("inspect", program)
    report.check("inspect shows that EOS is added", "'</s>', behind a text\n" in r.text, r.text)


def named_sources():
    """The named templates' sources, in the order of FORMATS."""
    text = (test_templates.ROOT / "runtime/Templates/NamedTemplates.cpp").read_text()
    return dict(zip(FORMATS, re.findall(r'R"\((.*?)\)"', text, re.S), strict=True))


def test_broken(report, d, vocabularies, folder):
    spm = vocabularies["llama-spm"]
    expected = ", expected token ids from 0 to 31999 separated by commas or white space"
    for ids, what in [("1,,2", "id 2 is ''"), ("1 x", "id 2 is 'x'"), ("-1", "id 1 is '-1'"),
                      ("3,", "id 2 is ''"), ("1;2", "id 1 is '1;2'"),
                      ("32000", "id 1 is '32000', outside of the vocabulary"),
                      ("9" * 30, f"id 1 is '{'9' * 30}'")]:
        d.error(f"ids {ids[:9]}", 1, f"--ids: {what}{expected}", "detokenize", spm, "--ids", ids)
    d.error("ids with a NUL byte", 1, "standard input: id 2 is '\\x00'" + expected,
            "detokenize", spm, "-f", "-", stdin=b"1,\x00")
    r = d.good("no ids", "detokenize", spm, "--ids", "")
    report.check("no ids are no text", r and r.out == b"")
    d.error("tokenize without a text", 2, "no text; give it by -p TEXT or -f FILE; "
            "'corellama tokenize --help' says more", "tokenize", spm)
    d.error("detokenize without ids", 2, "no ids; give them by --ids 1,2,3 or -f FILE; "
            "'corellama detokenize --help' says more", "detokenize", spm)
    d.error("two texts", 2, "--prompt excludes --file; 'corellama tokenize --help' says more",
            "tokenize", spm, "-p", "a", "-f", "-")
    d.error("a missing text", 1, "none: cannot be read: No such file or directory; give a file "
            "with a text", "tokenize", spm, "-f", "none")
    d.error("a folder as text", 1, "cannot be read: Is a directory; give a file with a text",
            "tokenize", spm, "-f", folder)
    (folder / "empty").write_bytes(b"")
    d.error("an empty checkpoint", 1, "header: the magic 'GGUF' takes 4 bytes at byte 0, "
            "file has 0; the file is incomplete or damaged, fetch it again", "tokenize", folder / "empty", "-p", "x")
    d.error("a tokenizer that is not known", 1, "tokenizer.ggml.model: 'bert', expected 'gpt2' "
            "(byte-level BPE) or 'llama' (SentencePiece); use token ids in place of text",
            "tokenize", vocabularies["bert-bge"], "-p", "x")
    damaged = bytearray(spm.read_bytes())
    rng = random.Random(5)
    for i in range(30):
        bad = damaged[:rng.randrange(len(damaged))] if i % 2 else bytearray(damaged)
        for _ in range(20):
            bad[rng.randrange(min(len(bad), 2000))] = rng.randrange(256)
        (folder / "damaged").write_bytes(bad)
        r = d.run("tokenize", folder / "damaged", "-p", "Hello")
        if not (r.code == 0 or r.code == 1 and not r.out and harness.one_line(r.err)):
            report.fail(f"a damaged vocabulary, {i}", r.why())
            break
    else:
        report.ok("30 damaged vocabularies are read or refused")

    for command in (["tokenize", spm, "-p", "x"], ["detokenize", spm, "--ids", "15043"],
                    ["render", "--chat-template", "chatml", "--messages", folder / "chat.json"]):
        (folder / "chat.json").write_text("[]")
        with open("/dev/full", "wb") as full:
            r = subprocess.run([*d.command, *command], stdout=full, stderr=subprocess.PIPE,
                               check=False)
        message = b"corellama: standard output: cannot be written: No space left on device\n"
        report.check(f"{command[0]} to a full disk", r.returncode == 1 and r.stderr == message,
                     f"{r.returncode}: {r.stderr}")
    (folder / "long").write_bytes(b"Hello world. " * 40000)
    with subprocess.Popen([*d.command, "tokenize", spm, "-f", folder / "long", "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.stdout.close()
        err = process.stderr.read()
    report.check("a closed pipe is no error", not err and process.returncode in (0, 141, -13),
                 f"{process.returncode}: {err}")


def test_messages(report, d, folder):
    """Messages that are none."""
    chat = folder / "chat.json"
    render = ["render", "--template", folder / "all.jinja", "--messages", chat]
    (folder / "all.jinja").write_text("{{ messages | tojson }}{{ tools }}{{ x }}")
    for text, message in [
            (b"", "byte 0 of the JSON: expected a value, found the end"),
            (b"[1, 2", "byte 5 of the JSON: expected ',' or ']'"),
            (b"{\"messages\": []", "byte 15 of the JSON: expected ',' or '}'"),
            (b"[\"a\x00b\"]", "byte 3 of the JSON: a control character in a string"),
            (b"[1]", "message 1 is of type int, expected an object with role and content"),
            (b"7", "has no list of messages, expected [{\"role\": \"user\", \"content\": \"...\"}, "
             "...], or an object with it as its messages"),
            (b"{\"tools\": []}", "has no list of messages, expected [{\"role\": \"user\", "
             "\"content\": \"...\"}, ...], or an object with it as its messages"),
            (b"{\"messages\": [], \"model\": 1}", "has 'model', expected messages, tools and "
             "documents; give other variables by --template-kwargs"),
            (b"[" * 100000, "byte 65 of the JSON: arrays and objects are nested too deeply"),
            (b"[{\"role\": 99999999999999999999}]", "byte 10 of the JSON: expected a value, found "
             "'99999999999999999999'")]:
        chat.write_bytes(text)
        d.error(f"messages {text[:20]!r}", 1, f"chat.json: {message}", *render)
    for text, want in [(b"[]", "[]x"), (b'{"messages": [{"a": "\\u0000"}], "tools": [1]}',
                                        '[{"a": "\\u0000"}][1]x')]:
        chat.write_bytes(text)
        r = d.good(f"messages {text!r}", *render, "--template-kwargs", '{"x": "x"}')
        report.check(f"messages {text!r} as written", r and r.text == want, lambda: r.text)
    chat.write_bytes(b'[{"role": "user", "content": "\xff\xc3 x"}]')
    r = d.good("invalid UTF-8 in a message", "render", "--chat-template", "chatml",
               "--no-generation-prompt", "--messages", chat)
    report.check("invalid UTF-8 stays", r and r.out ==
                 b"<|im_start|>user\n\xff\xc3 x<|im_end|>\n", lambda: r.out)
    for json_text, message in [
            ("[1]", "is '[1]', expected an object of JSON such as {\"enable_thinking\": false}"),
            ("{", "byte 1 of the JSON: expected a key in double quotes"),
            ("{\"messages\": []}", "'messages' is what the conversation itself gives; leave it out")]:
        d.error(f"--template-kwargs {json_text}", 1, f"--template-kwargs: {message}", *render,
                "--template-kwargs", json_text)
    d.error("no template", 2, "no template; give a checkpoint, a program, --template FILE or "
            "--chat-template NAME; 'corellama render --help' says more", "render", "--messages", chat)
    d.error("an unknown template", 2, "--chat-template: 'alpaca' is none of chatml, llama2, llama3, "
            "zephyr, mistral; 'corellama render --help' says more", "render", "--messages", chat,
            "--chat-template", "alpaca")
    d.error("no such day", 2, "--date: '2026-02-29' is no day as 2026-07-04; 'corellama render "
            "--help' says more", *render, "--date", "2026-02-29")
    (folder / "bad.jinja").write_text("a\n{% if %}")
    d.error("a malformed template", 1, "bad.jinja: line 2: expected an expression, found the end of "
            "the tag", "render", "--template", folder / "bad.jinja", "--messages", chat)


def test_templates_by_render(report, d, folder, templates, conversations):
    """llama.cpp's templates through the command, and through Jinja."""
    jinja = test_templates.Renderers.theirs
    both = type("Jinja", (), {"jinja": test_templates.environment()})()
    for path in templates:
        if path.name in test_templates.LEFT_OUT:
            continue
        source, rng, why = path.read_text(encoding="utf-8"), random.Random(path.name), None
        for i in range(conversations):
            drawn = test_templates.conversation(rng)
            want, _ = jinja(both, source, drawn)
            request = {"messages": drawn["messages"]}
            request |= {k: v for k, v in drawn["more"].items() if k in ("tools", "documents")}
            rest = {k: v for k, v in drawn["more"].items() if k not in request}
            (folder / "chat.json").write_text(json.dumps(request))
            r = d.run("render", "--template", path, "--messages", folder / "chat.json", "--date",
                      "2026-07-04", "--template-kwargs", json.dumps(rest),
                      *([] if drawn["add_generation_prompt"] else ["--no-generation-prompt"]))
            if want is None:
                good = r.code == 1 and not r.out and harness.one_line(r.err)
            else:
                good = r.code == 0 and not r.err and r.out == want.encode()
            if not good:
                why = f"conversation {i}: {r.out[-200:]!r}, expected {want and want[-200:]!r}; {r.why()}"
                break
        report.check(f"render {path.name}", why is None, why)


def test_formats(report, d, folder, vocabularies):
    """Templates known by name: the documented text, and Jinja's of the same source."""
    (folder / "chat.json").write_text(json.dumps(CONVERSATION))
    sources = named_sources()
    both = type("Jinja", (), {"jinja": test_templates.environment()})()
    for name, want in FORMATS.items():
        r = d.good(f"render {name}", "render", "--chat-template", name, "--messages",
                   folder / "chat.json")
        report.check(f"{name} is what its documentation has", r and r.text == want,
                     lambda: repr(r.text))
        for prompt in (True, False):
            by_jinja, why = test_templates.Renderers.theirs(both, sources[name], {
                "messages": CONVERSATION, "add_generation_prompt": prompt, "bos": "<s>",
                "eos": "</s>", "more": {}})
            r = d.run("render", "--chat-template", name, "--messages", folder / "chat.json",
                      *([] if prompt else ["--no-generation-prompt"]))
            report.check(f"{name} by Jinja, prompt {prompt}", r.text == by_jinja, f"{by_jinja} {why}")
    for name in ("llama2", "mistral"):
        (folder / "tool.json").write_text('[{"role": "tool", "content": "x"}]')
        r = d.run("render", "--chat-template", name, "--messages", folder / "tool.json")
        report.check(f"{name} refuses other roles", r.code == 1 and "no tool" in r.err_text, r.why)
    spm = vocabularies["llama-spm"]
    r = d.good("a checkpoint's own BOS", "render", spm, "--chat-template", "llama3", "--bos", "",
               "--messages", folder / "chat.json")
    report.check("--bos goes before it", r and r.text == FORMATS["llama3"][3:], lambda: r.text)
    d.error("a checkpoint without a template", 1, "ggml-vocab-llama-spm.gguf: "
            "tokenizer.chat_template: missing, expected a Jinja template; give one by --template or "
            "--chat-template", "render", spm, "--messages", folder / "chat.json")


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="for downloads")
    parser.add_argument("--all", action="store_true",
                        help="all templates of llama.cpp, 30 conversations each")
    args = parser.parse_args()
    report, d = harness.Report(), None
    source = test_templates.llama_cpp.kept_source(args.folder)
    vocabularies = {path.stem.removeprefix("ggml-vocab-"): path
                    for path in (source / "models").glob("ggml-vocab-*.gguf")}
    d = Checker(report, args.corellama)
    with harness.Workspace(args.keep) as folder:
        program, model = folder / "demo", Path(args.model)
        made = harness.compile_model(args.corellama, model, program)
        if report.check("compiles, and says nothing", made.code == 0 and not made.err, made.why):
            test_round_trip(report, d, program, "program")
            test_program(report, d, program, model)
            test_chats(report, d, program, folder)
        test_compile_notes(report, d, folder)
        test_frame(report, d, folder)
        for name in VOCABULARIES:
            test_round_trip(report, d, vocabularies[name], name)
        test_bos(report, d, vocabularies)
        test_broken(report, d, vocabularies, folder)
        test_messages(report, d, folder)
        test_formats(report, d, folder, vocabularies)
        templates = sorted((source / "models/templates").glob("*.jinja"))
        report.check("llama.cpp's templates are there", len(templates) > 50, len(templates))
        # The suite `templates` has them all, by a tool that is started once.
        test_templates_by_render(report, d, folder, templates if args.all else templates[::5],
                                 30 if args.all else 2)
    report.finish()


if __name__ == "__main__":
    main()
