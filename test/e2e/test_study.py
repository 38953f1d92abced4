#!/usr/bin/env python3
"""The study: its pages are what they say, and can be read.

Input: a finished build and docs/study; runs `scripts/study --check`, which computes all of
it but times again, and, with --all, a page each for the faults that corellama-faulty plants,
on which the page must fail; moves the sliders of explore.html in headless Chromium and compares
what they say with numpy, and checks sizes, links and that the answers of
study_questions.json stand on the pages. A file of its own because the study is a subject of
its own; it needs Debian's chromium-headless-shell.
"""

import ast
import html
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np

from harness import Report, parser, run

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "docs/study"
IMAGE_BYTES = 3 << 20  # of all images together
SCRIPT_LINES = 1500  # of code, cells of pages included
BROWSER = "chromium-headless-shell"
# Of test/faults, and the page that has to fail: one suffices to be noticed, each is
# one whose op the page is about.
FAULTS = [("1-binary", "shift-positions"), ("2-sine", "shift-positions"),
          ("3-sine-cosine", "swap-sine-cosine"), ("4-rope", "double-frequency"),
          ("5-norms", "drop-epsilon"), ("6-attention", "share-wrong-head"),
          ("7-swiglu", "swap-gate-up"), ("7-swiglu", "double-cubic"),
          ("8-whole", "leave-out-residual")]


def check_pages(report):
    result = run([ROOT / "scripts/study", "--check"], timeout=900)
    for line in result.text.splitlines():
        if match := re.match(r"(PASS|FAIL) ([^:]+)(?:: (.*))?", line):
            report.check(f"study --check: {match[2]}", match[1] == "PASS", match[3] or "")
    sums = re.findall(r"^(\d+) passed, (\d+) failed$", result.text, re.M)
    report.check("study --check: compares something", sums and int(sums[-1][0]) > 0,
                 result.why, f"{sums[-1][0] if sums else 0} numbers, tables and texts")


def check_faults(report):
    for page, fault in FAULTS:
        result = run([ROOT / "scripts/study", "--check", f"--only={page}"], timeout=300,
                     env=os.environ | {"CORELLAMA_STUDY_FAULT": fault})
        report.check(f"{page} fails with the fault {fault}", result.code == 1
                     and re.search(rf"^FAIL {page}: .*does not hold", result.text, re.M),
                     result.why, result.text[:160].splitlines()[:1])


def look(settings):
    """explore.html as it is with its sliders set: {id of an output: its text}, and what
    the browser's console says."""
    fragment = "&".join(f"{name}={value}" for name, value in settings.items())
    result = run([BROWSER, "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                  "--virtual-time-budget=2000", "--dump-dom",
                  f"file://{STUDY}/explore.html#{fragment}"], timeout=60)
    outputs = {name: html.unescape(text) for name, text in re.findall(
        r'<output id="([\w-]+)">(.*?)</output>', result.text)}
    return outputs, [l for l in result.err_text.splitlines() if "CONSOLE" in l], result


def check_sliders(report):
    if not report.check(f"{BROWSER} is installed", shutil.which(BROWSER),
                        "install what scripts/packages.txt lists"):
        return
    for settings in ({"k": 0, "theta": 0.01, "n": 0, "distance": 0, "group": 0},
                     {"k": 5, "theta": 0.25, "n": 9, "distance": 4, "group": 3},
                     {"k": 7, "theta": 1, "n": 64, "distance": 64, "group": 5}):
        said, console, result = look(settings)
        k, angle = settings["k"], settings["distance"] * settings["theta"]
        q, key = (np.array([np.cos(a), np.sin(a)]) for a in
                  (settings["n"] * settings["theta"], settings["n"] * settings["theta"] - angle))
        heads = 32 // 2 ** settings["group"]
        frequencies = 1e4 ** (-np.arange(64) / 64)
        expected = {"flips": str(bin(2**k ^ (2**k - 1)).count("1")),
                    "jump": f"{np.sqrt(k + 1):.4f}", "dot": f"{q @ key:.4f}",
                    "decay": f"{np.cos(settings['distance'] * frequencies).mean():.4f}",
                    "bytes": f"{2 * 32 * heads * 128 * 2:,}",
                    "full": f"{2 * 32 * heads * 128 * 2 * 4096 / 2**30:.4f}"}
        for name, value in expected.items():
            report.check(f"sliders {settings}: {name}", said.get(name) == value,
                         lambda: f"{said.get(name)}, numpy: {value}; {result.why()}")
        report.check(f"sliders {settings}: the console is silent", not console, console)
    text = (STUDY / "explore.html").read_text()
    report.check("explore.html loads nothing", not re.search(
        r"(src|href)=\"(https?:)?//|@import|url\(|fetch\(|XMLHttpRequest", text))


def lines_of_code(text):
    """Without blank lines, comments and docstrings."""
    documented = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(bool(re.match(r"\s*[^\s#]", line)) and number not in documented
               for number, line in enumerate(text.splitlines(), 1))


def check_texts(report):
    pages = sorted(p.stem for p in (STUDY / "source").glob("[1-9]-*.md"))
    asked = json.loads((Path(__file__).parent / "study_questions.json").read_text())
    report.check("each page has two questions", sorted(asked) == pages
                 and all(len(questions) == 2 for questions in asked.values()),
                 f"{sorted(asked)} for {pages}")
    for page, questions in asked.items():
        text = " ".join((STUDY / f"{page}.md").read_text().split())
        for question in questions:
            missing = [f for f in question["found"] if not re.search(f, text)]
            report.check(f"{page} answers: {question['question']}", not missing, missing)
        cells = json.loads((STUDY / f"{page}.ipynb").read_text())["cells"]
        broken = [i for i, cell in enumerate(cells) if "## Break it" in "".join(cell["source"])]
        report.check(f"{page}: a cell breaks a picture", broken and any(
            "image/svg+xml" in output.get("data", {}) for cell in cells[broken[0]:]
            for output in cell.get("outputs", [])))
        report.check(f"{page}: opens with a question and a prediction",
                     "**Question.**" in text and "**Your prediction.**" in text)
    for page in [*STUDY.glob("*.md"), STUDY / "explore.html"]:
        text = page.read_text()
        links = re.findall(r"\]\((?!https?:)([^)#]+)|href=\"([^\"#]+)", text)
        dead = [link for link in map("".join, links) if not (STUDY / link).exists()]
        report.check(f"{page.name}: its links lead somewhere", links and not dead, dead)
        # A stray format or an empty number.
        report.check(f"{page.name}: every number was put in", "{{" not in text)
    size = sum(p.stat().st_size for p in STUDY.rglob("*") if p.suffix in (".svg", ".png"))
    report.check("images are small", size < IMAGE_BYTES, size, f"{size:,} bytes")
    scripts = [cell for p in (STUDY / "source").glob("*.md") for cell in
               re.findall(r"^```python\n(.*?)^```\n", p.read_text(), re.M | re.S)]
    scripts += [p.read_text() for p in [ROOT / "scripts/study",
                                        *(ROOT / "scripts/studying").glob("*.py")]]
    lines = sum(map(lines_of_code, scripts))
    report.check("scripts and cells are short", lines < SCRIPT_LINES, lines, f"{lines} lines")


def main():
    p = parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--all", action="store_true", help="plant faults, too (three minutes)")
    args = p.parse_args()
    report = Report()
    check_texts(report)
    check_sliders(report)
    check_pages(report)
    if args.all:
        check_faults(report)
    report.finish()


if __name__ == "__main__":
    main()
