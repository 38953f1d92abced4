"""A page's source as a notebook, its numbers put into its text, and both compared.

Input: docs/study/source/PAGE.md, prose with `{{name}}` for what cells say and fenced
`python` blocks, which are the cells. Output: docs/study/PAGE.md (prose), PAGE.ipynb
(prose and executed cells), data/PAGE.csv (the numbers), data/PAGE-NAME.csv (what is
drawn), PAGE-NAME.svg. What stands behind the line `<!-- notebook -->` is in the notebook
alone. A file of its own because frame.py runs inside of the notebook, and this around it.
"""

import csv
import io
import json
import os
import re
from decimal import Decimal, InvalidOperation

import nbformat
from nbclient import NotebookClient

from .tools import ROOT, TARGET, TOKENS, WORK

STUDY = ROOT / "docs/study"
SOURCES, DATA, OUT = STUDY / "source", STUDY / "data", WORK / "out"
NOTEBOOK_ONLY = "<!-- notebook -->\n"
PRELUDE = ('import sys\nfrom pathlib import Path\n\n'
           '# The folder that this notebook is in, wherever Jupyter was started.\n'
           'here = next(p for p in [Path.cwd(), *Path.cwd().parents] if (p / "scripts").exists())\n'
           'sys.path.insert(0, str(here / "scripts"))\nfrom studying.frame import *')
# Six digits are written and five compared.
TOLERANCE = 2e-5
# What any page may name.
COMMON = {"words": ("exact", " ".join(TOKENS)), "target": ("exact", TARGET)}
NOT_COMPARED = ("_ns", "_us", "_ms", "_error")


class Different(Exception):
    """What was recomputed is not what is committed."""


def cells_of(source):
    """[(is code, text)] of a source's text."""
    parts = re.split(r"^```python\n(.*?)^```\n", source, flags=re.M | re.S)
    return [(i % 2 == 1, text.strip("\n")) for i, text in enumerate(parts) if text.strip()]


def page_of(source):
    """The text of the page: no cells, and nothing that is the notebook's alone."""
    text = source.partition(NOTEBOOK_ONLY)[0]
    text = re.sub(r"^```python\n.*?^```\n", "", text, flags=re.M | re.S)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def numbers_of(page):
    """The committed numbers of a page: {name: (kind, shown)}."""
    try:
        with open(DATA / f"{page}.csv", newline="") as file:
            return {row["name"]: (row["kind"], row["shown"]) for row in csv.DictReader(file)}
    except FileNotFoundError:
        return {}


def fill(text, page, numbers):
    """`{{name}}` by this page's numbers and `{{PAGE:name}}` by another page's."""
    def value(match):
        name = match[1]
        other, colon, theirs = name.partition(":")
        known = numbers_of(other) if colon else COMMON | numbers
        if (theirs if colon else name) not in known:
            raise Different(f"{page}: no cell says {name}")
        return known[theirs if colon else name][1]
    return re.sub(r"\{\{([\w:-]+)\}\}", value, text)


def run_page(page, times):
    """Executes a page's notebook; the notebook and the numbers its cells said."""
    for old in [*OUT.glob(f"{page}.*"), *OUT.glob(f"{page}-*")]:
        old.unlink()
    source = (SOURCES / f"{page}.md").read_text()
    cells = [(True, PRELUDE)] + cells_of(source.replace(NOTEBOOK_ONLY, ""))
    cells.insert(1, cells.pop(0))  # the title first
    notebook = nbformat.v4.new_notebook(metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    for i, (code, text) in enumerate(cells + [(True, "finish()")]):
        make = nbformat.v4.new_code_cell if code else nbformat.v4.new_markdown_cell
        notebook.cells.append(make(text, id=f"cell-{i}"))
    NotebookClient(notebook, kernel_name="python3", timeout=600, record_timing=False,
                   extra_arguments=["--log-level=ERROR"],
                   resources={"metadata": {"path": str(STUDY)}}).execute(
        env=os.environ | {"CORELLAMA_STUDY_PAGE": page, "PYTHONDONTWRITEBYTECODE": "1",
                          "CORELLAMA_STUDY_TIMES": "1" if times else "0"})
    for cell in notebook.cells:
        cell.metadata = {}
    said = json.loads((OUT / f"{page}.json").read_text())["numbers"]
    return source, notebook, {k: (v["kind"], v["shown"]) for k, v in said.items()}


def compose(page, source, notebook, numbers):
    """The texts of the page, of its notebook and of its numbers."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill(cell.source, page, numbers)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["name", "kind", "shown"])
    # A block of text that is computed again each time need not stand here, too.
    writer.writerows([name, kind, shown] for name, (kind, shown) in numbers.items()
                     if kind != "exact" or "\n" not in shown)
    return (fill(page_of(source), page, numbers),
            nbformat.writes(notebook, version=4) + "\n", table.getvalue())


def write_page(page, times):
    """Runs a page and writes all that comes of it; without `times` of those committed."""
    source, notebook, numbers = run_page(page, times)
    text, notebook, table = compose(page, source, notebook, numbers)
    DATA.mkdir(exist_ok=True)
    for old in [*STUDY.glob(f"{page}-*.svg"), *(DATA.glob(f"{page}-*.csv") if times else [])]:
        old.unlink()
    (DATA / f"{page}.csv").write_text(table)
    (STUDY / f"{page}.md").write_text(text)
    (STUDY / f"{page}.ipynb").write_text(notebook)
    for path in OUT.glob(f"{page}-*"):
        folder = {".csv": DATA, ".svg": STUDY}.get(path.suffix)
        if folder:
            (folder / path.name).write_bytes(path.read_bytes())
    return 1


def check_page(page):
    """Runs a page but for its times; the number of things that agree with what is
    committed. Raises Different."""
    source, notebook, numbers = run_page(page, times=False)
    committed = numbers_of(page)
    compared = 0
    for name, (kind, shown) in numbers.items():
        if kind == "exact" and "\n" not in shown:
            if name not in committed or not same_number(shown, committed[name][1]):
                raise Different(f"{page}: {name} is {shown}, committed is "
                                f"{committed.get(name, ('', 'nothing'))[1]}")
            compared += 1
    for path in sorted(OUT.glob(f"{page}-*.csv")):
        compare_tables(page, path, DATA / path.name)
        compared += 1
    for path in OUT.glob(f"{page}-*.svg"):
        if not (STUDY / path.name).exists():
            raise Different(f"{page}: {path.name} is not committed")
    # With the committed numbers, which agree, the texts are the same to the byte.
    text, _, _ = compose(page, source, notebook, numbers | committed)
    if text != (STUDY / f"{page}.md").read_text():
        raise Different(f"{page}: docs/study/{page}.md is not what its source makes: "
                        + first_difference(text, (STUDY / f"{page}.md").read_text()))
    cells = nbformat.read(STUDY / f"{page}.ipynb", 4).cells
    if [c.source for c in cells] != [c.source for c in notebook.cells]:
        raise Different(f"{page}: docs/study/{page}.ipynb has other cells than its source")
    return compared + 2


def others(write):
    """The pages that no cell makes: index, closing page, and the sliders with their data inline.
    Writes them, or raises Different where what is committed is not this."""
    with open(DATA / "4-rope-decay.csv") as file:
        decay = [[int(row["distance"]), float(row["q_k"])] for row in csv.DictReader(file)]
    explore = (SOURCES / "explore.html").read_text()
    for name, text in [
            ("explore.html", explore.replace("{{data}}", json.dumps({"decay": decay}))),
            *((name, fill((SOURCES / name).read_text(), name, {}))
              for name in ("README.md", "choices.md"))]:
        if write:
            (STUDY / name).write_text(text)
        elif (STUDY / name).read_text() != text:
            raise Different(f"docs/study/{name} is not what its source makes; run scripts/study")
    return 3


def same_number(a, b):
    """Equal texts, or numbers that differ by one unit of the last digit shown."""
    if a == b:
        return True
    try:
        x, y = Decimal(a), Decimal(b)
    except InvalidOperation:
        return False
    return abs(x - y) <= Decimal(1).scaleb(max(x.as_tuple().exponent, y.as_tuple().exponent))


def compare_tables(page, path, committed):
    """Two csv files, but for columns of times and of rounding errors."""
    with open(path) as a, open(committed) as b:
        ours, theirs = list(csv.reader(a)), list(csv.reader(b))
    if ours[0] != theirs[0] or len(ours) != len(theirs):
        raise Different(f"{page}: {path.name} has other columns or rows than committed")
    for i, name in enumerate(ours[0]):
        if name.endswith(NOT_COMPARED):
            continue
        for line, (row, other) in enumerate(zip(ours[1:], theirs[1:]), 2):
            a, b = row[i], other[i]
            if a == b:
                continue
            try:
                near = abs(float(a) - float(b)) <= TOLERANCE * max(abs(float(b)), 1e-6)
            except ValueError:
                near = False
            if not near:
                raise Different(f"{page}: {path.name}:{line}: {name} is {a}, committed is {b}")


def first_difference(a, b):
    for x, y in zip(a.splitlines(), b.splitlines()):
        if x != y:
            return f"`{x[:90]}` for `{y[:90]}`"
    return "one is longer"


def reason(error):
    """The last line of an error, which says what; above it is the cell."""
    text = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip()
    return text.splitlines()[-1] if text else type(error).__name__
