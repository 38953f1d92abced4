#!/usr/bin/env python3
"""Every pass has a description, and its EXAMPLE is there.

Input: the root of the source tree. A pass's description in Passes.td ends in
`EXAMPLE test/....mlir @function`; that file must exist, call the pass's flag by
`%pass`, and define the function. A pass without an example, or with an empty
description, fails too.
"""

import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
faults = []
count = 0
for table in sorted(root.glob("passes/*/Passes.td")):
    for name, flag, body in re.findall(
            r'^def (\w+) : \w*Pass<"([\w-]+)".*?\{\n(.*?)^\}', table.read_text(), re.M | re.S):
        count += 1
        where = f"{table.relative_to(root)}: {flag}"
        example = re.search(r"^\s*EXAMPLE (\S+) @(\S+)$", body, re.M)
        facts = ["Phase:", "Needs:", "Leaves:", "Never:"]
        missing = [fact for fact in facts if fact not in body]
        if missing:
            faults.append(f"{where}: the description lacks {', '.join(missing)}")
        if not example:
            faults.append(f"{where}: names no EXAMPLE")
            continue
        path = root / example[1]
        if path.stem != flag:
            faults.append(f"{where}: its example is {example[1]}, not the file of its flag")
        if not path.exists():
            faults.append(f"{where}: {example[1]} does not exist")
        elif not re.search(rf"@{re.escape(example[2])}\b", path.read_text()):
            faults.append(f"{where}: {example[1]} has no @{example[2]}")
for fault in faults:
    print(fault)
print(f"{count} passes, {len(faults)} faults")
sys.exit(1 if faults or not count else 0)
