"""What two benchmarks printed, as rounds, medians and ratios.

Input: the JSON of `llama-bench` and of `corellama bench`, of one test and one repetition
each; output: rows of a comparison. A file of its own because it measures nothing: all of
it can be tested on recorded text.

A shared machine has slow minutes, so a ratio is the median of the rounds' ratios and not
the ratio of medians: both sides of a round were measured within seconds.
"""

import dataclasses
import json
import statistics

from comparison.steps import Failure

LLAMA_CPP = ("llama.cpp -fa 0", "llama.cpp -fa 1")


@dataclasses.dataclass(frozen=True)
class Test:
    """A test of llama-bench: a prompt, or generated tokens, behind `n_depth` others."""
    n_prompt: int
    n_gen: int
    n_depth: int

    @property
    def name(self):
        kind = f"pp{self.n_prompt}" if self.n_prompt else f"tg{self.n_gen}"
        return kind + (f" @ d{self.n_depth}" if self.n_depth else "")

    @property
    def arguments(self):
        """Both benchmarks take the same."""
        return ["-p", self.n_prompt, "-n", self.n_gen, "-d", self.n_depth]


def all_tests(prompts, generated, depths):
    """In the order of llama-bench."""
    return [Test(p, n, d) for d in depths
            for p, n in [(p, 0) for p in prompts] + [(0, n) for n in generated]]


def parse(text, what, test, keys):
    """The values of `keys` in the one record of a benchmark's JSON."""
    try:
        [record] = json.loads(text)
        got = Test(*(record[key] for key in ("n_prompt", "n_gen", "n_depth")))
        values = {key: record[key] for key in keys}
    except (ValueError, TypeError, KeyError) as error:
        raise Failure(f"{what}: printed no JSON list of one record with {', '.join(keys)}: "
                      f"{text.strip()[:80]!r}") from error
    if got != test:
        raise Failure(f"{what}: measured {got.name}, expected {test.name}")
    if not record["avg_ts"] > 0:
        raise Failure(f"{what}: {test.name} took no time; give it more tokens")
    return values


def parse_llama_bench(text, test):
    return parse(text, "llama-bench", test, ["avg_ts", "build_commit", "type_k", "type_v"])


def parse_corellama(text, test):
    return parse(text, "corellama bench", test,
                 ["avg_ts", "build", "target", "activations", "type_k", "type_v",
                  "ceiling_gbps", "ceiling_gops", "share"])


@dataclasses.dataclass(frozen=True)
class Row:
    """One program of ours and one test, beside the faster llama.cpp."""
    model: str
    activations: str     # as asked for
    computes: str        # what the program says it does
    test: str
    ours: float          # tokens a second
    theirs: float
    flash_attention: int  # which of llama.cpp's two was the faster
    ratio: float
    lowest: float        # ratio of a round
    highest: float
    ceiling_gbps: float
    ceiling_gops: float
    share: float         # of the speed at the ceilings
    at_ceiling: float    # that speed, in tokens a second


def median(rounds, contestant, key="avg_ts"):
    return statistics.median(r[contestant][key] for r in rounds)


def make_row(model, test, activations, rounds):
    """`rounds` is a list of {contestant: parsed record}."""
    ours = contestant(activations)
    theirs = max(LLAMA_CPP, key=lambda name: median(rounds, name))
    ratios = [r[ours]["avg_ts"] / r[theirs]["avg_ts"] for r in rounds]
    return Row(model=model, activations=activations,
               computes=rounds[0][ours]["activations"], test=test.name,
               ours=median(rounds, ours), theirs=median(rounds, theirs),
               flash_attention=LLAMA_CPP.index(theirs), ratio=statistics.median(ratios),
               lowest=min(ratios), highest=max(ratios),
               ceiling_gbps=median(rounds, ours, "ceiling_gbps"),
               ceiling_gops=median(rounds, ours, "ceiling_gops"),
               share=median(rounds, ours, "share"),
               at_ceiling=statistics.median(r[ours]["avg_ts"] / r[ours]["share"]
                                            for r in rounds))


def contestant(activations):
    """The name of a program of ours in a round."""
    return f"corellama {activations}"


def too_slow(rows, least):
    """A line for each row whose ratio is under `least`."""
    return [f"{row.model} {row.activations} {row.test}: ratio is {row.ratio:.3f}, "
            f"expected at least {least:g}" for row in rows if row.ratio < least]
