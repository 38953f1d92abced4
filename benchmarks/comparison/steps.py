"""Commands that have to work, and files that are whole or absent.

Input: a command, or a path to be written; output: what the command printed, or a file
that appears under its name only when it is finished. A file of its own because making
checkpoints, building llama.cpp and measuring all need these, and nothing else in common.
"""

import contextlib
import os
import subprocess
import sys


class Failure(Exception):
    """Ends the command that ran; its text is the line that the user reads."""


def run(command, what, log=None, env=None):
    """The standard output of a command. Its failure is ours, with its last line, or with
    the name of a log, where it is given one: that of a build is read whole."""
    command = [str(word) for word in command]
    try:
        result = subprocess.run(command, capture_output=True, text=True, env=env)
    except OSError as error:
        raise Failure(f"{what}: {command[0]}: {error.strerror}") from error
    if log:
        log.write_text(result.stdout + result.stderr)
    if result.returncode:
        said = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        why = f"read {log}" if log else "".join(said) or "no reason given"
        raise Failure(f"{what}: exit code {result.returncode}: {why}")
    return result.stdout


@contextlib.contextmanager
def whole_file(path):
    """Gives a name to write to, which becomes `path` at the end. Whatever ends the
    block early, Ctrl-C included, leaves `path` as it was."""
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def progress(text):
    """One line that is written over: for a person at a terminal, for nobody else."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
