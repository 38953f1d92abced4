"""GPU code says what CPU code says: whole decode steps, run on the emulator.

Input: the driver, the tool that runs a GPU's code on the emulator, and the demo model;
output: PASS/FAIL lines. Small random models (MHA, GQA, MQA, each weight format, and
formats that alternate) and the demo model decode a prompt and some ids more, with float32
activations and cache. Each id must be the compiled program's, unless the two best
logits are nearer than the tolerance, and all logits must agree within it. Before that,
what the tool refuses: one line, and 1 (cannot) or 2 (asked wrongly). A file of its own
because it is the only test that runs all kernels of a step as one.
"""

import os
import resource
import signal
import subprocess
import tempfile

import numpy as np

import harness
import make_models

# The same sums in float32, in two orders: of the largest |logit|, what test_exact
# allows one of them beside float64 (it says where the bound comes from).
TOLERANCE = 5e-5
PROMPT = [1, 5, 2, 7, 3]
COUNT = 4


def compare(report, name, reference, other, chosen, got, first):
    """`first`: the row whose best logit is the first chosen id."""
    largest = np.abs(reference).max()
    error = np.abs(reference - other[:len(reference)]).max() / largest
    report.check(f"{name}: logits", error <= TOLERANCE,
                 f"differ by {error:.1e} of the largest, {TOLERANCE} allowed",
                 f"{error:.1e} of the largest")
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


def run_model(report, arguments, name, model, prompt, target, folder, seed=None):
    program = os.path.join(folder, "program")
    made = harness.compile_model(arguments.corellama, model, program,
                                 "--activations=f32")
    if not report.check(f"{name}: compiles for the CPU", made.code == 0, made.why):
        return
    npy = os.path.join(folder, "logits.npy")
    result, chosen = harness.generate(program, prompt, COUNT, logits=npy)
    if not report.check(f"{name}: runs on the CPU", chosen is not None, result.why):
        return
    reference = np.load(npy)
    raw = os.path.join(folder, "logits.raw")
    command = [arguments.emulator, model, f"--target={target}", "--ids",
               ",".join(map(str, prompt)), "-n", COUNT, "--logits-out", raw]
    # The prompt in calls of one row, as one call, and in calls of several forms.
    calls = [[], ["--prefill"], ["--rows=1,2,4"]][(seed or 0) % 3]
    result = harness.run(command + calls + (["--seed", seed] if seed else []))
    if not report.check(f"{name}: runs on the emulator", result.code == 0, result.why):
        return
    got = [int(x) for x in result.text.strip().split(",")]
    other = np.fromfile(raw, np.float32).reshape(-1, reference.shape[1])
    if report.check(f"{name}: has all logits", len(other) >= len(reference),
                    f"{len(other)} rows, the CPU's program wrote {len(reference)}"):
        compare(report, name, reference, other, chosen, got, len(prompt) - 1)


def limited(limit, amount):
    """What a process calls to live with less of something."""
    def call():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error, as of a full disk
        resource.setrlimit(limit, (amount, amount))
    return call


class Refusals:
    def __init__(self, report, tool, folder):
        self.report, self.tool, self.folder = report, tool, folder

    def check(self, name, code, words, *arguments, preexec=None):
        """Ends with `code` and one line that has all of `words`; prints and leaves
        nothing. `preexec`: called in the child, for limits of its own."""
        before = sorted(os.listdir(self.folder))
        command = [str(a) for a in (self.tool, *arguments)]
        r = subprocess.run(command, capture_output=True, cwd=self.folder,
                           timeout=300, preexec_fn=preexec)
        text = r.stderr.decode("utf-8", "replace")
        missing = [w for w in words if w not in text]
        problem = (f"exit code {r.returncode}, expected {code}"
                   if r.returncode != code else
                   "stderr is not one line" if not harness.one_line(r.stderr) else
                   "stdout is not empty" if r.stdout else
                   "leaves a file" if before != sorted(os.listdir(self.folder)) else
                   f"does not name {missing}" if missing else None)
        self.report.check(f"refuses {name}", problem is None,
                          lambda: f"{problem}: {text[:300]}")


def test_refusals(report, arguments, small, what, folder):
    """`small`: a model of `what` sizes, with a context of 1024."""
    versions = [harness.run([tool, "--version"]).text.split(" ", 1)[1:]
                for tool in (arguments.corellama, arguments.emulator)]
    report.check("says the driver's version", versions[0] and
                 versions[0] == versions[1], f"{versions}")
    refusals = Refusals(report, arguments.emulator, folder)
    vocabulary = what["vocabulary"]

    def wrong(name, words, *flags):
        refusals.check(name, 2, words, *flags)

    def cannot(name, words, *flags, **kwargs):
        refusals.check(name, 1, words, small, *flags, **kwargs)

    wrong("no checkpoint", ["checkpoint"], "--ids", "1")
    wrong("no ids", ["--ids"], small)
    wrong("two checkpoints", ["positional"], small, small, "--ids", "1")
    for ids in ["", ",", "1,,2", "1,", "x", "1,2x", "0x1", " 1", "1.5", "2147483648",
                "99999999999999999999"]:
        wrong(f"the ids '{ids}'", [f"'{ids}'"], small, f"--ids={ids}")
    for flag, values in [
            ("-n", ["x", "-1", "", "4294967296"]),
            ("--seed", ["x", "-1", "", "18446744073709551616"]),
            ("--rows", ["x", "0", "2,1", "1,1", "1,", ""]),
            ("--cache-type", ["bf16", ""]),
            ("--activations", ["int8", "q8b32"]),
            ("--logits-out", ["", "-"])]:
        for value in values:
            wrong(f"{flag} '{value}'", [flag], small, "--ids", "1", flag, value)
    wrong("two ways to say which calls", ["--prefill", "--rows"], small, "--ids", "1,2",
          "--prefill", "--rows=1,2")
    wrong("an unknown flag", ["--targt"], small, "--ids", "1", "--targt=x")
    wrong("a flag without its value", ["seed"], small, "--ids", "1", "--seed")

    for ids in ["-1", str(vocabulary), f"1,{vocabulary}", "2147483647"]:
        cannot(f"the ids {ids}", [ids.split(",")[-1], str(vocabulary - 1)],
               f"--ids={ids}")
    for count in [1024, 1100, 5000000, 4294967295]:
        cannot(f"{count} ids after one", [str(count + 1), "1024"], "--ids", "1", "-n",
               count)
    cannot("a CPU", ["x86-64-v3", "cuda:"], "--ids", "1", "--target=x86-64-v3")
    cannot("an unknown GPU", ["sm_70"], "--ids", "1", "--target=cuda:sm_70")
    refusals.check("a missing checkpoint", 1, ["none.gguf"], "none.gguf", "--ids", "1")
    # With as many ids as there are: a file that cannot be written is found before.
    for name, path, word in [("into a missing folder", "nowhere/logits", "nowhere"),
                             ("into a folder", folder, folder),
                             ("into a device", "/dev/null", "/dev/null"),
                             ("over the checkpoint", small, small)]:
        cannot(f"logits {name}", [word], "--ids", "1", "-n", "1000",
               "--logits-out", path)
    # The demo model: a row of its logits is larger than an object file of kernels.
    row = [arguments.model, "--ids", "1", "-n"]
    refusals.check("logits that do not fit", 1, ["logits: "], *row, "9",
                   "--logits-out", "logits",
                   preexec=limited(resource.RLIMIT_FSIZE, 1 << 20))
    refusals.check("what there is no memory for", 1, ["8192 positions", "MiB"], *row,
                   "8191", preexec=limited(resource.RLIMIT_AS, 3 << 30))


def main():
    p = harness.parser("GPU code on the emulator against the CPU's program")
    p.add_argument("--emulator", required=True, type=harness.existing)
    arguments = p.parse_args()
    report = harness.Report()
    with tempfile.TemporaryDirectory() as folder:
        models = make_models.write_all(folder, 1)
        test_refusals(report, arguments, *models[0], folder)
        for i, (path, what) in enumerate(models):
            target = ["cuda:sm_80", "cuda:sm_90a"][i % 2]
            name = f"{what['attention']} {'+'.join(what['formats'])} {target}"
            run_model(report, arguments, name, path, PROMPT, target, folder, seed=i + 1)
        run_model(report, arguments, "demo cuda:sm_80", arguments.model, [1, 2, 3],
                  "cuda:sm_80", folder)
    report.finish()


if __name__ == "__main__":
    main()
