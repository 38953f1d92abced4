"""Each filter of the sampler, and what is drawn, against a plain numpy version.

Input: the driver, the demo model and the tool corellama-sample; output: PASS/FAIL lines.
On logits that the demo model gave, and on made-up rows with ties, infinities and NaN,
every setting must keep exactly the ids that numpy keeps, in that order, and 10,000 draws
must have their frequencies (chi-square). Programs must say the same for a seed on any
number of threads, and --logprobs what a softmax of --logits-out says. A file of its own
because the C++ tests see the sampler from inside, one filter at a time.
"""

import json
import math
import subprocess

import numpy as np

import harness

DRAWS = 10000
OFF = ["--top-k", "0", "--top-p", "1", "--min-p", "0"]
# Tokens that came before, some of them more than once.
BEFORE = [1, 5, 9, 9, 9, 30, 2, 5]

SETTINGS = {
    "the defaults": [],
    "temperature 1": [*OFF, "--temp", "1"],
    "temperature 0.3": [*OFF, "--temp", "0.3"],
    "temperature 5": [*OFF, "--temp", "5"],
    "greedy": [*OFF, "--temp", "0"],
    "top-k 1": [*OFF, "--temp", "1", "--top-k", "1"],
    "top-k 7": [*OFF, "--temp", "1", "--top-k", "7"],
    "top-p 0.5": [*OFF, "--temp", "1", "--top-p", "0.5"],
    "top-p 0.99": [*OFF, "--temp", "1", "--top-p", "0.99"],
    "top-p 0": [*OFF, "--temp", "1", "--top-p", "0"],
    "min-p 0.1": [*OFF, "--temp", "1", "--min-p", "0.1"],
    "min-p 1": [*OFF, "--temp", "1", "--min-p", "1"],
    "all at once": ["--temp", "1.3", "--top-k", "60", "--top-p", "0.9", "--min-p", "0.02"],
    "repeat penalty": [*OFF, "--temp", "1", "--repeat-penalty", "1.7"],
    "frequency penalty": [*OFF, "--temp", "1", "--frequency-penalty", "0.9"],
    "presence penalty": [*OFF, "--temp", "1", "--presence-penalty", "1.5"],
    "penalties of the last 3": [*OFF, "--temp", "1", "--repeat-penalty", "1.2",
                                "--presence-penalty", "1", "--frequency-penalty", "-0.5",
                                "--repeat-last-n", "3"],
    "no penalties of 0 tokens": [*OFF, "--temp", "1", "--presence-penalty", "5",
                                 "--repeat-last-n", "0"],
    "penalties of all": ["--repeat-penalty", "1.2", "--frequency-penalty", "0.3",
                         "--repeat-last-n", "-1"],
    "bias": [*OFF, "--temp", "1", "-l3+4", "-l", "4-inf", "--logit-bias", "9+2.5"],
    "bias and the rest": ["-l3+4", "-l4-inf", "--presence-penalty", "2"],
}
DEFAULTS = {"--temp": 0.8, "--top-k": 40, "--top-p": 0.95, "--min-p": 0.05,
            "--repeat-penalty": 1, "--frequency-penalty": 0, "--presence-penalty": 0,
            "--repeat-last-n": 64}


def read_flags(flags):
    values, bias, rest = dict(DEFAULTS), [], list(flags)
    while rest:
        name = rest.pop(0)
        value = name[2:] if name.startswith("-l") and len(name) > 2 and name[2] != "o" \
            else rest.pop(0)
        if name.startswith("-l") or name == "--logit-bias":
            at = min(i for i in (value.find("+"), value.find("-")) if i >= 0)
            bias.append((int(value[:at]), float(value[at:])))
        else:
            values[name] = float(value)
    return values, bias


def expected(row, flags):
    """The ids that are kept, in order, and their probabilities; for greedy, one."""
    v, bias = read_flags(flags)
    logits = row.astype(np.float32).copy()
    for id, value in bias:
        logits[id] += np.float32(value)
    last = int(v["--repeat-last-n"])
    recent = BEFORE if last < 0 else BEFORE[len(BEFORE) - min(last, len(BEFORE)):]
    f = np.float32
    for id in set(recent):
        x = logits[id]
        x = x / f(v["--repeat-penalty"]) if x > 0 else x * f(v["--repeat-penalty"])
        logits[id] = x - (f(recent.count(id)) * f(v["--frequency-penalty"]) +
                          f(v["--presence-penalty"]))
    logits[np.isnan(logits)] = -np.inf
    if v["--temp"] <= 0:
        return [], None, int(np.argmax(logits))
    order = np.argsort(-logits, kind="stable")
    if v["--top-k"] > 0:
        order = order[:int(v["--top-k"])]

    def softmax(temperature):
        e = np.exp((logits[order].astype(np.float64) - logits[order[0]]) / temperature)
        return e / e.sum()
    p = softmax(1)
    count = len(order)
    if v["--top-p"] < 1:
        count = max(1, int(np.searchsorted(np.cumsum(p), v["--top-p"])) + 1)
    if v["--min-p"] > 0:
        count = min(count, int(np.sum(p >= v["--min-p"] * p[0])))
    order = order[:count]
    return [int(i) for i in order], softmax(v["--temp"]), None


def chi_square_limit(freedom):
    """The chi-square value that chance exceeds once in a million (Wilson, Hilferty)."""
    z = 4.753
    return freedom * (1 - 2 / (9 * freedom) + z * math.sqrt(2 / (9 * freedom))) ** 3


def frequencies(kept, p, drawn):
    """None, or what is wrong with the draws."""
    strange = set(drawn) - set(kept)
    if strange:
        return f"drew {sorted(strange)[:5]}, which are not kept"
    counts = np.bincount(np.searchsorted(np.sort(kept), drawn), minlength=len(kept))
    wanted = p[np.argsort(kept)] * len(drawn)
    common = wanted >= 5
    counts = np.append(counts[common], counts[~common].sum())
    wanted = np.append(wanted[common], wanted[~common].sum())
    if wanted[-1] < 1e-9:
        counts, wanted = counts[:-1], wanted[:-1]
    elif wanted[-1] < 5 and len(wanted) > 1:  # too few for a bin of their own
        counts = np.append(counts[:-2], counts[-2:].sum())
        wanted = np.append(wanted[:-2], wanted[-2:].sum())
    if len(counts) < 2:
        return None
    value, limit = ((counts - wanted) ** 2 / wanted).sum(), chi_square_limit(len(counts) - 1)
    return None if value < limit else f"chi-square {value:.0f}, at most {limit:.0f}"


def made_up():
    rng = np.random.default_rng(1)
    ties = np.round(rng.normal(0, 2, 300) * 2) / 2
    odd = rng.normal(0, 3, 300)
    odd[::7], odd[::11] = -np.inf, np.nan
    sharp = rng.normal(0, 1, 300)
    sharp[17] = 30
    return {"noise": rng.normal(0, 3, 500), "ties": ties, "odd": odd, "sharp": sharp,
            "one": np.array([0.5] * 31)}


def test_filters(report, tool, folder, rows):
    for row_name, row in rows.items():
        path = folder / "row"
        row.astype(np.float32).tofile(path)
        wrong = []
        for name, flags in SETTINGS.items():
            # Sorting a large vocabulary for each draw takes seconds: the order alone.
            values, _ = read_flags(flags)
            large = len(row) > 1000 and values["--top-k"] == 0
            draws = 20 if large or values["--temp"] == 0 else DRAWS
            r = subprocess.run(
                [tool, path, str(draws), "--prompt-ids", ",".join(map(str, BEFORE)),
                 "--seed", "7", *flags], capture_output=True, text=True)
            if r.returncode:
                wrong.append(f"{name}: {r.stderr}")
                continue
            kept, drawn = ([int(x) for x in line.split()] for line in
                           r.stdout.split("\n")[:2])
            ids, p, greedy = expected(row, flags)
            if kept != ids:
                wrong.append(f"{name}: keeps {len(kept)} ids {kept[:5]}..., numpy "
                             f"{len(ids)} {ids[:5]}...")
            elif greedy is not None:
                if set(drawn) != {greedy}:
                    wrong.append(f"{name}: {set(drawn)}, numpy {greedy}")
            elif problem := frequencies(np.array(ids), p, np.array(drawn)):
                wrong.append(f"{name}: {problem}")
        report.check(f"{row_name}: {len(SETTINGS)} settings keep numpy's ids, drawn as "
                     "often", not wrong, wrong[:4])


def test_program(report, program, folder):
    prompt = ["-p", "Once upon a time", "-n", "40"]
    texts = {}
    for flags in (["--seed", "3"], ["--seed", "4", "--temp", "1.5", "--repeat-penalty",
                                    "1.3", "-l28-inf"]):
        for threads in (1, 2, 3):
            r = harness.run([program, *prompt, *flags, "-t", threads])
            texts.setdefault(tuple(flags), set()).add(r.out if r.code == 0 else r.why())
    report.check("a seed says the same on 1, 2 and 3 threads",
                 all(len(t) == 1 for t in texts.values()) and len(texts) == 2,
                 [len(t) for t in texts.values()])
    report.check("seeds say different things", len(set().union(*texts.values())) == 2)

    logits = folder / "logits.npy"
    r = harness.run([program, *prompt, "--seed", 3, "--logprobs", 5, "--logits-out",
                     logits, "--top-k", 3])
    lines = [json.loads(line) for line in r.text.splitlines()]
    rows = np.load(logits).astype(np.float64)[-len(lines):]
    wrong = []
    for line, row in zip(lines, rows):
        p = row - row.max()
        p -= np.log(np.exp(p).sum())
        top = np.argsort(-row, kind="stable")[:5]
        if [t["id"] for t in line["top_logprobs"]] != list(top):
            wrong.append(f"{[t['id'] for t in line['top_logprobs']]}, numpy {top}")
        for token in [line, *line["top_logprobs"]]:
            if abs(token["logprob"] - p[token["id"]]) > 1e-9:
                wrong.append(f"{token['logprob']}, numpy {p[token['id']]}")
            if bytes(token["bytes"]).decode(errors="replace") != token["token"]:
                wrong.append(f"{token}")
    text = harness.run([program, *prompt, "--seed", 3, "--top-k", 3]).text
    report.check("--logprobs: a line a token, as numpy has them", r.code == 0 and
                 len(lines) == 40 and not wrong, lambda: f"{r.why()} {wrong[:3]}")
    report.check("... and the tokens are the text", text.startswith(
        "".join(line["token"] for line in lines)), text)
    for flags, words in [(["-l", "99999999+1"], "--logit-bias: token id 99999999 is outside"),
                         (["-l", "5"], "-l: is '5', expected a token id"),
                         (["-l", "5+x"], "-l: is '5+x', expected a token id"),
                         (["-l", "5-nan"], "-l: is '5-nan', expected a token id"),
                         (["--logprobs", "1001"], "--logprobs: is '1001', expected"),
                         (["--logprobs", "1", "--output-ids"], "both say what is printed")]:
        r = harness.run([program, *prompt, *flags])
        report.check(f"refused: {' '.join(flags)}", r.code in (1, 2) and
                     harness.one_line(r.err) and words in r.err_text, r.why())


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--tool", required=True, type=harness.existing)
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        program, logits = folder / "program", folder / "rows.npy"
        r = harness.compile_model(args.corellama, args.model, program)
        if report.check("compile", r.code == 0, r.why):
            test_program(report, program, folder)
            r = harness.run([program, "-p", "Water is wet, and the sky is", "-n", 2,
                             "--temp", 0, "--logits-out", logits])
            rows = np.load(logits)
            test_filters(report, args.tool, folder,
                         {"the demo model": rows[-1]} | made_up())
    report.finish()


if __name__ == "__main__":
    main()
