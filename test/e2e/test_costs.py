"""What compiling costs, by step.

Input: the driver; output: PASS/FAIL lines. A random model of six formats is compiled
with --costs, and no step may take a larger share of the processor time, or more memory,
than its budget: about twice what it took when this was written. Seconds depend on the
machine, shares do not: a pass that has become quadratic, or a module that has grown,
shows here. The model's weights are small, so memory is the compiler's own.
"""

import re

import harness
import make_models

RECIPE = 9  # layers that alternate between six formats

# Step: (percent of the time, MiB) at most.
BUDGETS = {
    "reading": (5, 190),
    "phase specialize": (5, 190),
    "phase fuse": (5, 190),
    "phase plan": (5, 190),
    "phase schedule": (5, 190),
    "phase tile": (5, 200),
    "phase vector": (16, 240),
    "phase llvm": (45, 280),
    "optimizing": (70, 330),
    "generating code": (55, 350),
    "linking": (5, 380),
    "packing weights": (5, 380),
}


def costs(text):
    """{step: (seconds, MiB)} of the table."""
    rows = re.findall(r"^(\S.*?) +(\d+\.\d+) +(\d+)$", text, re.M)
    return {("reading" if name.startswith("reading ") else name):
            (float(seconds), int(mib)) for name, seconds, mib in rows}


def main():
    args = harness.parser(__doc__.splitlines()[0], model=False).parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        model = folder / "model.gguf"
        make_models.write_model(model, 1, RECIPE)
        result = harness.compile_model(args.corellama, model, folder / "program", "--costs")
        steps = costs(result.err_text)
        report.check("--costs: each step", result.code == 0
                     and list(steps) == list(BUDGETS), result.why)
        total = sum(seconds for seconds, _ in steps.values())
        for step, (percent, mib) in BUDGETS.items():
            if step not in steps:
                continue
            seconds, peak = steps[step]
            report.check(f"{step}: time", seconds <= total * percent / 100,
                         f"{seconds:.2f} of {total:.2f} s, at most {percent}%",
                         f"{100 * seconds / total:.1f}%")
            report.check(f"{step}: memory", 0 < peak <= mib,
                         f"{peak} MiB, at most {mib}", f"{peak} MiB")
    report.finish()


if __name__ == "__main__":
    main()
