"""Prints exit code and message of wrong command lines: command_line.py CORELLAMA."""

import subprocess
import sys

LINES = ["compile m.gguf -o x --target=foo", "compile m.gguf -o x --target=znver44",
         "compile m.gguf -o x --target", "compile m.gguf -o x -o y",
         "compile m.gguf -o x --remarks=foo", "inspect", "model.gguf"]
for line in LINES:
    result = subprocess.run([sys.argv[1], *line.split()], capture_output=True)
    print(result.returncode, (result.stderr + result.stdout).decode().rstrip("\n"))
