"""What `corellama perplexity` computes, and how it asks a program.

Input: the driver and a checkpoint; output: PASS/FAIL lines. The same figures are
computed here from the logits that the programs write for each window, so windows,
their first ids, and the order of figures are those that the help describes. A program
compared with itself diverges nowhere. Then the requests that a program answers itself,
and errors.
"""

import json
import re
import subprocess

import numpy as np

import harness
import make_models

TEXT = ("The tide had turned before anybody noticed. Old Harrow, who kept the light, said "
        "afterwards that the gulls had gone quiet at four o'clock. \"You can't read water,\" "
        "he told 27 visitors in 1911, \"but birds can.\"\n\n") * 5
WINDOW = 48


def close(got, wanted):
    return len(got) == len(wanted) and np.allclose(got, wanted, rtol=1e-9, atol=1e-9)


class Asked:
    """What a program answers to requests on its standard input."""

    def __init__(self, program, *requests, size=64):
        result = subprocess.run(
            [program, "--score", "-c", str(size)], capture_output=True, timeout=120,
            input=b"".join(r if isinstance(r, bytes) else r.encode() + b"\n"
                           for r in requests))
        self.code, self.out, self.err = result.returncode, result.stdout, result.stderr

    def why(self):
        return f"exit {self.code}, {len(self.out)} bytes, stderr {self.err[:300]!r}"


def text_ids(program):
    body = TEXT.encode()
    asked = Asked(program, f"ids {len(body)}\n".encode() + body)
    bos, _, *ids = map(int, asked.out.split())
    return bos, ids


def rows_after(program, ids, folder):
    """The log-probabilities after the ids of the second half but the last, in float64."""
    path = folder / "logits.npy"
    harness.run([program, "--prompt-ids", ",".join(map(str, ids)), "-n", 1, "--temp", 0,
                 "--output-ids", "--logits-out", path])
    rows = np.load(path)[len(ids) // 2:len(ids) - 1].astype(np.float64)
    rows -= rows.max(1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(1, keepdims=True))


def test_figures(report, perplexity, rounded, exact, folder):
    text = folder / "text"
    text.write_text(TEXT)
    result = perplexity(rounded, "-f", text, "-c", WINDOW, "--reference", exact, "-o", "json")
    if not report.check("perplexity: -o json", result.code == 0 and not result.err, result.why):
        return
    got = json.loads(result.text)
    bos, ids = text_ids(exact)
    nll, reference_nll, kl, same = [], [], [], []
    for begin in range(0, len(ids) - WINDOW + 1, WINDOW):
        window = ids[begin:begin + WINDOW]
        if bos:
            window[0] = ids[0]
        q, p = (rows_after(program, window, folder) for program in (rounded, exact))
        follow = window[WINDOW // 2 + 1:]
        nll += list(-q[np.arange(len(follow)), follow])
        reference_nll += list(-p[np.arange(len(follow)), follow])
        kl += list((np.exp(p) * (p - q)).sum(1))
        same += list(p.argmax(1) == q.argmax(1))
    report.check("perplexity: more than three windows", len(nll) > 3 * (WINDOW // 2 - 1),
                 lambda: f"{len(nll)} predicted tokens")
    for name, wanted in (("nll", nll), ("reference_nll", reference_nll), ("kl", kl)):
        report.check(f"perplexity: {name} of each token", close(got[name], wanted),
                     lambda: f"{got[name][:3]}, expected {wanted[:3]}")
    for name, wanted in (("perplexity", np.exp(np.mean(nll))),
                         ("reference_perplexity", np.exp(np.mean(reference_nll))),
                         ("kl_divergence", np.mean(kl)), ("top1_agreement", np.mean(same)),
                         ("kl_divergence_stderr", np.std(kl, ddof=1) / len(kl) ** 0.5),
                         ("n_tokens", len(nll))):
        report.check(f"perplexity: {name}", close([got[name]], [wanted]),
                     lambda: f"is {got[name]}, expected {wanted}")
    report.check("perplexity: rounded rows diverge a little",
                 0 < got["kl_divergence"] < 0.05, lambda: str(got["kl_divergence"]))

    result = perplexity("-f", "-", exact, "-c", WINDOW, "--reference", exact,
                        stdin=TEXT.encode())
    report.check("perplexity: a program diverges from itself nowhere",
                 result.code == 0
                 and re.search(r"^KL divergence +0\.0000 ± 0\.0000 nats a token$",
                               result.text, re.M)
                 and re.search(r"^same likeliest token +100\.0000 ± 0\.0000 %$", result.text,
                               re.M), result.why)
    result = perplexity(rounded, "-f", text, "-c", WINDOW)
    report.check("perplexity: without a reference two lines",
                 result.code == 0 and len(result.text.splitlines()) == 2
                 and f"{np.exp(np.mean(nll)):.4f}" in result.text, result.why)


def test_fixed_point(report, perplexity, digits, exact, folder):
    """Rows of x24b32 err as float32 does, and a KL divergence is of the square of an error.
    With an f16 cache an error makes some values cross a middle of two numbers, which is 2^-11 of
    them: 1e-7 instead of 1e-11; rows of 8 bits give 1e-3."""
    result = perplexity(digits, "-f", folder / "text", "-c", WINDOW, "--reference", exact,
                        "-o", "json")
    if report.check("perplexity: rows in fixed point", result.code == 0, result.why):
        got = json.loads(result.text)
        report.check("perplexity: rows in fixed point diverge nowhere",
                     got["kl_divergence"] < 1e-6 and got["top1_agreement"] == 1,
                     lambda: f"{got['kl_divergence']}, {got['top1_agreement']}",
                     f"{got['kl_divergence']:.1e} nats")


def test_requests(report, program, vocabulary):
    row = vocabulary * 4
    asked = Asked(program, "logits 0 0 5 6 7", "logits 3 2 8 9 10", "logits 2 1 7")
    other = Asked(program, "logits 0 4 5 6 7 8 9 10")
    report.check("--score: floats for the wanted rows",
                 asked.code == other.code == 0 and len(asked.out) == 3 * row
                 and len(other.out) == 4 * row,
                 lambda: f"{asked.why()}; {other.why()}")
    report.check("--score: the same rows whatever they were asked with",
                 asked.out[:2 * row] == other.out[2 * row:]
                 and asked.out[2 * row:] == other.out[:row], "they differ")
    for line in ("", "logits", "logits 2 0 5", "logits 0 1", "logits 0 2 5", "logits 0 1 5 x",
                 f"logits 0 1 {vocabulary}", "logits 0 0 " + "5 " * 65, "ids", "ids 5 5",
                 "ids 99999999999", "ids 1000000\nshort", "bench"):
        asked = Asked(program, "logits 0 0 5", line)
        report.check(f"--score: refuses '{line[:40]}'".replace("\n", " "),
                     asked.code == 1 and not asked.out and harness.one_line(asked.err)
                     and (b"perplexity" in asked.err or b"ended after" in asked.err),
                     asked.why)


def test_errors(report, perplexity, checkpoint, program, folder):
    def refused(name, code, words, *arguments, **kwargs):
        result = perplexity(*arguments, **kwargs)
        report.check(name, result.code == code and not result.out
                     and harness.one_line(result.err)
                     and all(word in result.err_text for word in words), result.why)
    short = folder / "short"
    short.write_text("A few words.")
    refused("perplexity: a text of no window", 1, ["tokens", "-c"], program, "-f", short)
    refused("perplexity: an empty text", 1, ["tokens"], program, "-f", "-")
    refused("perplexity: no such text", 1, ["nowhere", "cannot be read"], program, "-f",
            folder / "nowhere")
    refused("perplexity: beyond the context", 1, ["context"], program, "-f", short, "-c",
            1000000)
    refused("perplexity: a checkpoint is no program", 1, [str(checkpoint)], checkpoint, "-f",
            short)
    refused("perplexity: no text", 2, ["--file"], program)
    refused("perplexity: a window of two tokens", 2, ["'2'"], program, "-f", short, "-c", 2)
    refused("perplexity: an unknown form", 2, ["text, json"], program, "-f", short, "-o", "md")
    make_models.write_model(folder / "ids.gguf", 1, 0)
    other = folder / "ids"
    made = harness.compile_model(perplexity.driver, folder / "ids.gguf", other)
    if report.check("compiles a model without a tokenizer", made.code == 0, made.why):
        result = perplexity(other, "-f", short, "-c", 4)
        report.check("perplexity: a program that reads no text says so itself",
                     result.code == 1 and "can read no text" in result.err_text, result.why)


class Perplexity:
    def __init__(self, driver):
        self.driver = driver

    def __call__(self, *arguments, **kwargs):
        return harness.run([self.driver, "perplexity", *arguments], **kwargs)


def main():
    args = harness.parser(__doc__.splitlines()[0]).parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        exact, rounded, digits = (folder / name for name in ("exact", "rounded", "digits"))
        made = [harness.compile_model(args.corellama, args.model, program, "--cache-type=f16",
                                      f"--activations={activations}")
                for program, activations in ((exact, "f32"), (rounded, "q8"),
                                                (digits, "x24"))]
        if all([report.check("compiles", m.code == 0, m.why) for m in made]):
            perplexity = Perplexity(args.corellama)
            vocabulary = json.loads(harness.run([args.corellama, "inspect", exact, "--json"]
                                                ).text)["config"]["vocabulary"]
            test_figures(report, perplexity, rounded, exact, folder)
            test_fixed_point(report, perplexity, digits, exact, folder)
            test_requests(report, exact, vocabulary)
            test_errors(report, perplexity, args.model, exact, folder)
    report.finish()


if __name__ == "__main__":
    main()
