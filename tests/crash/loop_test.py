#!/usr/bin/env python3
"""A loop that is killed: examples/million.lua, killed (SIGKILL, the real binary) at random moments and resumed each time.

Usage: tests/crash/loop_test.py          $PERILUNE is the binary, $PERILUNE_SIZE small or full, $PERILUNE_SEED the seed.
The last line is `N passed, N failed`. The total and the counts must be those of an undisturbed run, each step must have run,
none again once a later one had (so a resume does not begin anew), and the store must stay small. How long a resume took,
from the start of the process to the next new step, is printed. Control: a ledger in which the steps begin anew.
"""
# SPDX-License-Identifier: MIT
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("PERILUNE") or TOP / "build/release/perilune")
FULL = os.environ.get("PERILUNE_SIZE", "full") != "small"
SEED = int(os.environ.get("PERILUNE_SEED") or time.time())
ITERATIONS, EVERY, KILLS = (1_000_000, 1000, 10) if FULL else (200_000, 1000, 3)
STORE_BYTES_MAX = 50 << 20
PATIENCE_S = 300


def begin(place):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
    inputs = {"iterations": ITERATIONS, "every": EVERY, "ledger": str(place / "ledger")}
    return subprocess.Popen([BINARY, "run", str(TOP / "examples/million.lua"), "--id", "m", "--input", json.dumps(inputs),
                             "--json", "--quiet", "--store", str(place / "perilune.db")],
                            cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def steps(place):
    ledger = place / "ledger"
    return [int(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def wait_for_steps(place, process, number):
    """Until the ledger has so many lines, or the run is over."""
    while process.poll() is None and len(steps(place)) < number:
        time.sleep(0.001)


def complaints(ledger, output):
    total = ITERATIONS * (ITERATIONS + 1) // 2
    expected = {"total": total, "steps": ITERATIONS // EVERY, "seen": ITERATIONS}
    found = [] if output == expected else [f"the output is {output}, not {expected}"]
    if sorted(set(ledger)) != list(range(EVERY, ITERATIONS + 1, EVERY)):
        found.append("not every step has run")
    newest = 0
    for step in ledger:
        if step < newest:
            found.append(f"step {step} ran again after step {newest}")
            break
        newest = step
    return found


def main():
    moments, passed, failed, resumes = random.Random(SEED), 0, 0, []
    print(f"loop test: seed {SEED}, {ITERATIONS} iterations, {KILLS} kills, {BINARY}")
    with tempfile.TemporaryDirectory(prefix="perilune-loop-") as name:
        place = Path(name)
        at = sorted(moments.sample(range(2, ITERATIONS // EVERY - 1), KILLS))
        for number in at:   # killed at some moment in the iterations after so many steps
            seen, began = len(steps(place)), time.monotonic()
            process = begin(place)
            wait_for_steps(place, process, seen + 1)
            if seen > 0:
                resumes.append(time.monotonic() - began)
            wait_for_steps(place, process, number)
            time.sleep(moments.uniform(0, 0.004))
            process.kill()
            process.communicate()
            passed, failed = passed + (process.returncode == -signal.SIGKILL), failed + (process.returncode != -signal.SIGKILL)
        out, err = begin(place).communicate(timeout=PATIENCE_S)
        ledger, size = steps(place), sum(file.stat().st_size for file in place.glob("perilune.db*"))
        checks = {"the run that was killed": complaints(ledger, json.loads(out)["output"]),
                  "the store": [] if size < STORE_BYTES_MAX else [f"{size} bytes"],
                  "control: steps that begin anew are found": [] if complaints(ledger + ledger, None) else ["not found"]}
    for name, wrong in checks.items():
        print(f"  {name}: {'; '.join(wrong) or 'ok'}")
        passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"  resumed in {1000 * max(resumes):.0f} ms at most, {1000 * sorted(resumes)[len(resumes) // 2]:.0f} ms in the middle;"
          f" the store has {size / 1024:.0f} KiB")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
