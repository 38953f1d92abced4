"""What the cells of a page use: claims, numbers, tables, pictures.

Input: values that cells compute; output: WORK/out/PAGE.json with the numbers and texts of
the page, PAGE-NAME.csv and PAGE-NAME.svg beside it. scripts/study puts them into the page,
or compares them with what is committed. A file of its own because a page should hold
what it says and computes, and nothing else.
"""

import contextlib
import csv
import json
import os
import re
import sys

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from .tools import *  # noqa: F401,F403 cells see one namespace
from .tools import ROOT, WORK

sys.path.insert(0, str(ROOT / "benchmarks"))
from comparison.picture import INK, set_style, svg_text  # noqa: E402

PAGE = os.environ.get("CORELLAMA_STUDY_PAGE", "scratch")
# full: measure times, too. check: do not.
TIMES = os.environ.get("CORELLAMA_STUDY_TIMES", "1") == "1"
OUT = WORK / "out"
OUT.mkdir(parents=True, exist_ok=True)
# Of middle brightness: legible on white and on black.
BLUE, ORANGE, GREEN, PURPLE, RED = "#3f88e0", "#d9822b", "#2ba58f", "#a374d5", "#d0506a"
COLOURS = [BLUE, ORANGE, GREEN, PURPLE, RED]
# float64 and float32: the largest relative error of one rounding.
U64, U32 = 2.0**-53, 2.0**-24

_numbers, _claims = {}, []


def claim(text, holds):
    """Asserts what the page says."""
    if not np.all(holds):
        raise AssertionError(f"{PAGE}: does not hold: {text}")
    _claims.append(text)
    print("holds:", text)


def say(rounding=False, time=False, **shown):
    """Numbers and texts that the page shows as `{{name}}`. What depends on the last bits of
    a machine's sines (`rounding`) or is a time is not compared."""
    kind = "rounding" if rounding else "time" if time else "exact"
    for name, value in shown.items():
        _numbers[name] = {"shown": str(value), "kind": kind}
    _save()


def _save():
    with open(OUT / f"{PAGE}.json", "w") as file:
        json.dump({"numbers": _numbers, "claims": len(_claims)}, file, indent=1)


def finish():
    """The page's last cell: how many claims held."""
    say(claims=len(_claims))
    print(len(_claims), "claims hold")


def table(name, **columns):
    """The data of a picture, six digits. Columns named `..._ns`, `..._ms`, `..._us` are
    times, `..._error` are roundings: neither is compared."""
    rows = zip(*(np.ravel(column) for column in columns.values()), strict=True)
    with open(OUT / f"{PAGE}-{name}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(f"{value:.6g}" if isinstance(value, float) else value
                            for value in (getattr(v, "item", lambda v=v: v)() for v in row))


def measured(name, measure):
    """The table of times that `measure` makes, by column; where none are taken the committed
    one, so that what is said and drawn of it is always made anew."""
    if TIMES:
        table(name, **measure())
    return np.genfromtxt((OUT if TIMES else ROOT / "docs/study/data") / f"{PAGE}-{name}.csv",
                         delimiter=",", names=True, dtype=None, encoding="utf-8")


@contextlib.contextmanager
def picture(name, rows=1, columns=1, size=(7.5, 3.2), show=False):
    """A figure's panels, an array; written as PAGE-NAME.svg at the end, or shown in the
    notebook alone."""
    set_style(matplotlib.rcParams)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    yield panels if rows > 1 and columns > 1 else panels.ravel()
    for panel in figure.axes:
        if not panel.images:
            panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[0] and panel.get_legend() is None:
            panel.legend(frameon=False, labelcolor=INK)
    text = svg_text(figure)
    if not show:
        (OUT / f"{PAGE}-{name}.svg").write_text(text)
    if os.environ.get("CORELLAMA_STUDY_PNG"):
        figure.savefig(OUT / f"{PAGE}-{name}.png", dpi=90, facecolor="white")
    if show:
        from IPython.display import SVG, display
        display(SVG(text))


def curves(name, x, series, x_name="x", style="-", also=None, size=(7.5, 2.6), show=False, kind="", **axes):
    """A picture of lines {label: values} and its table, whose columns end in `kind`.
    `also` draws what else the panel has."""
    if not show:
        table(name, **{x_name: x}, **{
            re.sub(r"\W+", "_", label).strip("_") + kind: y for label, y in series.items()})
    with picture(name, size=size, show=show) as [panel]:
        for colour, (label, y) in zip(COLOURS, series.items()):
            panel.plot(x, y, style, color=colour, label=label)
        panel.set(**axes)
        if also:
            also(panel)


def show_encoding(kind, formula, base=None, tile="tile.position", asm=r"vpsllq\s+\$"):
    """Of a page on an encoding: the running example by the op, its sum with the tokens, and
    its tile and its code from what matches `tile` and `asm` on; of a sine without the
    polynomials."""
    codes = encode(kind, range(4), 8, base)
    claim("the op is the formula, on the example", np.abs(codes - formula) < 1e-15)
    say(codes=rows_of(codes), added=rows_of(X + codes))
    lowered = phases(positions_module(kind, 8, base), "encode", np.arange(4, dtype=np.int32))
    say(tile=excerpt(lowered["tile"], tile, "tile.store", keep=base and
                     "tofp|mulf|negf|cmpi|select|xori|truncf|store"),
        asm=excerpt(lowered["assembly"], asm, r"vmovup.\s+%"))
    return codes


def heat(panel, values, label, x, y, cmap="viridis", **more):
    """A heat map with its colour bar, axes named."""
    image = panel.imshow(values, aspect="auto", cmap=cmap, interpolation="nearest", **more)
    panel.set(xlabel=x, ylabel=y)
    panel.figure.colorbar(image, ax=panel, label=label)
    return image


def grid(head, lines):
    """A table of the page, from lists of cells."""
    return "\n".join("| " + " | ".join(map(str, cells)) + " |"
                     for cells in [head, ["---"] * len(head), *lines])


def rows_of(values, form="{:.4g}"):
    """An array as a block of text, one row a line."""
    cells = [[form.format(v + 0.0) for v in row] for row in np.atleast_2d(values)]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join("  ".join(cell.rjust(width) for cell in row) for row in cells)


def ratio(values, bounds):
    """The largest of errors divided by their bounds."""
    return float(np.max(np.abs(values) / bounds))
