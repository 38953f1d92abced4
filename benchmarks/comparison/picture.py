"""A comparison as a picture: bars against the ceiling. And any figure as an SVG.

Input: rows; output: the text of an SVG, which is legible on light and on dark (`svg_text`,
which `scripts/study` uses, too). One panel a test, one group of bars a model: how
near each engine comes to the speed at the machine's ceilings, with its tokens a second
beside it. Shares and not tokens a second give the lengths, because a model ten times
as large would have bars a tenth as long and nothing to read from them. A file of its own
because nothing else needs matplotlib.
"""

import io

import matplotlib
from matplotlib.figure import Figure

# Stands for the colour of text until the end: an SVG may ask the reader's mode for it,
# matplotlib cannot.
INK = "#010203"
STYLE = """<style>
  svg { color: #1f2328; }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3; } }
</style>"""
# Of middle brightness: legible on white and on black.
PEER_COLOUR = "#d9822b"
OUR_COLOURS = ["#3f88e0", "#2ba58f", "#a374d5", "#c9507a"]
BAR = 0.3       # inches, with its gap
GROUP_GAP = 0.2  # between models, inches


def set_style(parameters):
    """What `svg_text` relies on: text stays text, in one colour."""
    parameters.update({
        "svg.fonttype": "none", "svg.hashsalt": "corellama", "font.size": 9,
        # Verdana is as wide as DejaVu Sans, by which matplotlib places text.
        "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans", "Verdana"],
        "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK,
        "xtick.color": INK, "ytick.color": INK})


def svg_text(figure):
    """The text of an SVG, transparent, with INK in the colour of the reader's text."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    start, svg, rest = text.getvalue().partition("<svg ")
    attributes, end, body = rest.partition(">")
    return (start + svg + attributes + end + "\n" + STYLE
            + body.replace(INK, "currentColor"))


def draw(rows, title):
    """The text of an SVG."""
    set_style(matplotlib.rcParams)
    tests = list(dict.fromkeys(row.test for row in rows))
    models = list(dict.fromkeys(row.model for row in rows))
    programs = list(dict.fromkeys(row.activations for row in rows))
    group = BAR * (1 + len(programs)) + GROUP_GAP
    figure = Figure(figsize=(9, len(tests) * (len(models) * group + 0.6) + 0.7),
                    layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(len(tests), 1, squeeze=False)[:, 0]
    longest = 1.0
    for panel, test in zip(panels, tests):
        longest = max(longest, draw_test(panel, [r for r in rows if r.test == test],
                                         models, programs, group))
        panel.set_title(test, loc="left")
    for panel in panels:
        panel.set_xlim(0, 105 * longest)
    panels[-1].set_xlabel("share of the speed at the ceilings of this machine, %")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels),
                  frameon=False)
    return svg_text(figure)


def draw_test(panel, rows, models, programs, group):
    """The bars of a test; the greatest share."""
    # One ceiling a model: programs that multiply with unlike units have unlike ones.
    ceilings = {model: max(row.at_ceiling for row in rows if row.model == model)
                for model in models}
    bars = [("llama.cpp", PEER_COLOUR, {row.model: row.theirs for row in rows})]
    for i, program in enumerate(programs):
        bars.append((f"corellama {program}", OUR_COLOURS[i % len(OUR_COLOURS)],
                     {r.model: r.ours for r in rows if r.activations == program}))
    for i, (label, colour, speeds) in enumerate(bars):
        places = [models.index(model) * group + i * BAR for model in speeds]
        shares = [100 * speed / ceilings[model] for model, speed in speeds.items()]
        panel.barh(places, shares, height=0.85 * BAR, color=colour, label=label)
        # In a column beside the panel, where no bar or line runs through them.
        for place, speed in zip(places, speeds.values()):
            panel.text(1.01, place, f"{speed:.1f} tok/s", va="center",
                       transform=panel.get_yaxis_transform())
    panel.axvline(100, color=INK, linewidth=1, linestyle="--", label="ceiling")
    panel.set_yticks([i * group + BAR * (len(bars) - 1) / 2 for i in range(len(models))],
                     models)
    panel.set_ylim(len(models) * group - GROUP_GAP, -BAR)  # the first on top
    panel.spines[["top", "right"]].set_visible(False)
    return max(max(row.ours, row.theirs) / ceilings[row.model] for row in rows)
