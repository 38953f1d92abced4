"""A program for a GPU says what the CPU's says: whole, on an emulated driver.

Input: the driver `corellama`, the tool that makes kernels for the emulator, and the demo
model; output: PASS/FAIL lines. Small random models (MHA, GQA, MQA, each weight format,
and formats that alternate) and the demo model read a prompt and decode some ids more,
with float32 activations and cache. Each id must be the CPU's program's, unless the two
best logits are nearer than the tolerance, and all logits must agree within it. Where the
program may choose ids on the GPU they must be those that it chooses on the host, drawn
ones too. The demo model is compiled as users do it as well, without a flag. With --all its
logits are the same bits in another order of blocks
and threads. Then the program alone: of each function of the driver that it calls the first
call, the last and one between fail in turn, which is one line that names the call and exit code 1, and leaves
nothing; launches that overlap, where the GPU and its driver can do that; a cubin that is refused; GPUs that cannot run it, or have too
little memory, or are none, are refused in one line; and its lists and plan. A file of its
own because it is the only test that runs programs for a GPU.
"""

import os
import re
import signal
import struct
import sys

import numpy as np

import emulated
import harness
import make_models

# The same sums in float32, in two orders: of the largest |logit|, what test_exact
# allows one of them beside float64 (it says where the bound comes from).
TOLERANCE = 5e-5
PROMPT = [1, 5, 2, 7, 3]
COUNT = 4
CHOSEN_COUNT = 11
DEMO_COUNT = 8
# Without flags: a prompt that is one call of prefill, of which the least sure row has its
# two best logits 0.6% of the largest apart. Its id, one more, and with --all as many as above.
DEFAULT_PROMPT = [1, 2, 3, 18980, 20521, 30231, 38023, 1490, 5851, 32935, 37951, 10044, 12542,
                  34774, 16990, 10999, 33125, 10353, 16427, 25788]
DEFAULT_COUNT = 2
# A row that is rounded to f16 errs by up to 2^-11 of each value, four times a layer, of 30;
# the errors add, and norms keep their share of the row.
ROUNDED_TOLERANCE = 4 * 30 * 2.0 ** -11
OUT_OF_MEMORY, UNKNOWN = 2, 999  # of CUresult
# (of the compiler, of the program): the prompt in calls of one row, which tensor cores
# multiply by quants, as one call, and in calls of several forms. The cache is that of the
# CPU's program. With --all each random model runs in float32 too.
FORMS = [(["--activations=auto", "--cache-type=f32"], ["-b", "1"]),
         (["--activations=f32"], []),
         (["--activations=f32", "--rows=1,2,4"], [])]
AUTO = 0  # of these
# Comes last. Where it fails the driver keeps the context, with all that is in it.
RELEASE = "cuDevicePrimaryCtxRelease_v2"


def compare_logits(report, name, reference, other, tolerance):
    """Returns the largest logit."""
    largest = np.abs(reference).max()
    error = np.abs(reference - other[:len(reference)]).max() / largest
    report.check(f"{name}: logits", error <= tolerance,
                 f"differ by {error:.1e} of the largest, {tolerance} allowed",
                 f"{error:.1e} of the largest")
    return largest


def compare(report, name, reference, other, chosen, got, first):
    """`first`: the row whose best logit is the first chosen id."""
    largest = compare_logits(report, name, reference, other, TOLERANCE)
    for i, (want, have) in enumerate(zip(chosen, got)):
        if want == have:
            continue
        two = np.sort(reference[first + i])[-2:]
        if (two[1] - two[0]) / largest > TOLERANCE:
            report.fail(f"{name}: ids", f"{got}, the CPU's program says {chosen}")
            return
        break  # a tie: what follows is another text
    report.check(f"{name}: ids", len(got) == len(chosen),
                 f"{len(got)} ids instead of {len(chosen)}", ",".join(map(str, got)))


def run_model(report, arguments, name, model, prompt, target, folder, seed=None,
              count=COUNT, form=None):
    """Returns the program's path, or none, and the emulator that ran it. `form`: one of
    FORMS; the seed's."""
    program = os.path.join(folder, "program")
    made = harness.compile_model(arguments.corellama, model, program,
                                 "--activations=f32")
    emulator = emulated.Emulator(arguments.corellama, arguments.emulator, folder)
    if not report.check(f"{name}: compiles for the CPU", made.code == 0, made.why):
        return None, emulator
    npy = os.path.join(folder, "logits.npy")
    result, chosen = harness.generate(program, prompt, count, logits=npy)
    if not report.check(f"{name}: runs on the CPU", chosen is not None, result.why):
        return None, emulator
    reference = np.load(npy)
    flags, calls = FORMS[(seed or 0) % len(FORMS) if form is None else form]
    made = emulator.compile(model, program, target, *flags)
    if not report.check(f"{name}: compiles for the GPU", made.code == 0, made.why):
        return None, emulator
    more = {} if seed is None else {"SEED": seed}
    result, got = harness.generate(program, prompt, count, *calls, logits=npy,
                                   env=emulator.environment(target, **more))
    if report.check(f"{name}: runs on the GPU", got is not None, result.why):
        other = np.load(npy)
        if report.check(f"{name}: has all logits", len(other) >= len(reference),
                        f"{len(other)} rows, the CPU's program wrote {len(reference)}"):
            compare(report, name, reference, other, chosen, got, len(prompt) - 1)
        if seed is not None:
            choose(report, name, program, emulator, target, folder, prompt, got, seed)
    return program, emulator


def test_defaults(report, arguments, name, target, folder):
    """The demo model as users compile it: a prompt on tensor cores, rows of f16, an f16
    cache."""
    count = DEMO_COUNT if arguments.all else DEFAULT_COUNT
    program, npy = (os.path.join(folder, what) for what in ("program", "logits.npy"))
    made = harness.compile_model(arguments.corellama, arguments.model, program,
                                 "--activations=f32", "--cache-type=f16")
    result, chosen = harness.generate(program, DEFAULT_PROMPT, count, logits=npy)
    if not report.check(f"{name}: runs on the CPU", made.code == 0 and chosen is not None,
                        lambda: made.why() + result.why()):
        return
    reference = np.load(npy)
    emulator = emulated.Emulator(arguments.corellama, arguments.emulator, folder)
    made = emulator.compile(arguments.model, program, target)
    if not report.check(f"{name}: compiles for the GPU", made.code == 0, made.why):
        return
    log = os.path.join(folder, "report")
    env = emulator.environment(target, REPORT=log)
    result, got = harness.generate(program, DEFAULT_PROMPT, count, logits=npy, env=env)
    if not report.check(f"{name}: runs on the GPU", got is not None, result.why):
        return
    early = emulated.read_early(log)
    report.check(f"{name}: launches overlap", early > 0, early, f"{early} do")
    report.check(f"{name}: ids", got == chosen, f"{got}, the CPU's program says {chosen}",
                 ",".join(map(str, got)))
    other = np.load(npy)
    if report.check(f"{name}: has all logits", len(other) >= len(reference),
                    f"{len(other)} rows, the CPU's program wrote {len(reference)}"):
        compare_logits(report, name, reference, other, ROUNDED_TOLERANCE)
    if arguments.all:
        result, device = harness.generate(program, DEFAULT_PROMPT, count, env=env)
        report.check(f"{name}: chooses the same ids on the GPU", device == chosen,
                     lambda: f"{device}: {result.why()}")


def test_orders(report, name, program, emulator, target, prompt, folder):
    """The same bits in any order of blocks and threads."""
    rows = []
    for order in (None, 1):
        npy = os.path.join(folder, f"order{order}.npy")
        more = {} if order is None else {"SEED": order}
        result, _ = harness.generate(program, prompt, 1, logits=npy,
                                     env=emulator.environment(target, **more))
        report.check(f"{name}: runs in order {order}", result.code == 0, result.why)
        rows.append(open(npy, "rb").read() if os.path.exists(npy) else None)
    report.check(f"{name}: the same bits in two orders", rows[0] and rows[0] == rows[1],
                 "logits differ")


def choose(report, name, program, emulator, target, folder, prompt, greedy, seed):
    """Ids of the token loop beside those of the host's sampler: `greedy`, and drawn ones,
    which it makes where --logits-out asks for its rows. More than a graph has steps."""
    env = emulator.environment(target, SEED=seed)
    _, device = harness.generate(program, prompt, len(greedy), env=env)
    report.check(f"{name}: chooses the host's ids", device == greedy,
                 f"{device}, the host says {greedy}")
    flags = [["--temp=0.9", "--top-p=1", "--min-p=0"],
             ["--temp=3", "--top-k=7", "--top-p=0.9"]][seed % 2] + [f"--seed={seed}"]
    device, host = (harness.generate(program, prompt, CHOSEN_COUNT, *flags, env=env,
                                     logits=path)
                    for path in (None, os.path.join(folder, "logits.npy")))
    report.check(f"{name}: {' '.join(flags)} draws the host's ids",
                 device[1] is not None and device[1] == host[1],
                 lambda: f"{device[1]}, the host says {host[1]}: {device[0].why()}")


class Failures:
    """What a program does where its driver does not."""

    def __init__(self, report, emulator, program, target, folder):
        self.report, self.emulator, self.program = report, emulator, program
        self.target, self.folder = target, folder
        self.log = os.path.join(folder, "report")

    def run(self, *arguments, prompt=("--prompt-ids=1,2,3", "-n2"), stdin=b"",
            program=None, **variables):
        command = [program or self.program, *prompt, "--temp=0", "--output-ids", *arguments]
        result = harness.run(command, stdin=stdin, env=self.emulator.environment(
            self.target, REPORT=self.log, **variables))
        return result, *emulated.read_report(self.log)

    def refuses(self, name, words, *arguments, **how):
        """One line with all of `words`, exit code 1, nothing printed or left."""
        result, _, left, _ = self.run(*arguments, **how)
        missing = [w for w in words if w not in result.err_text]
        problem = (f"exit code {result.code}" if result.code != 1 else
                   "stderr is not one line" if not harness.one_line(result.err) else
                   "stdout is not empty" if result.out else
                   f"leaves {left}" if any(left.values()) else
                   f"does not name {missing}" if missing else None)
        self.report.check(name, problem is None,
                          lambda: f"{problem}: {result.err_text[:400]}")

    def each_call(self, what, *arguments, **how):
        """The first call of each function, the last, and one between."""
        result, calls, left, _ = self.run(*arguments, **how)
        if not self.report.check(f"{what} frees all that it took", result.code == 0 and
                                 not any(left.values()), lambda: f"{result.why()} {left}"):
            return
        for call, count in calls.items():
            # Of a module that cannot be loaded for another reason there may be PTX.
            code = OUT_OF_MEMORY if re.search("Alloc|ModuleLoad", call) else UNKNOWN
            for number in sorted({1, (count + 1) // 2, count}):
                # Text may be out when a later step fails; one id is not.
                result, _, left, _ = self.run(*arguments, FAIL=f"{call}:{number}:{code}",
                                              **how)
                words = [f"GPU: {call}: ", f", {code})", "; "]
                missing = [w for w in words if w not in result.err_text]
                kept = left["contexts"] == 1 if call == RELEASE else not any(left.values())
                self.report.check(
                    f"{what}: {call} fails, number {number} of {count}",
                    result.code == 1 and harness.one_line(result.err) and not missing
                    and kept,
                    lambda: f"left {left}, misses {missing}: {result.why()}")

    def bench(self):
        """Times, which on this driver are a millisecond for each operation."""
        requests = (b"generate 2 2\ntrace 1 4 1 0:0 1:0 2:1\nagain 2:1\nempty 0:0 1:0\n"
                    b"barriers 2\nvariant\n")
        result, _, left, _ = self.run("--bench", prompt=(), stdin=requests)
        lines = result.text.splitlines()
        self.report.check(
            "answers --bench", result.code == 0 and not any(left.values()) and
            len(lines) == 6 and int(lines[0]) > 0 and
            lines[1:] == ["1000000 1000000 1000000", "1000000", "0 0", "0 0", "0"],
            lambda: f"{lines}, left {left}: {result.why()}")
        # One request each, so that nothing behind a failure can show it.
        for request in "generate 2 2", "prompt 3 2", "trace 1 4 1 0:0":
            self.each_call(f"--bench, {request}", "--bench", prompt=(),
                           stdin=request.encode() + b"\n")

    def modules(self, model):
        """A cubin that the driver refuses, and then PTX; the compiler's assembler here
        writes what has an ELF header and no more."""
        folder = os.path.join(self.folder, "toolkit")
        os.makedirs(os.path.join(folder, "bin"))
        header = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 51, 7, 2,
                             emulated.CUDA_MACHINE, 1, 0, 64, 64, 0, 64, 0, 0, 0, 0, 0)
        ptxas = os.path.join(folder, "bin", "ptxas")
        with open(ptxas, "w", encoding="utf-8") as out:
            out.write(f"#!{sys.executable}\nimport sys\n"
                      f"open(sys.argv[sys.argv.index('-o') + 1], 'wb').write({header})\n")
        os.chmod(ptxas, 0o755)
        program, self.program = self.program, os.path.join(self.folder, "assembled")
        made = self.emulator.compile(model, self.program, self.target, "--activations=f32",
                                     env=os.environ | {"CUDA_HOME": folder})
        if not self.report.check("compiles with an assembler", made.code == 0, made.why):
            return
        load = "cuModuleLoadDataEx"
        for code, loads in (0, 1), (200, 2), (209, 2), (UNKNOWN, 2):
            result, calls, *_ = self.run(FAIL=f"{load}:{1 if code else 0}:{code}")
            self.report.check(f"a cubin is refused with {code}", result.code == 0 and
                              calls[load] == loads, lambda: f"{calls}: {result.why()}")
        self.refuses("no memory for a cubin", [load, "smaller -c"],
                     FAIL=f"{load}:1:{OUT_OF_MEMORY}")
        self.refuses("what the driver's assembler says of PTX", [load, "no kernels"],
                     KERNELS="/nowhere")
        self.program = program

    def targets(self, model):
        """The code of two targets: which one runs, and its place in the list."""
        program, self.program = self.program, os.path.join(self.folder, "both")
        names = ["cuda:sm_80", "cuda:sm_90a"]  # their modules are those of one target
        alone = os.path.join(self.folder, "alone")
        made = [self.emulator.compile(model, path, name, "--activations=f32")
                for name, path in zip(names, (self.program, alone))]
        made.append(harness.compile_model(self.emulator.corellama, model, self.program,
                                          "--target=cuda:sm_80,sm_90a", "--activations=f32"))
        for result in made:
            self.report.check("compiles for two targets", result.code == 0, result.why)
        # One for sm_90a alone has PTX for all others, whose launches do not overlap. In a
        # graph they do since CUDA 12.3.
        for devices, version in (("9.0", 12030), ("9.0", 12020), ("8.0", 12080),
                                 ("12.0", 12080)):
            result, calls, *_ = self.run(DEVICES=devices, program=alone, VERSION=version)
            self.report.check(f"a program for sm_90a runs on {devices}", result.code == 0 and
                              calls["cuModuleLoadDataEx"] == 1, result.why)
            early = emulated.read_early(self.log)
            overlaps = devices == "9.0" and version >= 12030
            self.report.check(
                f"launches overlap on {devices}, driver {version}: {overlaps}",
                (early > 0) == overlaps, f"{early} do", f"{early} do")
        for devices, place in ("9.0", 0), ("8.0", 1), ("8.6,9.0", 1):
            result, *_ = self.run("--bench", prompt=(), stdin=b"variant\ngenerate 1 1\n",
                                  DEVICES=devices)
            self.report.check(
                f"of two targets {names[1 - place]} runs on {devices}", result.code == 0
                and result.text.splitlines()[0] == str(place), result.why)
        self.program = program

    def interrupted(self):
        # The second allocation of locked memory is the upload's first.
        result, calls, left, _ = self.run(FAIL=f"cuMemHostAlloc:2:-{signal.SIGINT}")
        self.report.check("Ctrl-C while weights are copied", result.code == 130 and
                          not result.err and "cuMemcpyHtoDAsync_v2" not in calls and
                          not any(left.values()), lambda: f"{calls}, left {left}: "
                          f"{result.why()}")

    def machines(self):
        self.refuses("too little memory for the weights",
                     ["of weights", "cache for 1024 tokens", "of workspace",
                      "0.06 MiB free", "--quantize"], MEMORY=1 << 16)
        # What the plan says, and the driver takes for graphs no more than is left for it.
        plan, *_ = self.run("--plan", prompt=())
        pages, graphs = (int(re.search(rf"^  {what} +(\d+)$", plan.text, re.M)[1])
                         for what in ("in pages of 2 MiB", "free for graphs"))
        self.refuses("no memory for graphs", ["of weights"], MEMORY=pages)
        self.refuses("a byte too little memory", ["of weights"], MEMORY=pages + graphs - 1)
        result, calls, *_ = self.run(MEMORY=pages + graphs)
        self.report.check("has as much memory as it plans", result.code == 0 and
                          calls.get("cuGraphInstantiateWithFlags", 0) > 0, result.why)
        self.refuses("no GPU", ["no GPU"], DEVICES="")
        self.refuses("no GPU to list", ["no GPU"], "--list-devices", prompt=(), DEVICES="")
        self.refuses("a GPU with little workgroup memory",
                     ["bytes of workgroup memory", "at most 256; give another --device"],
                     WORKGROUP=256)
        self.refuses("an old GPU", ["device 0 (Emulator, sm_75)", "cuda:sm_80"],
                     DEVICES="7.5")
        self.refuses("a GPU that is not there", ["--device: is 2", "has 2"], "--device=2",
                     DEVICES="7.5,8.0")
        self.refuses("the wrong one of two", ["device 0 (Emulator, sm_75)"], "--device=0",
                     DEVICES="7.5,8.0")
        for device in ([], ["--device=1"]):
            result, *_ = self.run(*device, DEVICES="7.5,8.6")
            self.report.check(f"runs on the second of two {device}", result.code == 0,
                              result.why)
        result, *_ = self.run("--list-devices", prompt=(), DEVICES="7.5,8.6")
        lines = ["device 0 (Emulator, sm_75), 16.00 GiB: cannot run this program, which "
                 "was compiled for cuda:sm_80",
                 "device 1 (Emulator, sm_86), 16.00 GiB: runs the code for cuda:sm_80"]
        self.report.check("lists GPUs", result.text.splitlines() == lines, result.text)
        none = emulated.without_driver()
        if none is None:
            self.report.skip("no driver", "this machine has one")
            return
        result = harness.run([self.program, "--prompt-ids=1", "--output-ids"], env=none)
        self.report.check("no driver", result.code == 1 and harness.one_line(result.err)
                          and "driver cannot be loaded" in result.err_text, result.why)
        # ... and the plan, which needs none.
        result = harness.run([self.program, "--plan", "-c256"], env=none)
        launches = re.search(r"^  all +(\d+) +\d+$", result.text, re.M)
        _, _, _, done = self.run(prompt=("--prompt-ids=1", "-n1"))
        self.report.check("plans what it launches", result.code == 0 and launches
                          and int(launches[1]) == done,
                          lambda: f"{done} launches, the plan says: {result.text}")


def main():
    p = harness.parser("a program for a GPU against the CPU's program")
    p.add_argument("--emulator", required=True, type=harness.existing,
                   help="build/bin/corellama-emulator-library")
    p.add_argument("--all", action="store_true", help="every random model, not some")
    p.add_argument("--only", help="random models I,J, or demo; not the failures of calls")
    arguments = p.parse_args()
    only = arguments.only.split(",") if arguments.only else None
    report = harness.Report()
    with harness.Workspace(arguments.keep) as folder:
        models = make_models.write_all(folder, 1, *(
            [range(len(make_models.RECIPES))] if arguments.all else []))
        for i, (path, what) in enumerate(models):
            if only and str(i) not in only:
                continue
            target = ["cuda:sm_80", "cuda:sm_90a"][i % 2]
            name = f"{what['attention']} {'+'.join(what['formats'])} {target}"
            if arguments.all and (i + 1) % len(FORMS) == AUTO:
                run_model(report, arguments, f"{name} float32", path, PROMPT, target, folder,
                          seed=i + 1, form=AUTO + 1)
            program, emulator = run_model(report, arguments, name, path, PROMPT, target,
                                          folder, seed=i + 1)
            if i == 0 and program:
                failures = Failures(report, emulator, program, target, folder)
                failures.each_call("an answer")
                failures.each_call("--list-devices", "--list-devices", prompt=())
                failures.machines()
                failures.interrupted()
                failures.modules(path)
                failures.targets(path)
                failures.bench()
        if not only or "demo" in only:
            name, target, prompt = "demo cuda:sm_80", "cuda:sm_80", [1, 2, 3]
            program, emulator = run_model(report, arguments, name, arguments.model, prompt,
                                          target, folder, count=DEMO_COUNT)
            if arguments.all and program:
                test_orders(report, name, program, emulator, target, prompt, folder)
            test_defaults(report, arguments, "demo without flags cuda:sm_90a",
                          "cuda:sm_90a", folder)
    report.finish()


if __name__ == "__main__":
    main()
