#!/usr/bin/env python3
"""Writes stub shared libraries that hold only the names a program imports.

From reference programs that were linked the ordinary way (reference.c) to one
small library for each given name, with the same soname and the same versioned
symbols as the real one. A compiled model is linked against the stubs, so that
linking needs no C library's development files; it runs with the real ones.

Fails if the program needs another library, or a version of the C library that
is newer than the oldest system the programs are meant for.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

# Debian 12's C library.
NEWEST_GLIBC = (2, 36)

KINDS = {"FUNC": "function", "OBJECT": "object", "TLS": "tls_object"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def fail(message):
    sys.exit(f"make_stub.py: {message}")


def library_of_version(program):
    """Version index -> library: a version's name alone does not tell, because
    all parts of glibc have a GLIBC_2.2.5."""
    result = {}
    library = None
    for line in output("readelf", "-VW", program).splitlines():
        if match := re.search(r"File: (\S+)", line):
            library = match[1]
        elif match := re.search(r"Name: (\S+).*Version: (\d+)", line):
            result[match[2]] = library
    return result


def imported_symbols(programs):
    """library -> version -> {(name, kind, bytes)}. A version's index in parentheses
    says that a name is imported; it is not UND where the program has a copy of a
    variable (stdout), which static libraries that are no PIC make it have."""
    symbols = collections.defaultdict(lambda: collections.defaultdict(set))
    for program in programs:
        libraries = library_of_version(program)
        for line in output("readelf", "--dyn-syms", "-W", program).splitlines():
            # number: value size type bind visibility UND name@version (index)
            fields = line.split()
            if len(fields) < 9 or "@" not in fields[7]:
                continue
            name, version = fields[7].split("@")
            library = libraries[fields[8].strip("()")]
            # A copy has the size that the stub says; of what is not copied it is
            # unknown, and no linker asks for it.
            symbols[library][version].add((name, KINDS.get(fields[3], "function"),
                                           int(fields[2], 0) or 8))
    return symbols


def check_versions(symbols):
    for versions in symbols.values():
        for version, names in versions.items():
            numbers = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", version)
            if not numbers:
                continue
            if (int(numbers[1]), int(numbers[2])) > NEWEST_GLIBC:
                name = sorted(names)[0][0]
                fail(f"{name} is of {version}, programs may need "
                     f"GLIBC_{NEWEST_GLIBC[0]}.{NEWEST_GLIBC[1]} at most; "
                     "build on Debian 12")


def write_stub(library, versions, folder, compiler, linker):
    source = folder / f"{library}.s"
    script = folder / f"{library}.map"
    objectfile = folder / f"{library}.o"
    # One section for each kind: a name's type is all that a linker looks at.
    assembly = []
    nodes = []
    for version, names in sorted(versions.items()):
        ordered = sorted(names)
        nodes.append(f"{version} {{ global: "
                     + " ".join(f"{name};" for name, *_ in ordered) + " };")
        for name, kind, size in ordered:
            section = {"function": ".text", "object": ".data",
                       "tls_object": '.section .tdata,"awT",@progbits'}[kind]
            assembly.append(f"{section}\n.balign 8\n.globl {name}\n.type {name},@{kind}\n"
                            f"{name}: .zero {size}\n.size {name}, {size}")
    source.write_text("\n".join(assembly) + "\n")
    script.write_text("\n".join(nodes) + "\n")
    output(compiler, "-c", str(source), "-o", str(objectfile))
    arguments = ["-shared", "-soname", library, str(objectfile),
                 "-o", str(folder / library)]
    if nodes:
        arguments[:0] = ["--version-script", str(script)]
    output(linker, *arguments)
    for file in (source, script, objectfile):
        file.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--linker", required=True)
    parser.add_argument("--programs", required=True, nargs="+")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--stubs", required=True, nargs="+")
    arguments = parser.parse_args()

    symbols = imported_symbols(arguments.programs)
    # Not the list of needed libraries: that may name some for the sake of code
    # that was then left out.
    for library in symbols:
        if library not in arguments.stubs:
            fail(f"the runtime needs {library}, programs may need "
                 f"{' '.join(arguments.stubs)} only; link it statically")
    check_versions(symbols)
    for library in arguments.stubs:
        write_stub(library, symbols.get(library, {}), arguments.out,
                   arguments.compiler, arguments.linker)


if __name__ == "__main__":
    main()
