#!/usr/bin/env python3
"""perilune watch: what it tells, its cursor, and that it misses nothing while the process it watches is killed and restarted.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import PATIENCE_S, CliWorld, run_all  # noqa: E402

COMPLETED, FAILED, USAGE = 0, 1, 2
STEPS = """
for i = 1, 30 do
  step("s" .. i, function() return i end)
  if i % 5 == 0 then sleep "20ms" end
end
return { done = 30 }
"""


class Reader:
    """A watch that goes on beside the test; its lines as they come."""

    def __init__(self, test, *arguments):
        self.lines, self.there = [], threading.Condition()
        self.process = test.begin("watch", *arguments)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            with self.there:
                self.lines.append(line.rstrip("\n"))
                self.there.notify_all()

    def until(self, what, condition):
        deadline = time.monotonic() + PATIENCE_S
        with self.there:   # a condition may look at a process, too, which notifies nobody
            while not self.there.wait_for(lambda: condition(self.lines), 0.05):
                if time.monotonic() > deadline:
                    raise AssertionError(f"{what}: {self.lines[-3:]}")

    def end(self):
        self.process.wait(PATIENCE_S)
        self.thread.join(PATIENCE_S)
        return self.process.returncode


class Watch(CliWorld):
    def test_a_run_that_is_over_is_told_from_its_start_and_its_end_is_the_exit_code(self):
        self.write("ok.lua", 'step("a", function() return 1 end) checkpoint "c" return 2')
        self.write("bad.lua", 'step("a", { retry = false }, function() fail("no") end)')
        self.perilune("run", "ok.lua", "--id", "ok")
        self.perilune("run", "bad.lua", "--id", "bad")
        told = self.perilune("watch", "ok")
        self.assertEqual(told.code, COMPLETED, told.err)
        for text in ("run started ok", "step a done", "checkpoint c", "run done completed  -> 2"):
            self.assertIn(text, told.out)
        told = self.perilune("watch", "bad", "--json")
        self.assertEqual(told.code, FAILED)
        lines = [json.loads(line) for line in told.out.splitlines()]
        shown = self.perilune("show", "bad", "--json").json()["records"]
        self.assertEqual([(l["seq"], l["kind"], l["data"]) for l in lines], [(r["seq"], r["kind"], r["data"]) for r in shown])
        self.assertEqual(sorted({l["cursor"] for l in lines}), [l["cursor"] for l in lines])

    def test_a_cursor_filters_and_what_is_refused(self):
        self.write("ok.lua", 'step("a", function() return 1 end) step("b", function() return 1 end)')
        for run in ("one", "two"):
            self.perilune("run", "ok.lua", "--id", run)
        lines = [json.loads(line) for line in self.perilune("watch", "one", "--json").out.splitlines()]
        rest = self.perilune("watch", "one", "--json", "--from", str(lines[1]["cursor"])).out.splitlines()
        self.assertEqual([json.loads(line) for line in rest], lines[2:])
        steps = self.perilune("watch", "two", "--json", "--kind", "step_done,run_done").out.splitlines()
        self.assertEqual([json.loads(line)["name"] for line in steps], ["a", "b", "completed"])
        self.assertEqual(self.perilune("watch", "one", "--from", "now").out, "")
        for arguments, expected in ((("--kind", "step_don"), "did you mean 'step_done'"),
                                    (("--from", "later"), "no cursor"), (("none",), "none")):
            refused = self.perilune("watch", *arguments)
            self.assertEqual(refused.code, USAGE, refused.err)
            self.assertIn(expected, refused.err)

    def test_a_watch_of_all_runs_begins_before_there_is_a_store_and_tells_each_as_it_comes(self):
        self.write("ok.lua", 'step("a", function() return 1 end)')
        reader = Reader(self, "--json", "--workflow", "ok")
        self.assertIn("watching", reader.process.stderr.readline())
        self.write("other.lua", "return 1")
        for run, file in (("one", "ok.lua"), ("x", "other.lua"), ("two", "ok.lua")):
            self.assertEqual(self.perilune("run", file, "--id", run).code, 0)
        reader.until("six records", lambda lines: len(lines) >= 6)
        reader.process.send_signal(signal.SIGINT)
        reader.end()
        lines = [json.loads(line) for line in reader.lines]
        self.assertEqual([(l["run"], l["seq"]) for l in lines], [(r, s) for r in ("one", "two") for s in (1, 2, 3)])

    def test_nothing_is_missed_while_the_run_is_killed_and_resumed_again_and_again(self):
        self.write("steps.lua", STEPS)
        reader = None
        for life in range(100):
            arguments = ("resume", "r") if life else ("run", "steps.lua", "--id", "r")
            process = self.begin(*arguments, "--quiet")
            if reader is None:
                self.until("the run is there", lambda: self.perilune("show", "r").code == 0)
                reader = Reader(self, "r", "--json")
            have = len(reader.lines)
            try:
                reader.until("more records", lambda lines: len(lines) >= have + 4 or process.poll() is not None)
            finally:
                process.kill()
            process.wait()
            if self.perilune("show", "r", "--json").json()["status"] == "completed":   # also if it was killed just then
                break
        else:
            self.fail("it never came to its end")
        self.assertGreater(life, 3)
        self.assertEqual(reader.end(), COMPLETED)
        lines = [json.loads(line) for line in reader.lines]
        records = self.perilune("show", "r", "--json").json()["records"]
        self.assertEqual([l["seq"] for l in lines], [r["seq"] for r in records])

    def test_a_watch_that_is_killed_goes_on_with_its_cursor(self):
        self.write("steps.lua", STEPS)
        writer = self.begin("run", "steps.lua", "--id", "r", "--quiet")
        self.until("the run is there", lambda: self.perilune("show", "r").code == 0)
        seqs, cursor = [], "start"
        for _ in range(1000):
            reader = Reader(self, "r", "--json", "--from", str(cursor))
            reader.until("a record", lambda lines: len(lines) >= 3 or reader.process.poll() is not None)
            reader.process.kill()
            reader.end()
            whole = [json.loads(line) for line in reader.lines if line.endswith("}")]
            seqs += [l["seq"] for l in whole]
            cursor = whole[-1]["cursor"] if whole else cursor
            if whole and whole[-1]["kind"] == "run_done":
                break
        self.assertEqual(writer.wait(PATIENCE_S), 0)
        records = self.perilune("show", "r", "--json").json()["records"]
        self.assertEqual(seqs, [r["seq"] for r in records])


if __name__ == "__main__":
    run_all()
