#!/usr/bin/env python3
"""Runs the durable-execution conformance cases through the real program, and says which of them Perilune fails.

Usage: tests/conformance/durable/run.py [DATA] [--case CATEGORY/NAME] [--verbose]
  DATA       the directory of the cases, CATEGORY/NAME.yaml (default: ../shared/data/durable-conformance beside the
             repository; without it nothing is run, and a line says so)
  --case     that case alone; --verbose prints its history
Drives $PERILUNE (else build/release/perilune). The last line is `N passed, N failed`.

A case describes a handler in words and lists the result and the history that it must have. handlers/CATEGORY/NAME.lua is
the handler. Each case is lived through twice, stopped and killed (lives.py); events.py has the rules by which the records
of the run become a history, expect.py those of the comparison. Constructs that stand for theirs:

| theirs              | ours                                                                                     |
|---|---|
| step                | step                                                                                     |
| wait                | sleep                                                                                    |
| child context       | spawn(name, fn):await(): a task of its own within the run                                |
| callback            | a task that waits for the signal of its name (handlers/callback/external.lua)            |
| wait for callback   | a task with a callback and the step that tells the outside of it                         |
| wait for condition  | loop with `every`, a step an iteration                                                   |
| invoke              | call                                                                                     |
| map, parallel       | map, parallel with need, tolerate, limit                                                 |

Controls: histories with something left out, doubled, swapped or changed must be found wrong (doctored.py), and so must the
handlers of broken/, which are wrong each in a way that its first line says.
"""
# SPDX-License-Identifier: MIT
import argparse
import json
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]
sys.path.insert(0, str(HERE))
from doctored import unnoticed  # noqa: E402
from events import History  # noqa: E402
from expect import Case, Mismatch, Names  # noqa: E402
from lives import Lives  # noqa: E402

BINARY = os.path.abspath(os.environ.get("PERILUNE") or TOP / "build/release/perilune")
SEED = int(os.environ.get("PERILUNE_SEED") or 1)
AT_ONCE = 6   # they wait most of the time
SERDES = "a serializer of one's own: Perilune has one codec for all that it records"
LEFT_OUT = {
    "callback/4-15": SERDES,
    "invoke/5-15": SERDES,
    "map/9-19": SERDES,
    "parallel/8-15": SERDES,
    "wait_for_condition/6-11": SERDES,
}
# These count the lines of a replay too, which their SDKs can be told to log and Perilune never does.
REPLAY_LOGGED = {"child/3-11"}


class Report:
    """Counts, and the lines of what failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, title, complaint):
        if complaint:
            self.failed += 1
            print(f"{title}: {complaint}", flush=True)
        else:
            self.passed += 1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", nargs="?", default=str(TOP / "../shared/data/durable-conformance"))
    parser.add_argument("--case")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def read_cases(directory):
    import yaml   # not needed where there are no cases
    cases = []
    for file in directory.glob("*/*.yaml"):
        cases.append(Case(file.parent.name, file.stem, yaml.safe_load(file.read_text())))
    return sorted(cases, key=lambda case: (case.category, int(case.name.split("-")[1])))


def live(case, handler, way):
    """The complaint about one life of a case (or None), the names that it had, and its events."""
    names = Names(case.data.get("Variables"), random.Random(f"{SEED} {case.title} {way}"))
    lives = Lives(BINARY, case, handler, names, way)
    events = []
    try:
        lives.go()
        events = History(lives.run["records"], lives.children).events
        fresh = names.copy()
        case.compare_history(names, events)
        case.compare_result(names, lives.run)
        if way == "stopped":
            case.compare_logs(names, lives.log, case.title in REPLAY_LOGGED)
        return None, fresh, events
    except Mismatch as problem:
        return f"{way}: {problem}", names, events


def try_case(case):
    """(complaint, doctored histories made, those that were missed) of a case."""
    handler = HERE / "handlers" / case.category / f"{case.name}.lua"
    if not handler.exists():
        return f"there is no handler {handler}", 0, [], []
    stopped, names, events = live(case, handler, "stopped")
    made, missed = (0, []) if stopped else unnoticed(case, names, events)
    killed = live(case, handler, "killed")[0]
    return " | ".join(filter(None, [stopped, killed])), made, missed, events


def try_broken(file, cases):
    """A handler that is wrong: None when that is found."""
    title = f"{file.parent.name}/{file.stem.split('.')[0]}"
    case = next((case for case in cases if case.title == title), None)
    if case is None:
        return f"there is no case {title}"
    return None if live(case, file, "stopped")[0] else "nobody noticed that it is wrong"


def try_all(cases, everything, report, verbose):
    made, missed = 0, []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, (complaint, of_case, missed_of_case, events) in zip(cases, pool.map(try_case, cases)):
            report.add(case.title, complaint)
            made, missed = made + of_case, missed + missed_of_case
            if verbose:
                print(json.dumps(events, indent=1))
        print(f"control: {made - len(missed)} of {made} doctored histories were found")
        report.add("control", "; ".join(missed[:5]))
        if everything:
            broken = sorted((HERE / "broken").glob("*/*.lua"))
            for file, complaint in zip(broken, pool.map(lambda file: try_broken(file, cases), broken)):
                report.add(f"control {file.relative_to(HERE)}", complaint)


def main():
    options = parse_arguments()
    directory = Path(options.data)
    if not directory.is_dir():
        print(f"skipped: the cases are not here ({directory}); give their directory as an argument\n0 passed, 0 failed")
        return 0
    cases = [case for case in read_cases(directory) if options.case in (None, case.title)]
    chosen = [case for case in cases if case.title not in LEFT_OUT]
    report = Report()
    if chosen:
        try_all(chosen, options.case is None, report, options.verbose)
    for case in cases:
        if case.title in LEFT_OUT:
            print(f"left out: {case.title}, {LEFT_OUT[case.title]}")
    for title in sorted(REPLAY_LOGGED & {case.title for case in chosen}):
        print(f"differs: {title} counts the log lines of a replay too; here they are written once, and one is expected")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed or not chosen and options.case else 0


if __name__ == "__main__":
    sys.exit(main())
