#!/usr/bin/env python3
"""perilune why: the chain of what a run waits for, and what would move it, in each state that a run can stand in.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

CHILD = 'return { got = receive("paid", { timeout = "2h" }) }'
PARENT = 'step("before", function() return 1 end) return start("child", {}, { id = "c" }):await()'
HOLDS = 'lock("till", { across = "runs" }, function() receive("count") end)'
WANTS = 'lock("till", { across = "runs" }, function() end)'
LIMITED = 'map({1, 2, 3, 4}, { limit = 2 }, function(i) receive("go" .. i) end)'
FLAKY = 'step("charge", { retry = { attempts = 3, backoff = "1h" } }, function() fail("no net", { code = "net" }) end)'
PAUSES = 'workflow { name = "pauses", on_error = "pause" } step("ship", { retry = 1 }, function() fail("no truck") end)'


class Why(CliWorld):
    def why(self, run):
        result = self.perilune("why", run, "--json")
        return result.json() if result.code == 0 else {"causes": []}

    def started(self, text, run="r", name="flow.lua"):
        return self.begin("run", self.write(name, text), "--id", run, "--quiet")

    def caused(self, run, kind):
        """The explanation, once the run waits for such a thing."""
        def found():
            why = self.why(run)
            return why if kind in [cause["for"] for cause in why["causes"]] else None

        return self.until(f"{run} waits for {kind}", found)

    def one(self, why):
        self.assertEqual(len(why["causes"]), 1, why)
        return why["causes"][0]

    def test_a_timer_in_life_and_after_its_process_died(self):
        process = self.started('step("a", function() return 1 end) sleep "1h"')
        why = self.caused("r", "timer")
        self.assertEqual((why["standing"], why["owner"]), ("executed", process.pid))
        self.assertEqual(self.one(why)["moved_by"], "its time")
        self.assertLess(self.one(why)["since"], self.one(why)["due"])
        self.assertIn(f"process {process.pid} executes it", self.perilune("why", "r").out)
        process.kill()
        process.wait()
        why = self.why("r")
        self.assertEqual((why["standing"], why["owner"], self.one(why)["for"]), ("interrupted", None, "timer"))
        self.assertIn("resume", [act["verb"] for act in why["acts"]])
        said = self.perilune("why", "r").out
        for words in ("no process executes it: the last one ended behind record", "once it is resumed", "perilune resume r"):
            self.assertIn(words, said)

    def test_a_signal_and_the_command_that_sends_it(self):
        process = self.started('receive("paid in full", { timeout = "2h" })')
        cause = self.one(self.caused("r", "signal"))
        self.assertEqual(cause["command"], "perilune signal r 'paid in full' [VALUE]")
        self.assertIsNotNone(cause["due"])
        self.assertIn("or the time-out at", self.perilune("why", "r").out)
        self.assertEqual(self.perilune("signal", "r", "paid in full").code, 0)
        self.assertEqual(process.wait(), 0)
        why = self.why("r")
        self.assertEqual((why["standing"], why["causes"]), ("over", []))
        self.assertIn("it waits for nothing", self.perilune("why", "r").out)

    def test_a_question_and_the_command_that_answers_it(self):
        process = self.started('return ask("Deploy?", { choices = { "yes", "no" }, timeout = "1d" })')
        cause = self.one(self.caused("r", "answer"))
        self.assertEqual((cause["name"], cause["moved_by"]), ("Deploy?", "the answer"))
        self.assertTrue(cause["command"].startswith("perilune answer r --question "), cause)
        self.assertEqual(self.perilune(*cause["command"].split()[1:-1], "yes").code, 0)
        self.assertEqual(process.wait(), 0)
        self.assertEqual(self.why("r")["standing"], "over")

    def test_a_child_and_what_that_waits_for(self):
        self.write("child.lua", CHILD)
        self.started(PARENT, name="parent.lua")
        self.until("the child waits", lambda: self.why("c")["causes"] and self.why("r")["causes"][0]["for"] == "run")
        child = self.one(self.why("r"))["run"]
        self.assertEqual((child["run"], child["workflow"], child["standing"]), ("c", "child", "executed"))
        self.assertEqual(self.one(child)["command"], "perilune signal c paid [VALUE]")
        lines = self.perilune("why", "r").out.splitlines()
        self.assertTrue(any(line.startswith("    run c (child)") for line in lines), lines)

    def test_a_lock_of_all_runs_its_holder_and_what_the_holder_waits_for(self):
        self.started(HOLDS, "holder", "holds.lua")
        self.caused("holder", "signal")
        self.started(WANTS, "r", "wants.lua")
        cause = self.one(self.caused("r", "lock"))
        self.assertEqual(cause["holder"]["run"], "holder")
        self.assertEqual(self.one(cause["run"])["command"], "perilune signal holder count [VALUE]")

    def test_a_lock_within_the_run(self):
        self.started('parallel { function() lock("door", function() receive("out") end) end,'
                     ' function() sleep "1ms" lock("door", function() end) end }')
        why = self.caused("r", "lock")
        lock = [cause for cause in why["causes"] if cause["for"] == "lock"][0]
        holder = [cause for cause in why["causes"] if cause["for"] == "signal"][0]
        self.assertEqual(lock["holder"], {"run": "r", "task": holder["task"]})
        self.assertIn(f"task {holder['task']} of this run, which has the lock", self.perilune("why", "r").out)

    def test_a_retry_a_limit_and_a_step(self):
        self.started(FLAKY, "flaky", "flaky.lua")
        cause = self.one(self.caused("flaky", "retry"))
        self.assertEqual((cause["name"], cause["attempt"], cause["error"]["message"]), ("charge", 1, "no net"))
        self.assertIn("moved by: the next attempt, at", self.perilune("why", "flaky").out)
        self.started(LIMITED, "limited", "limited.lua")
        why = self.caused("limited", "limit")
        limit = [cause for cause in why["causes"] if cause["for"] == "limit"][0]
        self.assertEqual((limit["begun"], limit["over"], limit["total"]), (2, 0, 4))
        self.assertIn("2 of 4 branches wait for a free place", self.perilune("why", "limited").out)
        self.started('step("long", function() sleep "1h" end)', "long", "long.lua")
        self.assertEqual(self.one(self.caused("long", "step"))["name"], "long")

    def test_a_paused_run_and_the_verbs_that_are_open(self):
        self.perilune("run", self.write("pauses.lua", PAUSES), "--id", "r")
        why = self.why("r")
        self.assertEqual((why["standing"], why["error"]["message"]), ("paused", "no truck"))
        verbs = [act["verb"] for act in why["acts"]]
        for verb in ("resume", "retry", "skip", "abort"):
            self.assertIn(verb, verbs)
        said = self.perilune("why", "r").out
        self.assertIn("until somebody resumes it", said)
        self.assertIn("perilune skip r", said)

    def test_a_run_whose_process_died_while_another_has_the_store(self):
        first = self.started('receive("go")')
        self.caused("r", "signal")
        first.kill()
        first.wait()
        other = self.started('receive("other")', "other", "other.lua")
        self.caused("other", "signal")
        why = self.why("r")
        self.assertEqual((why["standing"], why["owner"]), ("idle", other.pid))
        self.assertIn(f"process {other.pid}, which has the store, does not", self.perilune("why", "r").out)
        self.begin("resume", "r", "--quiet")
        self.until("somebody executes it", lambda: self.why("r").get("standing") == "executed")

    def test_runs_that_wait_for_each_other_are_told_as_a_circle(self):
        holds = 'lock("NAME", { across = "runs" }, function() return start("OTHER", {}, { id = "inner" }):await() end)'
        self.write("inner.lua", 'lock("till", { across = "runs", timeout = "1h" }, function() end)')
        self.started(holds.replace("NAME", "till").replace("OTHER", "inner"), "outer", "outer.lua")
        self.until("the inner run waits", lambda: self.why("inner")["causes"] and self.why("inner")["causes"][0]["for"] == "lock")
        why = self.why("outer")
        inner = self.one(why)["run"]
        self.assertEqual(inner["run"], "inner")
        self.assertEqual((self.one(inner)["run"]["run"], self.one(inner)["run"]["circle"]), ("outer", True))
        self.assertIn("stands further up", self.perilune("why", "outer").out)


if __name__ == "__main__":
    run_all()
