"""The bits of programs are those that golden.json has.

Input: the driver, the emulator and the demo model; output: PASS/FAIL lines. The demo
model and 26 random models are compiled for two CPUs, with rows and cache in f32 and
(without --all fewer of them) with the cache in f16, with rows of 8 bits and with rows in
fixed point, the demo also with keys in q8_0 and values in bf16; each program
reads a fixed prompt, chooses a few ids more and writes its logits, of which golden.json
has a hash for each row. Both CPUs have the same hashes: docs/bits.md says why. Two models run on the emulator too, as a GPU's code. A change of the compiler that
is not meant to change bits must pass this unchanged; one that is meant to writes the
file anew with --update and says so. A file of its own because it compares a compiler
with an older one, where the other tests compare it with a reference.
"""

import concurrent.futures
import hashlib
import json
import os
from pathlib import Path

import numpy as np

import emulated
import harness
import make_models

GOLDEN = Path(__file__).with_name("golden.json")
TARGETS = ["x86-64-v3", "x86-64-v4"]  # a host without AVX-512 runs the first alone
# Kinds of programs by their names in golden.json.
KINDS = {"f32": ["--activations=f32"],
         "f32, cache f16": ["--activations=f32", "--cache-type=f16"],
         "q8": ["--activations=q8"],
         "x24": ["--activations=x24"],
         "q8, cache q8_0 and bf16": ["--activations=q8", "--cache-type-k=q8_0",
                                     "--cache-type-v=bf16"]}
# Models that have rows in fixed point without --all: blocks of 32, and of 256 by levels.
FIXED_POINT = [9, 25]
# 37 ids: tiles of rows and a rest in prefill. 300: attention over more than one block
# of 256 keys. The ids that follow are rows of decode.
PROMPT, DEMO_PROMPT, NEW_IDS = 37, 300, 5
# (random model, GPU): a format with minima, one with alternating formats. The emulator
# takes a second for a row, so the prompt is short.
EMULATED = [(5, "cuda:sm_80"), (9, "cuda:sm_90a")]
EMULATED_PROMPT, EMULATED_NEW_IDS = 3, 2
DIGEST_BYTES = 5  # enough for a difference, which is never made on purpose


def digest(data):
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


def prompt(count, vocabulary):
    """Ids that repeat nothing soon and need no generator of random numbers."""
    return [(i * i * 7 + i * 31 + 5) % vocabulary for i in range(count)]


class Golden:
    def __init__(self, report, args, folder):
        self.report, self.args, self.folder = report, args, folder
        self.kept = {} if args.update else json.loads(GOLDEN.read_text())
        self.made = {}

    def compare(self, key, what, hashes):
        """One line of golden.json; `what` names who made these hashes."""
        first = self.made.setdefault(key, hashes)
        wanted = first if self.args.update else self.kept.get(key)
        if wanted is None:
            self.report.fail(what, f"golden.json has no '{key}'; write it again with "
                             "--update")
            return
        wrong = [i for i, (a, b) in enumerate(zip(wanted, hashes)) if a != b]
        self.report.check(
            what, hashes == wanted, lambda:
            f"row {wrong[0]} is the first of {len(wrong)} of {len(wanted)} rows with "
            "other bits" if wrong else f"{len(hashes)} rows, expected {len(wanted)}",
            f"{len(hashes)} rows")

    def is_model(self, name, path):
        """Whether a random model is the file it was: else its logits say nothing."""
        key = f"{name} checkpoint"
        have = digest(path.read_bytes())
        self.made[key] = have
        return self.report.check(
            f"{name}: the checkpoint is the same",
            self.args.update or self.kept.get(key) == have, "make_models.py, or the "
            "versions of numpy and gguf in scripts/requirements.txt, make another one")

    def run_program(self, name, model, ids, target, kind):
        what = f"{name} {target} {kind}"
        program = self.folder / what.replace(" ", "_")
        logits = program.with_suffix(".npy")
        made = harness.compile_model(self.args.corellama, model, program,
                                     f"--target={target}", *KINDS[kind])
        if made.code != 0:
            self.report.fail(what, made.why())
            return
        result, chosen = harness.generate(program, ids, NEW_IDS, "-t", 1, logits=logits)
        program.unlink()
        if chosen is None:
            self.report.fail(what, result.why())
            return
        rows = np.load(logits)
        logits.unlink()
        self.compare(f"{name} {kind}", what, [digest(r.tobytes()) for r in rows])

    def run_emulator(self, name, model, ids, target):
        what = f"{name} {target}"
        program = self.folder / f"{name}.{target[-4:]}"
        logits = program.with_suffix(".npy")
        emulator = emulated.Emulator(self.args.corellama, self.args.emulator, self.folder)
        made = emulator.compile(model, program, target, "--activations=f32")
        if made.code != 0:
            self.report.fail(what, made.why())
            return
        result, chosen = harness.generate(program, ids, EMULATED_NEW_IDS, "-b", 1,
                                          logits=logits, env=emulator.environment(target))
        if chosen is None:
            self.report.fail(what, result.why())
            return
        self.compare(what, what, [digest(r.tobytes()) for r in np.load(logits)])

    def write(self):
        lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(self.made.items())]
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--emulator", required=True, type=harness.existing,
                   help="build/bin/corellama-emulator-library")
    p.add_argument("--update", action="store_true",
                   help="write golden.json again; the targets must still agree")
    p.add_argument("--only", metavar="I,J",
                   help="of the random models only I, J; neither demo nor emulator")
    p.add_argument("--all", action="store_true",
                   help="all kinds of rows and cache for every random model, on both CPUs")
    args = p.parse_args()
    only = [int(i) for i in args.only.split(",")] if args.only else None
    if only and args.update:
        p.error("--update writes the whole file; leave --only out")
    targets = list(TARGETS)
    report = harness.Report()
    if "avx512f" not in Path("/proc/cpuinfo").read_text():
        report.skip(targets.pop(), "this CPU has no AVX-512")
    with harness.Workspace(args.keep) as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        golden = Golden(report, args, folder)
        jobs = []

        def start(work, *arguments):
            jobs.append(pool.submit(work, *arguments))

        # Both targets have the same hashes: by default those of a random model's
        # kinds are compared by one of them in turn.
        def start_programs(name, model, ids, kinds, turn=None):
            for i, kind in enumerate(kinds, turn or 0):
                both = turn is None or args.all or args.update or only is not None
                for target in targets if both else [targets[i % len(targets)]]:
                    start(golden.run_program, name, model, ids, target, kind)

        if only is None:
            start_programs("demo", args.model, prompt(DEMO_PROMPT, 49152), KINDS)
        for index in range(len(make_models.RECIPES)) if only is None else only:
            name, path = f"m{index:02d}", folder / f"m{index:02d}.gguf"
            vocabulary = make_models.write_model(path, 1, index)["vocabulary"]
            if not golden.is_model(name, path):
                continue
            # A cache of f16 is the same whatever the formats, and rows of 8 bits have it
            # too: by default fewer models have all kinds.
            kinds = [kind for kind, few in [("f32", None), ("q8", make_models.FEW),
                                            ("x24", FIXED_POINT),
                                            ("f32, cache f16", make_models.QUANTISED)]
                     if args.all or args.update or few is None or index in few]
            start_programs(name, path, prompt(PROMPT, vocabulary), kinds, turn=index)
            for target in [t for i, t in EMULATED if i == index and only is None]:
                start(golden.run_emulator, name, path,
                      prompt(EMULATED_PROMPT, vocabulary), target)
        for job in jobs:
            job.result()
        if args.update:
            golden.write()
    report.finish()


if __name__ == "__main__":
    main()
