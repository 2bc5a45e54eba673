#!/usr/bin/env python3
"""Runs every Lua block of README.md and docs/*.md; a JSON block right after one is the output that it must give.

A block that begins with a comment such as `-- billing.lua` is that file, beside the blocks that follow on its page; one
that is called `-- NAME_test.lua` is run by `perilune test` beside them.

Reads $PERILUNE (the binary; build/release/perilune without it). Ends with `N passed, N failed`.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PERILUNE") or str(TOP / "build/release/perilune")
BLOCK = re.compile(r"^```lua\n(.*?)^```\n(?:```json\n(.*?)^```\n)?", re.M | re.S)


FILE = re.compile(r"^-- (\w+\.lua)\n")


def check(where, script, expected, files):
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "example.lua"
        for name, content in files.items():
            (pathlib.Path(place) / name).write_text(content)
        path.write_text(script)
        done = subprocess.run([BINARY, "run", str(path), "--store", "memory", "--quiet"], cwd=place, text=True,
                              capture_output=True, timeout=60)
    if done.returncode != 0:
        return f"{where}: exit code {done.returncode}\n{done.stderr}"
    if expected is not None and json.loads(done.stdout) != json.loads(expected):
        return f"{where}: gave {done.stdout.strip()}, the page says {expected.strip()}"
    return None


def check_tests(where, name, script, files):
    with tempfile.TemporaryDirectory() as place:
        for other, content in [*files.items(), (name, script)]:
            (pathlib.Path(place) / other).write_text(content)
        done = subprocess.run([BINARY, "test", name], cwd=place, text=True, capture_output=True, timeout=60)
    return None if done.returncode == 0 else f"{where}: exit code {done.returncode}\n{done.stdout}{done.stderr}"


def main():
    passed, failed = 0, 0
    for page in [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))]:
        text, files = page.read_text(), {}
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            where, file = f"{page.relative_to(TOP)}:{line}", FILE.match(found[1])
            if file and not file[1].endswith("_test.lua"):
                files[file[1]] = found[1]
                continue
            wrong = check_tests(where, file[1], found[1], files) if file else check(where, found[1], found[2], files)
            if wrong:
                print(wrong)
            passed, failed = passed + (wrong is None), failed + (wrong is not None)
    if passed + failed == 0:
        print("no example was found")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
