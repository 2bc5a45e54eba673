#!/usr/bin/env python3
"""Runs each script of examples/patterns and compares its output with the trace that its header promises.

Drives $PERILUNE (or $PERILUNE_BINARY, else build/release/perilune). The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PERILUNE") or os.environ.get("PERILUNE_BINARY") or str(TOP / "build/release/perilune")
PATIENCE_S = 60


def problem_of(script, directory):
    """What is wrong with a script, or an empty text."""
    text = script.read_text()
    number = int(script.name[:2])
    if not text.startswith(f"-- Pattern {number}: "):
        return "the header does not name the pattern"
    promised = re.search(r"^-- trace: (.+)$", text, re.M)
    if not promised:
        return "the header has no trace"
    done = subprocess.run([BINARY, "run", str(script), "--json"], cwd=directory, capture_output=True, text=True,
                          timeout=PATIENCE_S)
    if done.returncode != 0:
        return f"ended with {done.returncode}: {done.stderr.strip()}"
    trace = json.loads(done.stdout)["output"]
    return "" if trace == promised.group(1) else f"the trace is {trace!r} in place of {promised.group(1)!r}"


def main():
    scripts = sorted((TOP / "examples/patterns").glob("*.lua"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="perilune-patterns-") as directory:
        os.mkdir(os.path.join(directory, ".perilune"))  # else one above would be taken
        for script in scripts:
            problem = problem_of(script, directory)
            failed += bool(problem)
            if problem:
                print(f"{script.name}: {problem}")
    print(f"{len(scripts) - failed} passed, {failed} failed")
    return 1 if failed or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
