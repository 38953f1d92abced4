"""GPU code says what CPU code says: whole decode steps, run on fibres.

Input: the driver, the tool that runs a GPU's code on fibres, and the demo model;
output: PASS/FAIL lines. Small random models (MHA, GQA, MQA, each weight format that
GPU code takes) and the demo model decode a prompt and some ids more, with float32
activations and cache. Each id must be the compiled program's, unless the two best
logits are nearer than the tolerance, and all logits must agree within it. A file of
its own because it is the only test that runs all kernels of a step as one.
"""

import os
import tempfile

import numpy as np

import harness
import make_models

# The same sums in float32, in two orders: of the largest |logit|, what test_exact
# allows one of them beside float64 (it says where the bound comes from).
TOLERANCE = 5e-5
# One of each format and each kind of attention; Q6_K has no GPU code.
RANDOM = [0, 1, 2, 3, 4, 5]
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
    command = [arguments.fibres, model, f"--target={target}", "--ids",
               ",".join(map(str, prompt)), "-n", COUNT, "--logits-out", raw]
    result = harness.run(command + (["--seed", seed] if seed else []))
    if not report.check(f"{name}: runs on fibres", result.code == 0, result.why):
        return
    got = [int(x) for x in result.text.strip().split(",")]
    other = np.fromfile(raw, np.float32).reshape(-1, reference.shape[1])
    if report.check(f"{name}: has all logits", len(other) >= len(reference),
                    f"{len(other)} rows, the CPU's program wrote {len(reference)}"):
        compare(report, name, reference, other, chosen, got, len(prompt) - 1)


def main():
    p = harness.parser("GPU code on fibres against the CPU's program")
    p.add_argument("--fibres", required=True, type=harness.existing)
    arguments = p.parse_args()
    report = harness.Report()
    with tempfile.TemporaryDirectory() as folder:
        for i, (path, what) in enumerate(make_models.write_all(folder, 1, RANDOM)):
            target = ["cuda:sm_80", "cuda:sm_90a"][i % 2]
            name = f"{what['attention']} {'+'.join(what['formats'])} {target}"
            run_model(report, arguments, name, path, PROMPT, target, folder, seed=i + 1)
        run_model(report, arguments, "demo cuda:sm_80", arguments.model, [1, 2, 3],
                  "cuda:sm_80", folder)
    report.finish()


if __name__ == "__main__":
    main()
