"""A comparison as a page and as data.

Input: rows, what was measured with what; output: Markdown and JSON. A file of its own
because what people read changes for other reasons than what is measured.
"""

import dataclasses

COLUMNS = ["model", "activations", "test", "corellama tok/s", "llama.cpp tok/s",
           "flash attention", "ratio (rounds)", "ceiling GB/s", "ceiling GOP/s", "share"]
TEXT_COLUMNS = 3
EXPLANATION = """\
Medians of the rounds. A ratio is corellama's speed / llama.cpp's in the same round, the
median and in parentheses the lowest and the highest. llama.cpp is taken with flash
attention on or off, whichever has the better median. Ceilings are what memory delivers
and what the unit of the program multiplies, measured by `corellama bench` within the
same seconds; share is corellama's speed / the speed at these ceilings."""


def digits(value):
    """Three significant digits at least."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def counted(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def cells(row):
    activations = row.activations + (
        f" ({row.computes})" if row.computes != row.activations else "")
    return [row.model, activations, row.test, digits(row.ours), digits(row.theirs),
            "on" if row.flash_attention else "off",
            f"{row.ratio:.2f} ({row.lowest:.2f} to {row.highest:.2f})",
            digits(row.ceiling_gbps), digits(row.ceiling_gops), f"{100 * row.share:.0f}%"]


def table(rows):
    lines = [COLUMNS] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]

    def show(line):
        return "| " + " | ".join(
            cell.ljust(width) if i < TEXT_COLUMNS else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))) + " |"
    rule = "| " + " | ".join("-" * width if i < TEXT_COLUMNS else "-" * (width - 1) + ":"
                             for i, width in enumerate(widths)) + " |"
    return "\n".join([show(COLUMNS), rule, *map(show, lines[1:])])


def page(about, rows):
    """`about` is the head of the JSON, see data()."""
    machine, peer = about["machine"], about["llama_cpp"]
    return f"""\
# corellama beside llama.cpp on {machine['name']}

Made by `benchmarks/compare` on {about['date']}: {counted(about['rounds'], 'round')}, \
{counted(about['threads'], 'thread')}.

- CPU: {machine['name']}, {', '.join(machine['features'])}
- {about['corellama']['build']}, target {about['corellama']['target']}
- llama.cpp: commit {peer['commit'][:9]} of {peer['package']}, {peer['compiler']}, \
`{' '.join(peer['flags'])}`, built with `{' '.join(peer['cmake'])}`
- each round: `llama-bench -r 1 -fa 0`, `-fa 1` and `corellama bench -r 1`, in turn in \
this order and in the reverse
- caches: {', '.join(about['caches'])}

{table(rows)}

{EXPLANATION}
"""


def data(about, rows, rounds):
    """All that was measured; `rounds` is {(model, test name): rounds}."""
    return {**about, "rows": [dataclasses.asdict(row) for row in rows],
            "rounds_of": [{"model": model, "test": test, "rounds": measured}
                          for (model, test), measured in rounds.items()]}
