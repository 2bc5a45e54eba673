"""What a crash test knows of a run: the ledger that its effects wrote, its records, and the rules that both must keep.

A ledger is a file to which every effect appends a line `step attempt key`; nothing of Perilune reads it. The rules:
what a process acknowledged is on disk when it has gone; a step whose outcome stood on disk, or was told to the user,
never runs again; a `once` step never runs twice; and all attempts of a step have one key.
"""
# SPDX-License-Identifier: MIT
import re
from pathlib import Path

TOLD_DONE = re.compile(r"^\d\d:\d\d:\d\d step (.+?) done\b", re.MULTILINE)
STEP_ENDS = {"step_done", "step_failed", "step_skipped", "compensation_done"}


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


def told_steps(progress):
    """Names of the steps of which a process told that they are done."""
    return set(TOLD_DONE.findall(progress))


class Snapshot:
    """What stood on disk when a process had gone: the records, and the ledger's length at that moment.

    `acknowledged` is the number of records that the process knew to be committed, `told` names the steps that it said
    were done.
    """

    def __init__(self, shown, ledger_path, acknowledged=0, told=()):
        self.recorded = recorded_steps(shown) if shown else set()
        self.records = shown["records"] if shown else []
        self.ledger_length = len(read_ledger(ledger_path))
        self.acknowledged, self.told = acknowledged, set(told)

    def lost(self):
        """Complaints about what was acknowledged and is not there."""
        if self.acknowledged > len(self.records):
            yield f"record {self.acknowledged} was acknowledged, and {len(self.records)} records stand"
        for step in sorted(self.told - self.recorded):
            yield f"step '{step}' was told to be done and is not recorded"


def violations(snapshots, shown, ledger_path, once=()):
    """Complaints about a run that is over, one line each; none if all rules were kept.

    `snapshots` were taken after each of its lives, `shown` is the object of `show --json` at the end, `once` names the
    steps that may not run twice.
    """
    entries = read_ledger(ledger_path)
    complaints = broken_journal(shown)
    for number, snapshot in enumerate(snapshots, start=1):
        complaints += [f"after life {number} {complaint}" for complaint in snapshot.lost()]
        for step, attempt, _ in entries[snapshot.ledger_length:]:
            if step in snapshot.recorded or step in snapshot.told:
                complaints.append(f"step '{step}' (attempt {attempt}) ran after life {number} although it was done")
        if shown["records"][:len(snapshot.records)] != snapshot.records:
            complaints.append(f"records that stood after life {number} are gone or changed")
    for step in once:
        times = sum(1 for entry in entries if entry[0] == step)
        if times > 1:
            complaints.append(f"the once step '{step}' ran {times} times")
    keys = {}
    for step, _, key in entries:
        if keys.setdefault(step, key) != key:
            complaints.append(f"step '{step}' had two keys")
    return complaints
