#!/usr/bin/env python3
"""examples/dag.lua on published WfFormat graphs and on one made here: counts, critical paths, order, and no idle slot.

What the example says of itself is compared with what this file computes out of the graph; the rest is read off the
records (`show --json`): a task ends after its parents, never more than `limit` are under way, and no ready task waits
while a slot is free. The last one by order: tasks begin in the order in which records made them ready; and no task
begins and ends while another waits for a slot that was free already. And by time, which has to allow for commits:
half of the tasks begin within a moment of the record that made room for them. The published graphs lie beside the
repository; those that do not are left out, and the output says so.
Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import bisect
import copy
import datetime
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("PERILUNE") or TOP / "build/release/perilune")
GRAPHS = (TOP / "../shared/data/wfinstances").resolve()
ROUNDING_S = 0.0006
CLOCK_S = 0.001   # the times of records are shown in milliseconds
COMMIT_S = 0.15   # the median of what takes milliseconds; more on a busy machine, or under a sanitizer
MONTAGE_S = 60


class Graph:
    """A WfFormat file, read without help from the example."""

    def __init__(self, path):
        workflow = json.loads(Path(path).read_text())["workflow"]
        self.seconds = {task["id"]: task["runtimeInSeconds"] for task in workflow["execution"]["tasks"]}
        self.parents = {task["id"]: set(task["parents"]) for task in workflow["specification"]["tasks"]}

    def critical_path(self):
        finish, left = {}, dict(self.parents)
        while left:
            ready = [task for task, parents in left.items() if all(parent in finish for parent in parents)]
            for task in ready:
                finish[task] = max((finish[p] for p in left.pop(task)), default=0) + self.seconds[task]
        return max(finish.values())


def wall_s(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Trail:
    """A run's tasks as the records have them. Places count their records from 1; place 0 is the graph's begin."""

    def __init__(self, graph, records):
        done = [record for record in records if record["kind"] == "step_done" and record["name"] in graph.seconds]
        self.graph = graph
        self.ends = [record["name"] for record in done]
        self.place = {task: at for at, task in enumerate(self.ends, start=1)}
        self.end_s = {record["name"]: wall_s(record["at"]) for record in done}
        self.begin_s = {record["name"]: record["data"]["started"] / 1e6 for record in done}
        # When the run was told of the end, which is when the next one may begin: a commit later.
        told = {record["task"]: wall_s(record["at"]) for record in records if record["kind"] == "branch_done"}
        self.told_s = {record["name"]: told.get(record["task"], self.end_s[record["name"]]) for record in done}

    def whole(self):
        return sorted(self.ends) == sorted(self.graph.seconds)

    def ready_at(self, task):
        """The place of the record that made it ready."""
        return max((self.place[parent] for parent in self.graph.parents[task]), default=0)

    def triggers(self, limit):
        """For the n-th begin the place of the record after which n tasks must have begun if no slot is to stay free."""
        ready_by_place = [0] * (len(self.ends) + 1)
        for task in self.ends:
            ready_by_place[self.ready_at(task)] += 1
        triggers, ready = [], 0
        for done, more in enumerate(ready_by_place):
            ready += more  # all that was ever ready, the ended ones too
            triggers += [done] * (done + min(limit, ready - done) - len(triggers))
        return triggers


def order_complaints(trail, limit):
    """Parents before children, and at most `limit` at once."""
    found = []
    for task, parents in trail.graph.parents.items():
        found += [f"{task} ended before its parent {p}" for p in parents if trail.place[p] > trail.place[task]]
        found += [f"{task} began before its parent {p} ended" for p in parents
                  if trail.begin_s[task] < trail.end_s[p] - CLOCK_S]
    changes = [(s, 1) for s in trail.begin_s.values()] + [(s, -1) for s in trail.end_s.values()]
    under_way = most = 0
    for _, change in sorted(changes):  # of those at one time the ends come first
        under_way += change
        most = max(most, under_way)
    return found + ([f"{most} tasks were under way at once"] if most > limit else [])


def idle_complaints(trail, limit):
    """Ready tasks that waited although a slot was free."""
    found, delivered, ends, lags = [], [], [], []
    in_order = sorted(trail.begin_s, key=lambda task: (trail.begin_s[task], trail.ready_at(task)))
    for number, (task, trigger) in enumerate(zip(in_order, trail.triggers(limit)), start=1):
        begin_s, ready_at = trail.begin_s[task], trail.ready_at(task)
        newest, before = (delivered[-1], in_order[number - 2]) if delivered else (0, task)
        if ready_at < trail.ready_at(before):
            found.append(f"{task}, ready since record {ready_at}, was overtaken by {before}")
        # Whoever began once the trigger was delivered began when this task should have, or later: it has not ended yet.
        since = bisect.bisect_left(delivered, trigger)
        if min(ends[since:], default=begin_s) + CLOCK_S < begin_s:
            found.append(f"{task} waited for a slot that was free since record {trigger}")
        # What is known to be delivered at this begin: its parents' ends, and as many ends as it takes to leave room.
        delivered.append(max(newest, ready_at, number - limit))
        ends.append(trail.end_s[task])
        if trigger > 0:
            lags.append(begin_s - trail.told_s[trail.ends[trigger - 1]])
    if lags and statistics.median(lags) > COMMIT_S:
        found.append(f"a task begins {statistics.median(lags):.3f} s after there is a slot for it")
    return found


def complaints(graph, records, limit):
    """What the records say against the run; none if all is well."""
    trail = Trail(graph, records)
    if not trail.whole():
        return [f"{len(trail.ends)} task records for {len(graph.seconds)} tasks"]
    return order_complaints(trail, limit) + idle_complaints(trail, limit)


class Dag(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="perilune-dag-")
        cls.addClassCleanup(cls.place.cleanup)
        cls.store = str(Path(cls.place.name) / "perilune.db")
        cls.environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}

    def perilune(self, *arguments):
        done = subprocess.run([BINARY, *arguments, "--json", "--store", self.store], cwd=self.place.name,
                              env=self.environment, capture_output=True, text=True, timeout=2 * MONTAGE_S)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return json.loads(done.stdout)

    def run_graph(self, path, limit, speedup=1000):
        """Runs and checks it; the graph and the records."""
        graph = Graph(path)
        given = json.dumps({"file": str(path), "speedup": speedup, "limit": limit})
        result = self.perilune("run", str(TOP / "examples/dag.lua"), "--input", given)
        output = result["output"]
        self.assertEqual(output["count"], len(graph.seconds))
        self.assertAlmostEqual(output["critical_path"], graph.critical_path(), delta=ROUNDING_S)
        self.assertAlmostEqual(output["recorded_seconds"], sum(graph.seconds.values()), delta=ROUNDING_S)
        self.assertGreaterEqual(output["makespan"], output["critical_path"] / speedup - ROUNDING_S - CLOCK_S)
        records = self.perilune("show", result["run"])["records"]
        self.assertEqual(complaints(graph, records, limit), [])
        return graph, records, output

    def published(self, name, limit, critical_path, count):
        path = GRAPHS / f"{name}.json"
        if not path.exists():
            self.skipTest(f"{path.name} is not here")
        _, _, output = self.run_graph(path, limit)
        self.assertEqual((output["count"], output["critical_path"]), (count, critical_path))

    def made(self, tasks, seed):
        """A graph of `tasks` tasks with up to four parents each."""
        dice = random.Random(seed)
        parents = {f"t{i}": sorted({f"t{dice.randrange(i)}" for _ in range(dice.randrange(4))}) if i else []
                   for i in range(tasks)}
        children = {task: [c for c in parents if task in parents[c]] for task in parents}
        specification = [{"id": t, "parents": parents[t], "children": children[t]} for t in parents]
        execution = [{"id": t, "runtimeInSeconds": round(dice.uniform(1, 40), 3)} for t in parents]
        path = Path(self.place.name) / f"made-{seed}.json"
        path.write_text(json.dumps({"workflow": {"specification": {"tasks": specification},
                                                 "execution": {"tasks": execution}}}))
        return path

    def test_chain(self):
        self.published("helloworld-chain-5-chameleon", 64, 501.240, 5)

    def test_forkjoin(self):
        self.published("helloworld-forkjoin-10-chameleon", 64, 307.360, 10)

    def test_srasearch(self):
        self.published("srasearch-chameleon-10a-001", 4, 1005.858, 22)

    def test_montage_with_its_2122_tasks_ends_within_a_minute(self):
        began = time.monotonic()
        self.published("montage-chameleon-dss-15d-001", 64, 989.458, 2122)
        self.assertLess(time.monotonic() - began, MONTAGE_S)

    def test_made_graphs_wide_and_narrow(self):
        for seed, limit in ((1, 1), (2, 3), (3, 16)):
            self.run_graph(self.made(60, seed), limit)

    def test_a_slow_graph_where_a_commit_is_short_beside_a_task(self):
        self.run_graph(self.made(14, 6), 3, speedup=25)

    def test_the_graph_of_the_example_itself(self):
        output = self.perilune("run", str(TOP / "examples/dag.lua"))["output"]
        self.assertEqual((output["count"], output["critical_path"]), (9, 6.0))

    def test_a_circle_is_refused(self):
        path = self.made(3, 5)
        graph = json.loads(path.read_text())
        for task, child in (("t0", "t1"), ("t1", "t2"), ("t2", "t0")):
            found = next(t for t in graph["workflow"]["specification"]["tasks"] if t["id"] == task)
            found["children"] = [child]
        path.write_text(json.dumps(graph))
        done = subprocess.run([BINARY, "run", str(TOP / "examples/dag.lua"), "--store", self.store, "--input",
                               json.dumps({"file": str(path)})], env=self.environment, capture_output=True, text=True,
                              timeout=MONTAGE_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("circle", done.stderr)

    def test_control_the_checks_find_what_they_are_for(self):
        graph, records, _ = self.run_graph(self.made(40, 4), 3)
        self.assertNotEqual(complaints(graph, records, 2), [], "more at once than the limit")
        alone, one_by_one, _ = self.run_graph(self.made(14, 6), 1, speedup=25)   # tasks long beside a commit
        self.assertTrue(any("a slot that was free" in c for c in complaints(alone, one_by_one, 4)), "a slot stayed free")
        swapped = copy.deepcopy(records)
        of_tasks = [i for i, r in enumerate(swapped) if r["kind"] == "step_done" and r["name"] in graph.seconds]
        self.assertNotEqual(complaints(graph, records[:of_tasks[-1]], 3), [], "a task without a record")
        child = next(i for i in of_tasks if graph.parents[swapped[i]["name"]])
        parent = next(i for i in of_tasks if swapped[i]["name"] in graph.parents[swapped[child]["name"]])
        swapped[child], swapped[parent] = swapped[parent], swapped[child]
        self.assertNotEqual(complaints(graph, swapped, 3), [], "a child before its parent")
        late = copy.deepcopy(records)
        for i in of_tasks:
            late[i]["data"]["started"] += int(2e6 * COMMIT_S)
        self.assertTrue(any("after there is a slot" in c for c in complaints(graph, late, 3)), "tasks that were late")


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=0).result
    for test, why in outcome.skipped:
        print(f"left out: {test.id()}: {why}")
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - len(outcome.skipped) - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
