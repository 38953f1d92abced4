#!/usr/bin/env python3
"""The study: its pages are what they say, and can be read.

Input: a finished build and docs/study; runs `scripts/study --check`, which computes all of
it but times again, moves the sliders of explore.html in headless Chromium and compares
what they say with numpy, and checks sizes, links and that the answers of
study_questions.json stand on the pages. A file of its own because the study is a subject of
its own; it needs Debian's chromium-headless-shell.
"""

import html
import json
import re
import shutil
from pathlib import Path

import numpy as np

from harness import Report, parser, run

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "docs/study"
IMAGE_BYTES = 3 << 20  # of all images together
SCRIPT_LINES = 1500  # without blank lines and comments, cells of pages included
BROWSER = "chromium-headless-shell"


def check_pages(report):
    result = run([ROOT / "scripts/study", "--check"], timeout=900)
    for line in result.text.splitlines():
        if match := re.match(r"(PASS|FAIL) ([^:]+)(?:: (.*))?", line):
            report.check(f"study --check: {match[2]}", match[1] == "PASS", match[3] or "")
    sums = re.findall(r"^(\d+) passed, (\d+) failed$", result.text, re.M)
    report.check("study --check: compares something", sums and int(sums[-1][0]) > 0,
                 result.why, f"{sums[-1][0] if sums else 0} numbers, tables and texts")


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
        links = re.findall(r"\]\((?!https?:)([^)#]+)", (STUDY / f"{page}.md").read_text())
        dead = [link for link in links if not (STUDY / link).exists()]
        report.check(f"{page}: its links lead somewhere", links and not dead, dead)
        report.check(f"{page}: opens with a question and a prediction",
                     "**Question.**" in text and "**Your prediction.**" in text)
        # A stray format or an empty number.
        report.check(f"{page}: every number was put in", "{{" not in text)
    size = sum(p.stat().st_size for p in STUDY.rglob("*") if p.suffix in (".svg", ".png"))
    report.check("images are small", size < IMAGE_BYTES, size, f"{size:,} bytes")
    cells = "".join("\n".join(re.findall(r"^```python\n(.*?)^```\n", p.read_text(), re.M | re.S))
                    for p in (STUDY / "source").glob("*.md"))
    scripts = [ROOT / "scripts/study", *(ROOT / "scripts/studying").glob("*.py")]
    lines = sum(bool(re.match(r"\s*[^\s#]", line)) for text in
                [cells, *(p.read_text() for p in scripts)] for line in text.splitlines())
    report.check("scripts and cells are short", lines < SCRIPT_LINES, lines, f"{lines} lines")


def main():
    parser(__doc__.splitlines()[0], model=False).parse_args()
    report = Report()
    check_texts(report)
    check_sliders(report)
    check_pages(report)
    report.finish()


if __name__ == "__main__":
    main()
