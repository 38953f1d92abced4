#!/usr/bin/env python3
"""Writes CaseTables.h, Unicode's case mappings, and ClassTables.h, classes of characters.

Characters that become one other character are ranges with a distance, all others are
listed. Run again when the version of Unicode in the tests' Python changes:

    runtime/Templates/make_case_tables.py
"""
import unicodedata
from pathlib import Path

HEADER = """//===- CaseTables.h - Unicode's case mappings -----------------------------===//
//
// Unicode {version}, made by make_case_tables.py: do not edit. A header of tables of
// its own because String.cpp is to be read.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_CASETABLES_H
#define CORELLAMA_RUNTIME_TEMPLATES_CASETABLES_H

#include <cstdint>
#include <string>

namespace corellama::runtime::templates {{

enum class Case : uint8_t {{ Upper, Lower, Title }};

/// Characters first, first + every, ... up to last become the one `by` further.
struct CaseRange {{
  Case to;
  char32_t first, last;
  uint32_t every;
  int32_t by;
}};
struct SpecialCase {{
  Case to;
  char32_t character;
  const char32_t *becomes;
}};
"""
CLASSES = """//===- ClassTables.h - classes of Unicode's characters --------------------===//
//
// Unicode {version}, made by make_case_tables.py: do not edit. A header of tables of
// its own because String.cpp is to be read.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_CLASSTABLES_H
#define CORELLAMA_RUNTIME_TEMPLATES_CLASSTABLES_H

namespace corellama::runtime::templates {{

/// Characters of a class, the last one included.
struct CharacterRange {{
  char32_t first, last;
}};

// clang-format off
"""
END = """}};
// clang-format on

}} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_{name}TABLES_H
"""
FOLDER = Path(__file__).resolve().parent


def mappings(name):
    """{character: what it becomes}, where that is something else."""
    change = getattr(str, name)
    characters = (chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    return {ord(c): change(c) for c in characters if change(c) != c}


def ranges(single):
    """Runs of equal distance, one or two apart."""
    runs = []
    for c, by in sorted(single.items()):
        if runs:
            first, last, every, distance = runs[-1]
            step = c - last
            if by == distance and step in ((every,) if every else (1, 2)):
                runs[-1] = (first, c, step, distance)
                continue
        runs.append((c, c, 0, by))
    return runs


def write_rows(out, entries):
    """As many in a line as fit."""
    line = ""
    for entry in entries:
        if len(line) + len(entry) > 96:
            out.write(f"    {line.rstrip()}\n")
            line = ""
        line += entry + ", "
    out.write(f"    {line.rstrip()}\n")


def write_cases(out):
    out.write(HEADER.format(version=unicodedata.unidata_version))
    special, table = [], []
    for case, name in (("Upper", "upper"), ("Lower", "lower"), ("Title", "title")):
        found = mappings(name)
        single = {c: ord(t) - c for c, t in found.items() if len(t) == 1}
        special += [(case, c, t) for c, t in found.items() if len(t) > 1]
        table += [(case, *run) for run in ranges(single)]
    out.write("\n// clang-format off\ninline constexpr CaseRange kCaseRanges[] = {\n")
    write_rows(out, [f"{{Case::{case}, {first:#x}, {last:#x}, {max(every, 1)}, {by}}}"
                     for case, first, last, every, by in table])
    out.write("};\n\ninline constexpr SpecialCase kSpecialCases[] = {\n")
    # One escape a literal: more digits may follow in the next.
    write_rows(out, [f"{{Case::{case}, {c:#x}, " +
                     " ".join(f"U\"\\x{ord(t):x}\"" for t in text) + "}"
                     for case, c, text in special])
    out.write(END.format(name="CASE"))


def write_classes(out):
    out.write(CLASSES.format(version=unicodedata.unidata_version))
    separator = ""
    # Ranges of decimal digits begin with a zero.
    for name, has in (("Unprintable", lambda c: not c.isprintable()),
                      ("Letters", str.isalpha), ("Decimals", str.isdecimal),
                      ("Digits", str.isdigit), ("Numerics", str.isnumeric)):
        out.write(f"{separator}inline constexpr CharacterRange k{name}[] = {{\n")
        separator = "};\n\n"
        runs = []
        for c in range(0x110000):
            if not has(chr(c)):
                continue
            if runs and runs[-1][1] == c - 1:
                runs[-1][1] = c
            else:
                runs.append([c, c])
        write_rows(out, [f"{{{first:#x}, {last:#x}}}" for first, last in runs])
    out.write(END.format(name="CLASS"))


def main():
    for name, write in (("CaseTables.h", write_cases), ("ClassTables.h", write_classes)):
        with open(FOLDER / name, "w", encoding="utf-8") as out:
            write(out)


if __name__ == "__main__":
    main()
