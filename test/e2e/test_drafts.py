"""Drafts change how long an answer takes, and nothing of what it says.

Input: the driver and a checkpoint; output: PASS/FAIL lines. Prompts that make a model
repeat itself (code to edit, lists, text to copy) and prompts that do not are continued
with --draft=ngram and without, at several temperatures and seeds, by a program that has
forms of few rows and by one that has not; ids and logits must be the same. Over all of
them drafts must have been right and wrong, so that both ways were taken. A file of its
own because the reference is the program itself.
"""

import hashlib
import re

import harness

FEW_ROWS = "--rows=1,2,4,8,512"
TEMPERATURES = ["0", "0.8", "1.5"]
NAMES = ["total", "count", "value", "index", "width"]
TASKS = [
    "Rename the variable {0} to {1} in this function and return the whole function.\n\n"
    "def f(values):\n    {0} = 0\n    for v in values:\n        {0} = {0} + v\n"
    "    return {0}\n",
    "Repeat this line five times: {0} = {1} + 1",
    "Write the numbers from one to ten as words, then again, each after '{0}'.",
    "Copy this text: The {0} of the {1} is the {1} of the {0}, and the {0} is old.",
    "Translate to French: the {0} and the {1}.",
    "What is a {0}?",
    "Write a poem about a {0} and a {1}.",
    "def {0}(x):\n    return x\n\ndef {1}(x):\n    return",
    "{0}, {1}, {0}, {1}, {0},",
    "Explain {0} sort to a child.",
]
COUNTS = re.compile(r"drafts (\d+) of (\d+) right")


def prompts(number):
    """As many as are asked for: the tasks, then again with other names."""
    for i in range(number):
        first = NAMES[i // len(TASKS) % len(NAMES)]
        second = NAMES[(i // len(TASKS) + 1 + i % 3) % len(NAMES)]
        yield TASKS[i % len(TASKS)].format(first, second)


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--prompts", type=int, default=6)
    p.add_argument("--seeds", type=int, default=1)
    p.add_argument("-n", type=int, default=32, help="ids of an answer")
    args = p.parse_args()
    report = harness.Report()
    right = drafted = 0
    with harness.Workspace(args.keep) as folder:
        programs = {}
        for name, flags in (("few", [FEW_ROWS]), ("many", [])):
            programs[name] = folder / name
            made = harness.compile_model(args.corellama, args.model, programs[name], *flags)
            if not report.check(f"{name}: compiles", made.code == 0, made.why):
                report.finish()

        def answer(program, prompt, temperature, seed, *flags):
            logits = folder / "logits.npy"
            result = harness.run([program, "--chat", "-p", prompt, "-n", args.n, "--temp",
                                  temperature, "-s", seed, "--output-ids", "-v",
                                  "--logits-out", logits, *flags])
            bits = hashlib.sha256(logits.read_bytes()).hexdigest() if result.code == 0 else ""
            return result, result.text, bits

        for i, prompt in enumerate(prompts(args.prompts)):
            # Each prompt by one program; both see every kind of prompt.
            program = programs[list(programs)[i // 2 % 2]]
            for temperature in TEMPERATURES:
                for seed in range(1, args.seeds + 1):
                    name = f"prompt {i}, temperature {temperature}, seed {seed}"
                    plain, ids, bits = answer(program, prompt, temperature, seed)
                    result, got, got_bits = answer(program, prompt, temperature, seed,
                                                   "--draft=ngram")
                    if plain.code != 0 or result.code != 0:
                        report.fail(name, (plain if plain.code else result).why())
                        continue
                    if found := COUNTS.search(result.err_text):
                        right += int(found[1])
                        drafted += int(found[2])
                    report.check(name, got == ids and got_bits == bits,
                                 f"ids are {got.strip()}, without drafts {ids.strip()}")
        report.check("drafts were right and wrong", 0 < right < drafted,
                     f"{right} of {drafted} were right", f"{right} of {drafted}")
        # The end of the context is where drafts have no room.
        full = [harness.run([programs["few"], "-p", "a b a b a b a b", "-c", "40", "--temp",
                             "0", "--ignore-eos", "--output-ids", *flags])
                for flags in ([], ["--draft", "ngram"])]
        report.check("a full context ends the same answer",
                     full[0].code == 0 and full[0].out == full[1].out, full[1].why)
    report.finish()


if __name__ == "__main__":
    main()
