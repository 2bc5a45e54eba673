#!/usr/bin/env python3
"""A mutex across runs whose holder is killed: examples/mutex.lua, killed (SIGKILL, the real binary) and resumed.

Usage: tests/crash/mutex_test.py          $PERILUNE is the binary, $PERILUNE_SIZE small or full, $PERILUNE_SEED the seed.
The last line is `N passed, N failed`. After each series of kills the balance must be the one of an undisturbed run, and in
the ledger nobody may enter while another one is inside. Controls: a ledger with two inside, and a lost payment.
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
TELLERS, START = 4, 100
BALANCE = START + sum(10 * i for i in range(1, TELLERS + 1))
PATIENCE_S = 60


def live(place, crash_at=None, kill_after_s=None):
    """One life of all runs of the store; the parent's result, or None when it was killed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
    if crash_at is not None:
        environment["PERILUNE_CRASH_AT"] = str(crash_at)
    inputs = {"tellers": TELLERS, "account": str(place / "account"), "ledger": str(place / "ledger")}
    arguments = ["run", str(TOP / "examples/mutex.lua"), "--id", "m", "--input", json.dumps(inputs)]
    process = subprocess.Popen([BINARY, *arguments, "--json", "--store", str(place / "perilune.db")], cwd=place,
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=kill_after_s or PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode == -signal.SIGKILL:
        return None
    if process.returncode != 0:
        raise RuntimeError(f"run ended with {process.returncode}: {err}")
    return json.loads(out)


def complaints(ledger, balance):
    inside, found = None, []
    for line in ledger:
        what, teller = line.split()
        if inside not in (None, teller):
            found.append(f"teller {teller} says '{what}' while teller {inside} is inside")
        inside = teller if what == "enter" else None
    if balance != BALANCE:
        found.append(f"the balance is {balance}, not {BALANCE}")
    return found


def series(kills):
    """Lives with these kills, then one to the end: what is wrong."""
    with tempfile.TemporaryDirectory(prefix="perilune-mutex-") as name:
        place = Path(name)
        for kill in kills:
            if live(place, **kill) is not None:
                break
        result = live(place)
        ledger = (place / "ledger").read_text().splitlines()
        # What was cut before it was recorded is done again, by the same teller: the line stands twice.
        lines = [line for i, line in enumerate(ledger) if i == 0 or line != ledger[i - 1]]
        return complaints(lines, result["output"]["balance"])


def main():
    moments, passed, failed = random.Random(SEED), 0, 0
    print(f"mutex test: seed {SEED}, {'full' if FULL else 'small'}, {BINARY}")
    cases = [("undisturbed", [])]
    cases += [(f"killed after record {n} of a run", [{"crash_at": n}]) for n in range(1, 10, 1 if FULL else 4)]
    cases += [(f"killed {k} times", [{"kill_after_s": moments.uniform(0.005, 0.09)} for _ in range(k)])
              for k in (1, 2, 3) for _ in range(30 if FULL else 2)]
    for name, kills in cases:
        wrong = series(kills)
        passed, failed = passed + (not wrong), failed + bool(wrong)
        for text in wrong:
            print(f"  {name} ({kills}): {text}")
    for name, ledger, balance in (("two inside", ["enter 1", "enter 2", "leave 1", "leave 2"], BALANCE),
                                  ("a lost payment", ["enter 1", "leave 1"], BALANCE - 10)):
        found = bool(complaints(ledger, balance))
        passed, failed = passed + found, failed + (not found)
        print(f"  control: {name}: {'found' if found else 'NOT FOUND'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
