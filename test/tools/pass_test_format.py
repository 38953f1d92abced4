# The test format of the suite: lit's ShTest plus `%pass` in test/passes, whose
# meaning depends on the file's own name, which a plain substitution cannot know.
import os
import re

import lit.formats
import lit.TestRunner


def flag_of(path):
    """chunk.mlir and chunk-invalid.mlir both test --chunk."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return stem.removesuffix("-invalid")


class PassTest(lit.formats.ShTest):
    def __init__(self, empty):
        super().__init__(execute_external=False)
        self.empty = empty

    def execute(self, test, litConfig):
        return lit.TestRunner.executeShTest(
            test, litConfig, self.execute_external, self.substitutions(test)
        )

    def substitutions(self, test):
        if test.path_in_suite[0] != "passes":
            return []
        flag = flag_of(test.getSourcePath())
        with open(test.getSourcePath(), encoding="utf-8") as file:
            uses = set(re.findall(r"%pass\{([^}]*)\}", file.read()))
        # A rule for each use: lit's replacements are plain text. One word for
        # the shell, whatever the options hold. The rule of a bare %pass is last,
        # since it matches the beginning of the others.
        rules = [(re.escape(f"%pass{{{options}}}"), f"'--{flag}={options}'")
                 for options in sorted(uses)] + [(r"%pass\b", f"--{flag}")]
        return [(use, "") for use, _ in rules] if self.empty else rules
