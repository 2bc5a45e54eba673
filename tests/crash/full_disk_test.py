#!/usr/bin/env python3
"""A disk that is full: a run on a small tmpfs that other files fill, again and again (the real binary, a real file system).

Usage: tests/crash/full_disk_test.py          $PERILUNE is the binary, $PERILUNE_SIZE small or full, $PERILUNE_SEED the seed.
The last line is `N passed, N failed`. While there is no room the program says so, names the file and ends with 74; what it had
acknowledged is there, readable, even then; when there is room again, `resume` goes on, and no recorded step runs again. It
mounts the tmpfs in a namespace of its own; where that is not allowed it says so and counts nothing. Control: a step that runs
again is found.
"""
# SPDX-License-Identifier: MIT
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ledger import told_steps  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("PERILUNE") or TOP / "build/release/perilune")
FULL = os.environ.get("PERILUNE_SIZE", "full") != "small"
SEED = int(os.environ.get("PERILUNE_SEED") or time.time())
CYCLES = 50 if FULL else 4
STEPS, STEP_BYTES, DISK_BYTES = 60, 20_000, 6 << 20
SCRIPT = """
local n = 0
for i = 1, input.steps do
  n = n + #step("s" .. i, function()
    file.append(input.ledger, "s" .. i .. "\\n")
    return ("x"):rep(input.bytes)
  end)
end
return n
"""


def perilune(place, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
    return subprocess.run([BINARY, *arguments, "--store", str(place / "disk/perilune.db")], cwd=place, env=environment,
                          capture_output=True, text=True, timeout=120, check=False)


def fill(place, leave):
    """Takes all room of the disk but `leave` bytes."""
    free = os.statvfs(place / "disk")
    with open(place / "disk/other-files", "wb") as file:
        file.write(b"\0" * max(0, free.f_bavail * free.f_frsize - leave))


def recorded(place):
    """Names of the steps whose outcome is on the disk; none before the run is."""
    shown = perilune(place, "show", "big", "--json")
    if shown.returncode == 2:
        return []
    if shown.returncode != 0:
        raise RuntimeError(f"show ended with {shown.returncode}: {shown.stderr}")
    return [record["name"] for record in json.loads(shown.stdout)["records"] if record["kind"] == "step_done"]


def ran_again(before, ledger):
    return sorted(set(before) & set(ledger))


def cycle(place, moments):
    """One run that meets a full disk, up to three times: what is wrong."""
    ledger = place / "ledger"
    script = place / "full.lua"
    script.write_text(SCRIPT)
    inputs = json.dumps({"steps": STEPS, "bytes": STEP_BYTES, "ledger": str(ledger)})
    begin = ["run", str(script), "--id", "big", "--input", inputs]
    if moments.random() < 0.8:   # else the disk is full before there is a store
        nothing = json.dumps({"steps": 0, "bytes": 0, "ledger": ""})
        first = perilune(place, "run", str(script), "--id", "small", "--input", nothing, "--quiet")
        if first.returncode != 0:
            return [f"the first run ended with {first.returncode}: {first.stderr}"], 0
    wrong = []
    met_full = 0
    for _ in range(3):
        fill(place, moments.randrange(0, STEPS * STEP_BYTES))
        done = recorded(place)
        length = len(ledger.read_text().splitlines()) if ledger.exists() else 0
        process = perilune(place, *begin)
        met_full += process.returncode == 74
        if process.returncode not in (0, 74):
            wrong.append(f"it ended with {process.returncode}: {process.stderr[-400:]}")
        if process.returncode == 74 and not any(word in process.stderr for word in ("full", "No space left")):
            wrong.append(f"it does not say that the disk is full: {process.stderr[-400:]}")
        now = recorded(place)   # while the disk is still full
        missing = sorted((told_steps(process.stderr) | set(done)) - set(now))
        if missing:
            wrong.append(f"acknowledged and gone: {missing}")
        lines = ledger.read_text().splitlines() if ledger.exists() else []
        if again := ran_again(done, lines[length:]):
            wrong.append(f"recorded and run again: {again}")
        (place / "disk/other-files").unlink()
    process = perilune(place, *begin, "--json")
    if process.returncode != 0 or json.loads(process.stdout)["output"] != STEPS * STEP_BYTES:
        wrong.append(f"with room it ended with {process.returncode}: {process.stderr[-400:]}")
    return wrong, met_full


def main():
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        print("full disk test: no tmpfs can be mounted here; nothing was tried\n0 passed, 0 failed")
        return 0
    if os.environ.get("FULL_DISK_INSIDE") != "1":
        return subprocess.run(["unshare", "-rm", sys.executable, __file__],
                              env={**os.environ, "FULL_DISK_INSIDE": "1", "PERILUNE_SEED": str(SEED)}, check=False).returncode
    moments, passed, failed, full = random.Random(SEED), 0, 0, 0
    print(f"full disk test: seed {SEED}, {CYCLES} runs, {BINARY}")
    for number in range(CYCLES):
        with tempfile.TemporaryDirectory(prefix="perilune-full-") as name:
            place = Path(name)
            (place / "disk").mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place / "disk")], check=True)
            try:
                wrong, met = cycle(place, moments)
            finally:
                subprocess.run(["umount", "-l", str(place / "disk")], check=True)
        full += met
        passed, failed = passed + (not wrong), failed + bool(wrong)
        for text in wrong:
            print(f"  run {number}: {text}")
    checks = {"the disk was full often enough": full >= CYCLES, "control: a step that runs again is found":
              bool(ran_again(["s1"], ["s1", "s2"]))}
    for name, good in checks.items():
        print(f"  {name}: {'ok' if good else 'NO'} ({full} times)")
        passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
