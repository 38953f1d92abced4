#!/usr/bin/env python3
"""Compares what a pipeline made with the file that says what it should make.

Both are printed by corellama-opt first, so that names of values and line breaks
are the printer's; here aliases (`#map1`) are written out and comments dropped,
then everything must be equal. With --function only that function is compared:
where the expected file holds one kernel of a module that has many.
"""
import argparse
import difflib
import re
import sys


def expand(text):
    """The module with its attribute aliases in place and without comments."""
    lines, aliases = [], {}
    for line in text.splitlines():
        line = re.sub(r"\s*//.*$", "", line)
        alias = re.match(r"([#!]\w+) = (.*)$", line)
        if alias:
            aliases[alias[1]] = alias[2]
        elif line.strip():
            lines.append(line)

    def written_out(match):
        return aliases.get(match[0], match[0])

    return [re.sub(r"[#!]\w+", written_out, line) for line in lines]


def only(lines, function, name):
    """The lines of one function of the module."""
    found, inside = [], False
    for line in lines:
        inside = inside or (line.startswith("  func.func ") and f" @{function}(" in line)
        if inside:
            found.append(line)
        if inside and line == "  }":
            return found
    sys.exit(f"compare.py: {name}: no function @{function}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("got", help="what the pipeline printed")
    parser.add_argument("expected", help="the expected file, printed")
    parser.add_argument("--function", help="compare this function alone")
    arguments = parser.parse_args()
    sides = []
    for name in (arguments.expected, arguments.got):
        with open(name) as file:
            lines = expand(file.read())
        if arguments.function:
            lines = only(lines, arguments.function, name)
        if not lines:
            sys.exit(f"compare.py: {name}: nothing to compare")
        sides.append(lines)
    difference = list(difflib.unified_diff(
        *sides, fromfile="expected", tofile="got", lineterm=""))
    print("\n".join(difference))
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
