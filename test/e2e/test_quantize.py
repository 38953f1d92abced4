"""corellama compile --quantize, against the PyPI package `gguf`.

Input: the driver; output: PASS and FAIL lines. A small model whose weights are F32, F16
and BF16, of random and of adversarial numbers (zeros of both signs, subnormals, ties,
the ends of each range), is compiled with --quantize; the same model, quantised by
gguf.quants before it was written, is compiled without. Both programs must have the same
weights to the byte. Then what is refused or kept, and that dumps carry the option; with
--all the same of a folder with 1.1 billion numbers, in little time and memory. A file of
its own because no other test makes numbers of this kind.

    build/venv/bin/python test/e2e/test_quantize.py --corellama build/bin/corellama
"""

import contextlib
import dataclasses
import json
import mmap
import resource
import struct
import sys
import warnings
from pathlib import Path

import gguf
import numpy as np

import container_models
import harness
import make_models

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import make_checkpoint  # noqa: E402

Type = gguf.GGMLQuantizationType
FORMATS = ["q8_0", "q4_0", "q4_1", "bf16", "f16"]
# 1,000 rows of each source: of the embedding F32, of gate F16, of up BF16.
SIZES = dict(layers=1, dim=128, heads=4, kv_heads=2, head_size=32, hidden=1024,
             vocabulary=1000)
SOURCES = {"token_embd": "F32", "ffn_gate": "F16", "ffn_up": "BF16", "ffn_down": "F32",
           "attn_q": "BF16", "attn_k": "F16", "attn_v": "F32", "attn_output": "F32"}
# One form, so that a program takes a second to compile.
FLAGS = ["--target=x86-64-v3", "--rows=1", "--activations=f32"]
# With --all: the time and memory that a folder of 1.1 billion numbers may take, from BF16 to
# Q4_0 on two cores.
MOST_SECONDS, MOST_BYTES = 40, 3 << 30


def adversarial(rng, rows, columns):
    """Rows of finite float32, a kind each in turn."""
    def bits(least, most):
        return rng.integers(least, most, columns, dtype=np.uint64).astype(
            np.uint32).view(np.float32)

    def signs():
        return rng.choice([-1.0, 1.0], columns)
    largest = np.finfo(np.float32).max
    kinds = [
        lambda: rng.standard_normal(columns),
        lambda: np.zeros(columns),
        lambda: np.full(columns, -0.0),
        lambda: signs() * 0.0,
        lambda: signs() * bits(0, 1 << 23),                     # subnormal
        lambda: signs() * bits(0, 300),                         # the smallest of them
        lambda: bits(0, 1 << 32),                               # any
        lambda: rng.choice([largest, -largest, 0, 1], columns),
        lambda: rng.integers(-8, 9, columns) * 2.0 ** rng.integers(-20, 10),
        lambda: rng.integers(-254, 255, columns) / 2,           # ties of 127 steps
        lambda: rng.integers(0, 31, columns) / 2,               # ties of 15 steps
        lambda: np.full(columns, rng.standard_normal()),
        lambda: np.where(rng.random(columns) < 0.1, 0, np.abs(rng.standard_normal(columns))),
        lambda: signs() * 10.0 ** rng.uniform(-44, 38, columns),
        lambda: rng.standard_normal(columns) * 10.0 ** rng.uniform(-40, 37),
        # Where binary16 ends, at either side, and its ties.
        lambda: signs() * rng.choice(
            [65504, 65519.996, 65520, 65536, 6.1035156e-5, 6.097555e-5, 5.9604645e-8,
             2.9802322e-8, 2.9802326e-8, 8.940697e-8, 1 + 2**-11, 1 + 3 * 2**-11], columns),
    ]
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.stack([np.asarray(kinds[i % len(kinds)](), np.float64).astype(np.float32)
                           for i in range(rows)])
    values[~np.isfinite(values)] = 1
    return values


def stored(values, form):
    """The bytes of a matrix in a plain format, and the float32 that they mean."""
    if form == "F16":
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        halves[~np.isfinite(halves)] = 65504
        return halves, halves.astype(np.float32)
    if form == "BF16":
        words = values.view(np.uint32) >> 16
        return words.astype(np.uint16).view(np.uint8), (words << 16).view(np.float32)
    return values, values


def quantised(values, form):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gguf.quants.quantize(values, Type[form.upper()])


def write_model(path, seed, convert, sizes=SIZES):
    """`convert(name, data, values, form)` says what is written for a matrix: an array
    and its type's name."""
    rng = np.random.default_rng(seed)
    w = gguf.GGUFWriter(path, "llama")
    make_models.add_sizes(w, sizes, context=64)
    for name, rows, columns in make_models.tensors(sizes, tied=True):
        if not rows:
            w.add_tensor(name, rng.uniform(0.5, 1.5, columns).astype(np.float32))
            continue
        form = SOURCES[name.split(".")[-2]]
        data, form = convert(name, *stored(adversarial(rng, rows, columns), form), form)
        w.add_tensor(name, data, raw_dtype=Type[form.upper()])
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def as_stored(name, data, values, form):
    return data, form


def to_format(target):
    def convert(name, data, values, form):
        return quantised(values, target), target
    return convert


def with_number(where, row, column, number):
    def convert(name, data, values, form):
        if name == where:
            values = values.copy()
            values[row, column] = number
            return stored_with_any(values, form), form
        return data, form
    return convert


def stored_with_any(values, form):
    """As `stored`, infinities and NaN included."""
    if form == "F16":
        return values.astype(np.float16)
    if form == "BF16":
        return (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    return values


def read_image(program):
    """(manifest, table of offsets, bytes of the weights) of a program; see
    runtime/ABI/Image.h."""
    with open(program, "rb") as f, contextlib.closing(
            mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)) as data:
        start = 0
        while data[start:start + 8] != b"CLIMAGE1":
            start += 4096
        ranges = struct.unpack_from("<10Q", data, start + 24)
        offsets, _, manifest, _, weights = (
            data[start + at:start + at + size] for at, size in zip(ranges[::2], ranges[1::2]))
    return json.loads(manifest), offsets, weights


class Quantize:
    def __init__(self, report, args, folder):
        self.report, self.args, self.folder = report, args, folder

    def compile(self, model, *flags, name=None):
        program = self.folder / (name or "program")
        return program, harness.compile_model(self.args.corellama, model, program, *FLAGS,
                                              *flags)

    def same_as_gguf(self, plain, form):
        program, result = self.compile(plain, f"--quantize={form}", name=f"{form}.program")
        if not self.report.check(f"{form}: compiles", result.code == 0, result.why):
            return
        reference = self.folder / f"{form}.gguf"
        write_model(reference, self.args.seed, to_format(form))
        other, result = self.compile(reference)
        if not self.report.check(f"{form}: gguf's own compiles", result.code == 0, result.why):
            return
        ours, theirs = read_image(program), read_image(other)
        self.report.check(f"{form}: the weights are gguf's, to the byte",
                          ours[1:] == theirs[1:], lambda: first_difference(ours, theirs))
        self.report.check(
            f"{form}: the manifest says so", ours[0]["checkpoint"].get("quantized") == form
            and "quantized" not in theirs[0]["checkpoint"]
            and ours[0]["tensors"] == theirs[0]["tensors"], ours[0]["checkpoint"])
        result = harness.run([self.args.corellama, "inspect", program])
        self.report.check(f"{form}: inspect says so", f"quantized   to {form}\n"
                          in result.text, result.text[:300])

    def refused(self, name, model, message, *flags):
        program, result = self.compile(model, *flags, name="refused")
        self.report.check(
            name, result.code == 1 and harness.one_line(result.err) and message in
            result.err_text and not program.exists(), lambda: f"{result.err_text} exit "
            f"code {result.code}, expected '{message}'")

    def not_finite(self):
        for where, form, row, column, number, what in [
                ("token_embd.weight", "F32", 999, 127, np.nan, "NaN"),
                ("blk.0.ffn_gate.weight", "F16", 0, 0, np.inf, "infinite"),
                ("blk.0.ffn_up.weight", "BF16", 517, 31, -np.inf, "infinite"),
                ("blk.0.ffn_down.weight", "F32", 17, 1023, np.inf, "infinite")]:
            model = self.folder / "number.gguf"
            write_model(model, self.args.seed, with_number(where, row, column, number))
            # A weight that has the format already is none that may have such a number.
            for target in ["q4_0"] + [form.lower()] * (form != "F32"):
                self.refused(f"{form} to {target} with a number that is {what}", model,
                             f"tensor '{where}': row {row}, column {column} is {what}, "
                             "expected a finite number", f"--quantize={target}")

    def kept(self):
        """Quantised weights stay, and a checkpoint of nothing else is refused."""
        model = self.folder / "q8_0.gguf"
        self.refused("a quantised checkpoint", model,
                     "no weight is F32, F16 or BF16", "--quantize=q4_0")
        mixed, both = self.folder / "mixed.gguf", self.folder / "both.gguf"

        def convert(target):
            def one(name, data, values, form):
                if "attn" in name:
                    return quantised(values, "q8_0"), "q8_0"
                return (quantised(values, target), target) if target else (data, form)
            return one
        write_model(mixed, self.args.seed, convert(None))
        write_model(both, self.args.seed, convert("q4_1"))
        program, result = self.compile(mixed, "--quantize=q4_1", name="mixed")
        other, second = self.compile(both)
        if self.report.check("a mixed checkpoint compiles", result.code == second.code == 0,
                             result.why):
            self.report.check("weights in Q8_0 stay", read_image(program)[1:] ==
                              read_image(other)[1:])

    def odd_rows(self):
        """Rows that hold no whole blocks become F16, as gguf's converter has it."""
        sizes = SIZES | dict(dim=72, heads=2, head_size=32, vocabulary=96, hidden=64)
        model, other = self.folder / "odd.gguf", self.folder / "odd-f16.gguf"
        write_model(model, self.args.seed, as_stored, sizes)

        def convert(name, data, values, form):
            target = "q8_0" if values.shape[1] % 32 == 0 else "f16"
            return quantised(values, target), target
        write_model(other, self.args.seed, convert, sizes)
        bad = self.folder / "odd-number.gguf"
        write_model(bad, self.args.seed,
                    with_number("blk.0.ffn_down.weight", 0, 5, np.nan), sizes)
        # One line: that other weights became F16 is no news of a compile that failed.
        self.refused("rows of 72 and a number that is NaN", bad, "row 0, column 5 is NaN",
                     "--quantize=q8_0")
        program, result = self.compile(model, "--quantize=q8_0", name="odd")
        second, reference = self.compile(other)
        if self.report.check("rows of 72 compile", result.code == reference.code == 0,
                             result.why):
            self.report.check("rows of 72 become F16", read_image(program)[1:] ==
                              read_image(second)[1:])

    def nothing_to_do(self):
        """Odd rows in F16 stay, and are looked at all the same."""
        sizes = SIZES | dict(dim=72, heads=2, head_size=36, vocabulary=96, hidden=40)
        model, bad = self.folder / "halves.gguf", self.folder / "halves-number.gguf"

        def convert(number):
            def one(name, data, values, form):
                halves = stored(values, "F16")[0]
                if name == "blk.0.ffn_down.weight":
                    halves[3, 5] = number
                return halves, "f16"
            return one
        write_model(model, self.args.seed, convert(1), sizes)
        write_model(bad, self.args.seed, convert(np.nan), sizes)
        self.refused("odd rows in F16 and a number that is NaN", bad,
                     "row 3, column 5 is NaN", "--quantize=q4_0")
        program, result = self.compile(model, "--quantize=q4_0", name="halves")
        other, second = self.compile(model)
        words = ["weights whose rows are no whole blocks of 32, stays F16",
                 "--quantize=q4_0 changes no weight"]
        if self.report.check("nothing to quantise is a note", result.code == second.code == 0
                             and all(word in result.err_text for word in words), result.why):
            ours, theirs = read_image(program), read_image(other)
            self.report.check("and no bit changes", ours[1:] == theirs[1:])
            self.report.check("and the manifest does not say that one did",
                              "quantized" not in ours[0]["checkpoint"])

    def phases(self, plain):
        """Dumps carry the option: each gives the same program again."""
        dumps = self.folder / "phases"
        program, result = self.compile(plain, "--quantize=q4_0",
                                       f"--dump-compilation-phases-to={dumps}", name="whole")
        if not self.report.check("dumps are written", result.code == 0, result.why):
            return
        harness.reenter(self.report, self.args.corellama, "quantised to q4_0", plain, program,
                        dumps)
        result = harness.compile_model(
            self.args.corellama, plain, self.folder / "refused", "--compile-from=fuse",
            f"--ir={dumps / '3-fuse.mlir'}", "--quantize=q8_0")
        self.report.check("another --quantize than the dump's", result.code == 1
                          and "was made with --quantize=q4_0, not q8_0" in result.err_text,
                          result.why)

    def large(self):
        """1.1 billion numbers in a folder: the disk's speed, in bounded memory, and gguf's
        bytes."""
        folder, reference = self.folder / "large", self.folder / "large.gguf"
        write_large(folder, reference, self.args.seed)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        program, other = self.folder / "large.program", self.folder / "other.program"
        result = harness.compile_model(self.args.corellama, folder, program,
                                       "--quantize=q4_0", peak=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        detail = (f"{result.seconds:.1f} s, {used:.1f} of processors, "
                  f"{result.peak_bytes / 1e9:.2f} GB with the files' pages")
        self.report.check("a folder of 1.1b from BF16 to Q4_0", result.code == 0
                          and result.seconds < MOST_SECONDS
                          and result.peak_bytes < MOST_BYTES,
                          lambda: f"{detail}; {result.why()}", detail)
        second = harness.compile_model(self.args.corellama, reference, other)
        if not self.report.check("gguf's own 1.1b compiles", second.code == 0, second.why):
            return
        ours, theirs = read_image(program), read_image(other)
        self.report.check("1.1b: the weights are gguf's, to the byte", ours[1:] == theirs[1:],
                          lambda: first_difference(ours, theirs), f"{len(ours[2])} bytes")


def write_large(folder, reference, seed):
    """The shape and the numbers of benchmarks/make_checkpoint.py, as a folder in BF16 of
    three files, and quantised by gguf as one file. A tensor is in memory at a time."""
    shape = make_checkpoint.SHAPES["1.1b"]
    sizes = container_models.Sizes(shape.dim, shape.heads, shape.kv_heads, shape.hidden,
                                   shape.vocabulary, shape.layers)
    stems = {v: k for k, v in container_models.GGUF_NAMES.items()}

    def hugging_face(name):
        *layer, part = name.removesuffix(".weight").replace("blk.", "").rsplit(".", 1)
        return (f"model.layers.{layer[0]}." if layer else "") + stems[part] + ".weight"
    tensors = [(name, hugging_face(name), rows, columns)
               for name, rows, columns in make_checkpoint.tensors(shape)]
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(container_models.config(sizes)))
    files, where = [], {}
    for i in range(3):
        own = tensors[i::3]  # the weights of a layer lie in several files
        header, at = {}, 0
        for _, name, rows, columns in own:
            where[name] = f"model-{i + 1:05}-of-00003.safetensors"
            header[name] = {"dtype": "BF16", "shape": [rows, columns][rows == 1:],
                            "data_offsets": [at, at + 2 * rows * columns]}
            at += 2 * rows * columns
        text = json.dumps(header).encode()
        files.append(open(folder / f"model-{i + 1:05}-of-00003.safetensors", "wb"))
        files[-1].write(struct.pack("<Q", len(text)) + text)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    w = gguf.GGUFWriter(reference, "llama")
    make_models.add_sizes(w, dataclasses.asdict(sizes), sizes.context)
    for name, _, rows, columns in tensors:
        kind, size = (Type.F32, 4 * columns) if rows == 1 else (
            Type.Q4_0, rows * columns // 32 * 18)
        w.add_tensor_info(name, [rows, columns][rows == 1:], np.dtype("float32"), size, kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_ti_data_to_file()
    w.close()
    with open(reference, "ab") as out:
        for i, (_, name, rows, columns) in enumerate(tensors):
            rng = np.random.Generator(np.random.SFC64([seed, i]))
            values = rng.standard_normal((rows, columns), dtype=np.float32)
            values *= np.float32(columns ** -0.5)
            halves = make_checkpoint.to_bf16(values)
            files[i % 3].write(memoryview(halves))
            values = (halves.astype(np.uint32) << 16).view(np.float32)
            values = container_models.pairs(name, values, sizes)
            out.write(bytes(-out.tell() % make_checkpoint.ALIGNMENT))
            out.write(memoryview(values if rows == 1 else quantised(values, "q4_0")))
        out.write(bytes(-out.tell() % make_checkpoint.ALIGNMENT))
    for file in files:
        file.close()


def first_difference(ours, theirs):
    if ours[1] != theirs[1]:
        return "the offsets differ"
    a, b = (np.frombuffer(weights, np.uint8) for weights in (ours[2], theirs[2]))
    return f"byte {np.flatnonzero(a != b)[0]} of the weights is the first that differs"


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--all", action="store_true", help="a folder of 1.1b, too")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as folder:
        test = Quantize(report, args, folder)
        plain = folder / "plain.gguf"
        write_model(plain, args.seed, as_stored)
        for form in FORMATS:
            test.same_as_gguf(plain, form)
        test.not_finite()
        test.kept()
        test.odd_rows()
        test.nothing_to_do()
        test.phases(plain)
        if args.all:
            test.large()
    report.finish()


if __name__ == "__main__":
    main()
