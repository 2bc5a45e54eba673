#!/usr/bin/env python3
"""Runs each script of examples/patterns and compares its output with the trace that its header promises, and what the
journal has as undone with what is promised there.

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
TABLE = (TOP / "docs/patterns.md").read_text()


HEADERS = {"data": r"-- Data pattern {}: ", "exception": r"-- Exception pattern [A-Z]{{3}}-[A-Z]{{3}}-[A-Z]{{3}}: "}


def header_problem(script, text):
    kind, number = re.match(r"(?:([a-z]+)-)?(\d\d)-", script.name).groups()
    wanted = HEADERS.get(kind, r"-- Pattern {}: ").format(int(number))
    if not re.match(wanted, text):
        return "the header does not name the pattern"
    return "" if script.name in TABLE else "docs/patterns.md does not name it"


def problem_of(script, directory):
    """What is wrong with a script, or an empty text."""
    text = script.read_text()
    problem = header_problem(script, text)
    if problem:
        return problem
    promised = re.search(r"^-- trace: (.+)$", text, re.M)
    if not promised:
        return "the header has no trace"
    session = re.search(r"^-- session: (.+)$", text, re.M)
    options = ["--session", session.group(1)] if session else []
    done = subprocess.run([BINARY, "run", str(script), "--json", *options], cwd=directory, capture_output=True, text=True,
                          timeout=PATIENCE_S)
    if done.returncode != 0:
        return f"ended with {done.returncode}: {done.stderr.strip()}"
    result = json.loads(done.stdout)
    if result["output"] != promised.group(1):
        return f"the trace is {result['output']!r} in place of {promised.group(1)!r}"
    undone = re.search(r"^-- undone: (.+)$", text, re.M)
    return undone_problem(result["run"], undone.group(1).split(", ") if undone else [], directory)


def undone_problem(run, promised, directory):
    shown = subprocess.run([BINARY, "show", run, "--json"], cwd=directory, capture_output=True, text=True,
                           timeout=PATIENCE_S)
    records = json.loads(shown.stdout)["records"]
    undone = [record["name"] for record in records if record["kind"] == "compensation_done"]
    return "" if undone == promised else f"undone was {undone}, promised is {promised}"


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
