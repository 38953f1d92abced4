"""An independent engine chooses the same tokens.

Input: the driver and a checkpoint; output: PASS/FAIL lines. llama.cpp continues ten
prompts greedily with its cache in float32. A program with the same cache is fed the
prompt and these tokens, and wherever llama.cpp's two likeliest tokens are more than 0.5
apart, the program's likeliest must be llama.cpp's. A file of its own because llama.cpp
shares nothing with us but the file: it has its own kernels, and its own rounding of
activations to 8 bits.
"""

import subprocess

import numpy as np

import harness
import llama_cpp

PROMPTS = ["The capital of Japan is", "Once upon a time, in a small village by the sea,",
           "def fibonacci(n):\n    if n < 2:\n        return n\n", "1, 2, 3, 4, 5, 6,",
           "Water boils at a temperature of", "Dear Sir or Madam,\n\nI am writing to",
           "The three primary colours are red,", "SELECT name, age FROM people WHERE",
           "Q: Who wrote Hamlet?\nA:", "# Shopping list\n\n- milk\n- eggs\n-"]
NEW_IDS = 16
# Of logits; two engines that round differently may swap tokens that are closer.
APART = 0.5
CONTEXT = 128


def ids_of(program, text):
    """The program's own ids of a text (runtime/Main/Score.h)."""
    data = text.encode()
    answer = subprocess.run([program, "--score"], input=b"ids %d\n" % len(data) + data,
                            capture_output=True, check=True).stdout
    _, _, *ids = map(int, answer.split())
    return ids


def main():
    args = harness.parser(__doc__.splitlines()[0]).parse_args()
    report = harness.Report()
    engine = llama_cpp.Model(args.model, CONTEXT, cache="F32")
    with harness.Workspace(args.keep) as folder:
        program, logits = folder / "program", folder / "logits.npy"
        made = harness.compile_model(args.corellama, args.model, program,
                                     "--cache-type=f32")
        if not report.check("compiles", made.code == 0, made.why):
            report.finish()
        compared = 0
        for prompt in PROMPTS:
            name = repr(prompt)
            ids = ids_of(program, prompt)
            begin = len(ids)
            clear = {}
            for _ in range(NEW_IDS):
                row = engine.logits(ids, len(ids) - 1)[0]
                second, first = np.argsort(row)[-2:]
                if row[first] - row[second] > APART:
                    clear[len(ids) - 1] = int(first)
                ids.append(int(first))
            # The last token's row would be the answer's, so one is generated.
            result, _ = harness.generate(program, ids, 1, logits=logits)
            if result.code != 0:
                report.fail(name, result.why())
                continue
            ours = np.load(logits).argmax(axis=1)
            wrong = {at: int(ours[at]) for at, token in clear.items() if ours[at] != token}
            compared += len(clear)
            report.check(name, not wrong, f"behind {wrong} others are likeliest",
                         f"{len(clear)} of {len(ids) - begin} tokens are clear")
        report.check("most tokens are clear", compared > len(PROMPTS) * NEW_IDS / 2,
                     f"{compared} are")
    report.finish()


if __name__ == "__main__":
    main()
