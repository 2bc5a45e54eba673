#!/usr/bin/env python3
"""The kill test: workflows are killed (SIGKILL, the real binary) again and again and resumed, and lose nothing.

Usage: tests/crash/kill_test.py          $PERILUNE is the binary (build/release/perilune), $PERILUNE_SIZE small or
full, $PERILUNE_SEED the seed of the moments. Prints a line a group of cases; the last line is `N passed, N failed`.
Beside the binary stands perilune_commit_skipped, the control (scripts/build --tests).

The workflows: the DAG of a bioinformatics workflow (srasearch; without that file the example's own graph), the order of
examples/order.lua, tests/crash/once.lua with a step that must not happen twice, and the examples that show a pattern
under failure: trip, transfer, review, release, deadline, window. Each is killed
 - at random moments, up to several times a run: 300 kills of the first three (small: 12), 30 of each other (small: 2);
 - in a step's body, when the effect has happened and is not recorded (once.lua);
 - at its record boundaries: PERILUNE_CRASH_AT=N in the environment makes the binary kill itself right after record N
   of a run has been committed, before anything is done with it. Every boundary once (of long runs, and small, every
   so many: `every` of the case).
After each life the records are read (`show --json`), after the last kill `resume` runs to the end. Then the output
must be the undisturbed one, all that a process acknowledged must be on disk, no step whose outcome was recorded before
a kill may have run after it, as a ledger outside shows (see ledger.py), the bank of the transfer has booked once, and a
`once` step ran at most once: it may be cut off, and then the run fails with `unknown_outcome` and names it. Controls: the same checks must find commits that
were acknowledged and skipped (perilune_commit_skipped, see commit_skipped.cpp), wherever the process is killed then.
"""
# SPDX-License-Identifier: MIT
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ledger import Snapshot, read_ledger, told_steps, violations  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("PERILUNE") or TOP / "build/release/perilune")
SKIPPING = os.path.join(os.path.dirname(BINARY), "perilune_commit_skipped")
FULL = os.environ.get("PERILUNE_SIZE", "full") != "small"
SEED = int(os.environ.get("PERILUNE_SEED") or time.time())
RANDOM_KILLS = 300 if FULL else 12
KILLS_A_RUN = 5
EXAMPLE_KILLS = 30 if FULL else 2
GRAPH = TOP / "../shared/data/wfinstances/srasearch-chameleon-10a-001.json"
RUN = "the-run"  # the same for all: keys, and what is made of them, depend on it
PATIENCE_S = 120
ENDED = ("completed", "failed")
FAILED_FOR_GOOD, NOT_FOUND = 1, 2


class Case:
    """A workflow that is killed: the script, its input, the steps that may run at most once, at every how many of its
    records, and what else is checked outside: outside(world) gives complaints."""

    def __init__(self, name, script, inputs, once=(), unstable=(), every=1, outside=None):
        self.name, self.script, self.inputs, self.once, self.unstable = name, script, inputs, once, unstable
        self.every, self.outside = every, outside or (lambda world: [])
        self.undisturbed, self.took_s, self.records, self.intent = None, 0.0, 0, 0

    def comparable(self, output):
        """The output without what is a measured time: that is longer when a run was interrupted."""
        return {k: v for k, v in output.items() if k not in self.unstable} if isinstance(output, dict) else output


class World:
    """One run of a case in a directory of its own: store, ledger, and what was seen after each kill."""

    def __init__(self, case):
        self.case = case
        self.directory = Path(tempfile.mkdtemp(prefix="perilune-kill-"))
        self.store, self.ledger = self.directory / "perilune.db", self.directory / "ledger"
        self.snapshots, self.kills = [], 0

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def _process(self, arguments, crash_at=None, skip_from=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
        if crash_at is not None:
            environment["PERILUNE_CRASH_AT"] = str(crash_at)
        if skip_from is not None:
            environment["COMMITS_SKIPPED_FROM"] = str(skip_from)
        binary = BINARY if skip_from is None else SKIPPING
        return subprocess.Popen([binary, *arguments, "--store", str(self.store)], cwd=self.directory, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def show(self):
        """The run as it stands on disk; None when it never came there."""
        process = self._process(["show", RUN, "--json"])
        out, err = process.communicate(timeout=PATIENCE_S)
        if process.returncode == 0:
            return json.loads(out)
        if process.returncode == NOT_FOUND and ("no run" in err or "no store yet" in err):
            return None
        raise RuntimeError(f"show ended with {process.returncode}: {err}")

    def live(self, kill_after_s=None, crash_at=None, skip_from=None):
        """One life of the run, begun or resumed. The result (an object) or None if it was killed. With `skip_from` its
        commits from that record on are acknowledged and not written: a control."""
        shown = self.show()
        if shown is not None and shown["status"] in ENDED:  # killed after its last record
            return shown
        if shown is None:
            text = json.dumps({**self.case.inputs, "ledger": str(self.ledger)})
            arguments = ["run", str(self.case.script), "--id", RUN, "--input", text, "--json"]
        else:
            arguments = ["resume", RUN, "--json"]
        process = self._process(arguments, crash_at, skip_from)
        try:
            out, err = process.communicate(timeout=PATIENCE_S if kill_after_s is None else kill_after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            if kill_after_s is None:
                raise RuntimeError(f"{arguments[0]} did not end within {PATIENCE_S} s: {err}") from None
        killed = process.returncode == -signal.SIGKILL
        if not killed and process.returncode not in (0, FAILED_FOR_GOOD):
            raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {err}")
        result = None if killed else json.loads(out)
        self.kills += killed
        acknowledged = (crash_at or 0) if killed else result["records"]
        self.snapshots.append(Snapshot(self.show(), self.ledger, acknowledged, told_steps(err)))
        return result

    def complaints(self, result):
        """What is wrong with the run, now that it is over."""
        found = violations(self.snapshots, self.show(), self.ledger, self.case.once)
        error = result["error"] or {}
        if self.case.once and error.get("code") == "unknown_outcome":
            if error.get("step") not in self.case.once:
                found.append(f"the failure names no once step: {error}")
            return found
        if result["status"] != "completed":
            return found + [f"the run is {result['status']}: {error}"]
        found += self.case.outside(self)
        if self.case.comparable(result["output"]) != self.case.undisturbed:
            found.append(f"the output is {result['output']}, undisturbed it is {self.case.undisturbed}")
        return found


class Report:
    """Counts, and prints a line a group."""

    def __init__(self):
        self.passed = self.failed = 0

    def group(self, title, cases):
        began, good, bad, notes = time.monotonic(), 0, [], {}  # `cases` is mostly a generator that does the work
        for label, complaints, note in cases:
            good += not complaints
            bad += [f"{label}: {complaint}" for complaint in complaints[:3]]
            self.failed += bool(complaints)
            for key, count in note.items():
                notes[key] = notes.get(key, 0) + count
        self.passed += good
        told = "".join(f", {count} {key}" for key, count in notes.items())
        print(f"{title}: {good} ok{told} ({time.monotonic() - began:.1f} s)", flush=True)
        for line in bad:
            print("  FAILED " + line, flush=True)


def one_case(case, label, play):
    """One case of a group: play(world) gives complaints and a note; a mishap is a complaint, not the test's end."""
    world = World(case)
    try:
        return (label, *play(world))
    except (RuntimeError, OSError, ValueError, KeyError, TypeError) as problem:
        return label, [f"{type(problem).__name__}: {problem}"], {"kills": world.kills}
    finally:
        world.close()


def killed_case(case, label, play):
    """A case in which play(world) kills and resumes until there is a result."""
    def judged(world):
        result = play(world)
        note = {"kills": world.kills}
        if (result["error"] or {}).get("code") == "unknown_outcome":
            note["with unknown_outcome"] = 1
        return world.complaints(result), note

    return one_case(case, label, judged)


def look_at_undisturbed(case):
    """Runs it once in peace: what comes out, how long it takes, how many records it makes."""
    def play(world):
        began = time.monotonic()
        result = world.live()
        case.took_s = time.monotonic() - began
        if result is None or result["status"] != "completed":
            return [f"it did not complete: {result}"], {}
        case.undisturbed = case.comparable(result["output"])
        records = world.show()["records"]
        case.records = len(records)
        case.intent = next((record["seq"] for record in records if record["kind"] == "intent"), 0)
        steps = len({entry[0] for entry in read_ledger(world.ledger)})
        return world.complaints(result), {"records": case.records, "steps in the ledger": steps}

    yield one_case(case, "undisturbed", play)


def random_kills(case, kills, moments):
    """Runs that are killed after random times, until `kills` kills have hit."""
    hit = 0
    for number in range(10 * kills):
        if hit >= kills:
            return
        delays = [moments.uniform(0, 1.1 * case.took_s) for _ in range(min(KILLS_A_RUN, kills - hit))]

        def play(world, delays=delays):
            for delay in delays:
                result = world.live(kill_after_s=delay)
                if result is not None:
                    return result
            return world.live()

        outcome = killed_case(case, f"run {number + 1}, killed after {[round(d, 3) for d in delays]} s", play)
        hit += outcome[2]["kills"]
        yield outcome
    yield "random kills", [f"only {hit} of {kills} kills hit a living process"], {}


def boundary_kills(case):
    """A run for each record, killed right after that is on disk; the first run that is not hit had fewer records."""
    for seq in itertools.count(1, case.every):
        def play(world, seq=seq):
            result = world.live(crash_at=seq)
            if result is not None and result["records"] >= seq:
                raise RuntimeError(f"it has {result['records']} records and was not killed")
            return result or world.live()

        outcome = killed_case(case, f"killed after record {seq}", play)
        yield outcome
        if outcome[2]["kills"] == 0:
            return


def kills_in_bodies(case):
    """Killed between an effect and its record: a plain step runs again, the once step does not and the run fails."""
    for step in ("before", "pay", "after"):
        inner = Case(case.name, case.script, {**case.inputs, "kill": step}, case.once)
        inner.undisturbed = case.undisturbed

        def play(world, step=step, once=case.once):
            if world.live() is not None:
                raise RuntimeError("the process was not killed")
            result = world.live()
            times = sum(1 for entry in read_ledger(world.ledger) if entry[0] == step)
            if times != (1 if step in once else 2):
                raise RuntimeError(f"step '{step}' ran {times} times")
            if (step in once) != (result["status"] == "failed"):
                raise RuntimeError(f"the run is {result['status']}")
            return result

        yield killed_case(inner, f"killed in the body of '{step}'", play)


def found_of(title, case, play, expected):
    """A control: play(world) lies to a run, and the checks of the other groups must find what is `expected`."""
    def judged(world):
        found = world.complaints(play(world))
        hits = sum(expected in complaint for complaint in found)
        return [] if hits else [f"'{expected}' was not found, but {found}"], {"complaints": len(found)}

    return one_case(case, title, judged)


def skipped_commits(dag, order, once):
    """The controls: the binary that acknowledges commits and skips them."""
    for case in (dag, order, once):
        seq = case.records // 2
        yield found_of(f"{case.name}, killed after record {seq}, which was skipped", case,
                       lambda world, seq=seq: world.live(crash_at=seq, skip_from=seq) or world.live(),
                       f"record {seq} was acknowledged")
    yield found_of("order, told to be over", order,
                   lambda world: world.live(skip_from=order.records // 2) and world.live(), "although it was done")
    pay = Case(once.name, once.script, {**once.inputs, "kill": once.once[0]}, once.once)
    pay.undisturbed = once.undisturbed
    yield found_of("once, killed in the body, its intent was skipped", pay,
                   lambda world: world.live(skip_from=once.intent) or world.live(),
                   f"the once step '{once.once[0]}' ran 2 times")


def expected_unknown(outcomes):
    """Passes outcomes on; adds a complaint if none of them was a once step that was cut off."""
    seen = 0
    for outcome in outcomes:
        seen += outcome[2].get("with unknown_outcome", 0)
        yield outcome
    yield "cut between intent and result", [] if seen else ["no run ended with unknown_outcome"], {}


def bank_complaints(world):
    """What the bank of examples/transfer.lua has in its books: one booking for each side."""
    lines = Path(f"{world.ledger}.bank").read_text().splitlines()
    booked = sorted(line.split(" ", 1)[1] for line in lines)
    return [] if booked == ["anna -30", "ben 30"] else [f"the bank has booked {booked}"]


def trip_complaints(world):
    """What was taken back of examples/trip.lua: each part of the trip that failed once (and the busy desk asked twice), of
    the trip that was booked nothing."""
    undone = [(entry[0], entry[1]) for entry in read_ledger(world.ledger) if entry[0].startswith("undo ")]
    steps = sorted({name for name, _ in undone})
    found = [] if steps == ["undo flight Faro", "undo hotel Faro"] else [f"taken back was {steps}"]
    return found if ("undo hotel Faro", "2") in undone else found + ["the busy desk was not asked again"]


def make_examples():
    examples = TOP / "examples"
    far = {"wait": "5m", "moves": ["10m", "1h"]}   # what does not pass while the process is dead
    return [Case("trip", examples / "trip.lua", {}, every=1 if FULL else 8, outside=trip_complaints),
            Case("transfer", examples / "transfer.lua", {}, every=1 if FULL else 2, outside=bank_complaints),
            Case("review", examples / "review.lua", {}, every=1 if FULL else 7),
            Case("release", examples / "release.lua", {}, every=1 if FULL else 7),
            Case("deadline", examples / "deadline.lua", far, every=1 if FULL else 15),
            Case("window", examples / "window.lua", {}, every=10 if FULL else 500)]


def make_cases():
    graph = GRAPH.resolve()
    if graph.exists():
        dag_input = {"file": str(graph), "speedup": 2000, "limit": 8}
    else:
        print("srasearch-chameleon-10a-001.json is not here: the example's own graph stands in for it")
        dag_input = {"speedup": 10, "limit": 4}
    order_input = {"latency": "10ms", "declines": 1}
    return [Case("dag", TOP / "examples/dag.lua", dag_input, unstable=("makespan",), every=1 if FULL else 8),
            Case("order", TOP / "examples/order.lua", order_input),
            Case("once", TOP / "tests/crash/once.lua", {}, once=("pay",))]


def main():
    if not os.path.exists(SKIPPING):
        print(f"kill test: {SKIPPING} is missing; scripts/build --tests makes it", file=sys.stderr)
        return 2
    print(f"kill test: seed {SEED}, {'full' if FULL else 'small'}, {BINARY}")
    report, cases, examples, moments = Report(), make_cases(), make_examples(), random.Random(SEED)
    for case in cases + examples:
        report.group(f"{case.name}, undisturbed", look_at_undisturbed(case))
    if report.failed == 0:
        dag, order, once = cases
        for case in cases + examples:
            outcomes = boundary_kills(case)
            report.group(f"{case.name}, killed at record boundaries",
                         expected_unknown(outcomes) if case is once else outcomes)
        for case, kills in ((dag, RANDOM_KILLS // 2), (order, RANDOM_KILLS // 3), (once, RANDOM_KILLS // 6),
                            *((case, EXAMPLE_KILLS) for case in examples)):
            report.group(f"{case.name}, killed at random moments", random_kills(case, kills, moments))
        report.group("once, killed between effect and record", kills_in_bodies(once))
        report.group("controls: commits are skipped, and that is found", skipped_commits(dag, order, once))
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
