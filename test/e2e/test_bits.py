"""The bits of the logits do not depend on how the work was done.

Input: the driver and a checkpoint; output: PASS/FAIL lines. A random model whose
layers alternate between formats is run with 1 to 8 threads, at depths around the
blocks of attention, with several chunk sizes, again, (with --delays-rt) linked with
the runtime whose workers wait at random, with plain strategies in place of the tuned
ones, and compiled to five forms, with calls of
every form and of fewer rows than it takes; every run must write the same logits and
ids. The checkpoint, which is larger, has some of these runs, with --all all of
them. Two compiles from different folders must give the same file. A file of its own
because equality of bits needs no reference.
"""

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np

import harness
import llama_reference
import make_models

DEPTHS = [1, 255, 256, 257, 1000]  # around attention's blocks of 256 keys
FORMS = "--rows=1,2,4,8,512"
NEW_IDS = 4
RANDOM_MODEL = 9                   # of make_models: six formats
PLAIN_MODELS = [6, 24, 25, 26]     # between them all others


@dataclasses.dataclass
class Sweep:
    """What a program is run with at each depth."""
    threads: list
    chunks: list        # 512 is the default of compile --chunk
    delayed_threads: list
    # Calls that fill a form and that do not; what is left over of a prompt goes
    # through other forms.
    mixes: list


EVERY = Sweep(list(range(1, 9)), [1, 7, 64, 512], [2, 3, 8],
              [1, 2, 3, 5, 8, 9, 100])
SOME = Sweep([1, 2, 3, 8], [7, 512], [3], [100])


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            h.update(piece)
    return h.hexdigest()


def first_difference(a, b):
    x, y = np.load(a, mmap_mode="r"), np.load(b, mmap_mode="r")
    if x.shape != y.shape:
        return f"shapes are {list(x.shape)} and {list(y.shape)}"
    for row in range(len(x)):
        different = int((x[row].view(np.uint32) != y[row].view(np.uint32)).sum())
        if different:
            return f"row {row} is the first that differs, in {different} logits"
    return "the arrays agree, the files do not"


class Depth:
    """One prompt, and what its first run gave."""

    def __init__(self, report, ids, folder):
        self.report, self.ids, self.folder = report, ids, folder
        self.first = folder / "first.npy"
        self.digest = self.new = None

    def run(self, name, program, *flags):
        path = self.folder / "logits.npy" if self.digest else self.first
        result, new = harness.generate(program, self.ids, NEW_IDS, *flags,
                                       logits=path)
        if new is None:
            return self.report.fail(name, result.why())
        if self.digest is None:
            self.digest, self.new = digest(path), new
            rows = len(self.ids) + NEW_IDS - 1
            shape = np.load(path, mmap_mode="r").shape
            return self.report.check(name, shape[0] == rows,
                                     f"logits have {shape[0]} rows, expected {rows}")
        same = digest(path) == self.digest
        self.report.check(name, same and new == self.new, lambda: (
            f"ids are {new}, were {self.new}" if same
            else first_difference(self.first, path)))
        os.unlink(path)


def with_runtime(corellama, runtime, folder):
    """A driver beside another runtime: it looks for rt/ next to its own bin/."""
    (folder / "bin").mkdir()
    (folder / "rt").symlink_to(os.path.abspath(runtime), target_is_directory=True)
    return shutil.copy2(os.path.realpath(corellama), folder / "bin" / "corellama")


def test_reproducible(report, args, folder):
    """Two compiles from different folders, by different spellings of a path."""
    programs = []
    for i, spelling in enumerate(["absolute", "relative"]):
        home = folder / f"home{i}" / ("deep/er" if i else "")
        home.mkdir(parents=True)
        model = home / "model.gguf"
        model.symlink_to(os.path.realpath(args.model))
        made = harness.compile_model(
            args.corellama, model if spelling == "absolute" else "model.gguf",
            home / "program" if spelling == "absolute" else "program",
            *args.flags, cwd=home)
        if made.code != 0:
            return report.fail("two compiles", made.why())
        programs.append(home / "program")
    report.check("two compiles give the same bytes", harness.same_file(*programs),
                 "the programs differ")


def sweep(report, args, model, runs, folder):
    """Every run of a model at each depth must write the same."""
    folder.mkdir()
    name, program = model.stem, folder / "program"
    made = harness.compile_model(args.corellama, model, program, *args.flags)
    if not report.check(f"{name}: compiles", made.code == 0, made.why):
        return
    delayed = None
    if args.delays_rt:
        other = folder / "delays"
        other.mkdir()
        delayed = other / "program"
        made = harness.compile_model(
            with_runtime(args.corellama, args.delays_rt, other), model, delayed,
            *args.flags)
        if not report.check(f"{name}: compiles with delays", made.code == 0, made.why):
            return
        report.check(f"{name}: the delays are in the program",
                     not harness.same_file(program, delayed),
                     "it has the bytes of the one without them")
    else:
        report.skip(f"{name}: random delays", "give --delays-rt")
    forms = folder / "forms"
    made = harness.compile_model(args.corellama, model, forms, FORMS, *args.flags)
    if not report.check(f"{name}: compiles five forms", made.code == 0, made.why):
        return
    plain = folder / "plain"
    made = harness.compile_model(args.corellama, model, plain, "--strategy=plain",
                                 *args.flags)
    if not report.check(f"{name}: compiles plainly", made.code == 0, made.why):
        return
    vocabulary = llama_reference.Model(model).vocabulary
    rng = np.random.default_rng([args.seed, 3])
    for depth in map(int, args.depths.split(",")):
        d = Depth(report, rng.integers(0, vocabulary, depth).tolist(), folder)
        place = f"{name}, depth {depth}"
        for t in runs.threads:
            d.run(f"{place}, -t {t}", program, "-t", t)
        d.run(f"{place}, -t 2 again", program, "-t", 2)
        d.run(f"{place}, plain", plain, "-t", 2)
        for b in runs.chunks:
            d.run(f"{place}, -b {b}", program, "-t", 2, "-b", b)
        for b in runs.mixes:
            d.run(f"{place}, five forms, -b {b}", forms, "-t", 2, "-b", b)
        for t in runs.delayed_threads if delayed else ():
            d.run(f"{place}, -t {t} with delays", delayed, "-t", t)


def test_plain(report, args, folder):
    """Formats that the sweeps do not have: tuned code gives the bits of plain code."""
    for recipe in PLAIN_MODELS:
        model = folder / f"random-{recipe}.gguf"
        make_models.write_model(model, args.seed, recipe)
        programs = []
        for strategy in ("tuned", "plain"):
            programs.append(folder / strategy)
            made = harness.compile_model(args.corellama, model, programs[-1],
                                         f"--strategy={strategy}", *args.flags)
            if not report.check(f"{model.stem}: compiles, {strategy}", made.code == 0,
                                made.why):
                return
        vocabulary = llama_reference.Model(model).vocabulary
        ids = np.random.default_rng([args.seed, recipe]).integers(0, vocabulary, 40)
        d = Depth(report, ids.tolist(), folder)
        for program in programs:
            d.run(f"{model.stem}, {program.name}", program, "-t", 2)


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--delays-rt", type=harness.existing, metavar="DIR",
                   help="the runtime with injected delays, e.g. build/rt-delays")
    p.add_argument("--flags", default="", help="flags of compile, comma separated")
    p.add_argument("--depths", default=",".join(map(str, DEPTHS)))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--all", action="store_true", help="every run of the checkpoint, too")
    p.add_argument("--random-only", action="store_true",
                   help="sweep the random model alone")
    args = p.parse_args()
    args.flags = [f for f in args.flags.split(",") if f]
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        test_reproducible(report, args, folder)
        test_plain(report, args, folder)
        small = folder / "random.gguf"
        make_models.write_model(small, args.seed, RANDOM_MODEL)
        sweep(report, args, small, EVERY, folder / "small")
        if not args.random_only:
            sweep(report, args, Path(args.model), EVERY if args.all else SOME,
                  folder / "large")
    report.finish()


if __name__ == "__main__":
    main()
