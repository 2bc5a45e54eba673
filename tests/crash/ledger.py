"""What a crash test knows of a run: the ledger that its effects wrote, its records, and the rules that both must keep.

A ledger is a file to which every effect appends a line `step attempt key`; nothing of Perilune reads it. The rules:
a step whose outcome stood on disk when the process was killed never runs again, a `once` step never runs twice, and all
attempts of a step have one key.
"""
# SPDX-License-Identifier: MIT
from pathlib import Path

STEP_ENDS = {"step_done", "step_failed", "step_skipped"}


def read_ledger(path):
    """The lines as (step, attempt, key). A line that a kill cut short has no line end and counts all the same."""
    if not Path(path).exists():
        return []
    entries = []
    for line in Path(path).read_text().splitlines():
        words = line.rsplit(" ", 2)
        entries.append(tuple(words) if len(words) == 3 else (line, "", ""))
    return entries


def recorded_steps(shown):
    """Names of the steps whose outcome is on disk, out of the object of `show --json`."""
    return {record["name"] for record in shown["records"] if record["kind"] in STEP_ENDS}


def broken_journal(shown):
    """Complaints about the records themselves: a gap, or an operation that ended twice."""
    complaints, ended = [], set()
    for place, record in enumerate(shown["records"], start=1):
        if record["seq"] != place:
            complaints.append(f"record {place} has the number {record['seq']}")
        if record["kind"] in STEP_ENDS:
            operation = (record["task"], record["op"])
            if operation in ended:
                complaints.append(f"step '{record['name']}' has two outcomes")
            ended.add(operation)
    return complaints


class Snapshot:
    """What stood on disk when a process had been killed: the records, and the ledger's length at that moment."""

    def __init__(self, shown, ledger_path):
        self.recorded = recorded_steps(shown) if shown else set()
        self.records = shown["records"] if shown else []
        self.ledger_length = len(read_ledger(ledger_path))


def violations(snapshots, shown, ledger_path, once=()):
    """Complaints about a run that is over, one line each; none if all rules were kept.

    `snapshots` were taken after each kill, `shown` is the object of `show --json` at the end, `once` names the steps
    that may not run twice.
    """
    entries = read_ledger(ledger_path)
    complaints = broken_journal(shown)
    for number, snapshot in enumerate(snapshots, start=1):
        for step, attempt, _ in entries[snapshot.ledger_length:]:
            if step in snapshot.recorded:
                complaints.append(f"step '{step}' (attempt {attempt}) ran after kill {number} although it was recorded")
        if shown["records"][:len(snapshot.records)] != snapshot.records:
            complaints.append(f"records that stood after kill {number} are gone or changed")
    for step in once:
        times = sum(1 for entry in entries if entry[0] == step)
        if times > 1:
            complaints.append(f"the once step '{step}' ran {times} times")
    keys = {}
    for step, _, key in entries:
        if keys.setdefault(step, key) != key:
            complaints.append(f"step '{step}' had two keys")
    return complaints
