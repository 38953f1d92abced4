# The test format of the suite: lit's ShTest plus `%pass` in test/passes, whose
# meaning depends on the file's own name, which a plain substitution cannot know.
import os

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
        if self.empty:
            return [(r"%pass\{[^}]*\}", ""), (r"%pass\b", "")]
        flag = flag_of(test.getSourcePath())
        # One word for the shell, whatever the options hold; the first rule
        # must come first, since the second matches its beginning.
        return [
            (r"%pass\{([^}]*)\}", f"'--{flag}=\\1'"),
            (r"%pass\b", f"--{flag}"),
        ]
