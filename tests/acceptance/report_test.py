#!/usr/bin/env python3
"""The completion report of a run, its short form on a terminal, the list of rules, and limits of a workflow, as a user meets them;
a run with limits and rules is killed at every record.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import pty
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import BINARY, PATIENCE_S, TOP, CliWorld, run_all  # noqa: E402

BUSY = """
workflow { name = "busy", limits = { records = RECORDS },
  rules = { { "even", { on = "step.before" }, function(e) return (e.input or 0) % 2 == 0 end, "odd" } } }
compensate("tidy", function() file.append("tidied", "x") end)
step("flaky", { retry = { attempts = 3, backoff = "20ms", jitter = 0 } }, function(a) if a.number < 3 then error("not yet") end end)
for i = 1, 20 do pcall(step, "s", { input = i }, function() return i end) end
sleep "60ms"
return "all"
"""


class ReportTest(CliWorld):
    def busy(self, records, run):
        return self.perilune("run", self.write("busy.lua", BUSY.replace("RECORDS", str(records))), "--id", run, "--json")

    def report(self, run):
        return self.perilune("show", run, "--report", "--json").json()

    def test_a_report_tells_steps_gates_rules_and_what_was_undone(self):
        self.assertEqual(self.busy(1000, "b").json()["output"], "all")
        report = self.report("b")
        self.assertEqual((report["run"], report["status"], report["error"], report["retries"]), ("b", "completed", None, 2))
        self.assertEqual(report["rules"], [{"name": "even", "checked": 21, "broken": 10, "message": "odd"}])
        steps = {step["name"]: step for step in report["steps"]}
        self.assertEqual([steps["s"][key] for key in ("count", "done", "failed", "attempts")], [20, 10, 10, 10])
        self.assertEqual((steps["flaky"]["attempts"], steps["flaky"]["retries"]), (3, 2))
        self.assertEqual(report["worked_ms"] + report["waited_ms"] - report["elapsed_ms"] in (-1, 0, 1), True)
        self.assertGreaterEqual(report["waited_ms"], 100)   # 60 ms asleep, 20 and 40 backing off
        self.assertEqual((report["gates"], report["undone"]), ([], []))

    def test_the_report_of_a_payroll_that_is_taken_back(self):
        self.perilune("run", str(TOP / "examples/payroll.lua"), "--id", "p", "--input", '{"fee": 1}')
        report = self.report("p")
        self.assertEqual([(gate["gate"], gate["name"], gate["held"], gate["failed"]) for gate in report["gates"]], [
            ("requires", "requires", 1, 0), ("input", "input", 1, 0), ("preflight", "preflight", 1, 0), ("expect", "pay ana", 1, 0),
            ("expect", "pay boris", 1, 0), ("output", "output", 1, 0), ("postflight", "postflight", 0, 1)])
        self.assertEqual(report["gates"][-1]["message"], "498 of 500 have arrived")
        self.assertEqual([one["name"] for one in report["undone"]], ["undo pay boris", "undo pay ana"])
        text = self.perilune("show", "p", "--report").out
        self.assertRegex(text, r"(?m)^run p \(payroll\): failed$")
        self.assertRegex(text, r"(?m)^  postflight +did not hold: 498 of 500 have arrived$")
        self.assertRegex(text, r"(?m)^  undo pay ana +done$")
        self.assertRegex(text, r"(?m)^  took \S+: worked \S+, waited \S+$")

    def test_run_ends_on_a_terminal_with_what_it_took_and_the_gate_that_failed(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([BINARY, "run", str(TOP / "examples/payroll.lua"), "--input", '{"fee": 1}'], cwd=self.directory,
                                   env={**self.environment, "TERM": "xterm"}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:   # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(process.wait(PATIENCE_S), 1)
        self.assertRegex(shown.decode(), r"4 steps, 1 failed, 2 undone; worked \S+, waited \S+")
        self.assertIn("gate postflight did not hold: 498 of 500 have arrived", shown.decode())

    def test_the_rules_of_a_file_are_listed(self):
        path = str(TOP / "examples/spending.lua")
        listed = self.perilune("rules", path, "--json").json()
        self.assertEqual([(rule["rule"], rule["on"], rule["step"]) for rule in listed], [
            ("max spend", "step.before", "charge"), ("four eyes", "step.before", "charge"), ("fair fee", "step.after", "charge")])
        self.assertEqual((listed[0]["workflow"], listed[0]["message"]), ("spending", "over budget"))
        self.assertRegex(self.perilune("rules", path).out, r"(?m)^max spend  step\.before charge  over budget$")
        self.write("two.lua", 'rule("all", { on = "*" }, function() return true end, "no")\n'
                   'return { workflow { name = "a", run = print }, workflow { name = "b", run = print } }')
        self.assertEqual([rule["workflow"] for rule in self.perilune("rules", "two.lua", "--json").json()], ["a", "b"])
        self.assertEqual(self.perilune("rules", "two.lua", "--workflow", "b", "--json").json()[0]["rule"], "all")
        self.assertEqual(self.perilune("rules", "two.lua", "--workflow", "c").code, 2)
        none = self.perilune("rules", self.write("none.lua", "return 1\n"))
        self.assertEqual((none.code, none.out, none.err), (0, "", "perilune: no rules\n"))
        self.assertEqual(os.listdir(self.path(".perilune")), [])   # it looks, and writes nothing

    def test_a_run_over_its_limits_fails_and_tidies_up_wherever_it_is_killed(self):
        first = self.busy(12, "whole").json()
        self.assertEqual((first["status"], first["error"]["code"]), ("failed", "limit"))
        last = 0
        while True:   # a record more in each life, until the run is over
            verb = ["run", "busy.lua", "--id", "k"] if last == 0 else ["resume", "k"]
            killed = self.perilune(*verb, env={"PERILUNE_CRASH_AT": str(last + 1)})
            if killed.code != -signal.SIGKILL:
                break
            last = len(self.perilune("show", "k", "--json").json()["records"])
        shown = self.perilune("show", "k", "--json").json()
        self.assertEqual((shown["status"], shown["error"]), ("failed", first["error"]))
        self.assertEqual([one["name"] for one in self.report("k")["undone"]], ["tidy"])
        self.assertGreater(self.report("k")["rules"][0]["broken"], 0)

    def test_a_workflow_that_asks_for_more_than_is_configured_is_refused(self):
        self.write("perilune.json", '{"limits": {"memory": "64MiB"}}')
        result = self.perilune("run", self.write("big.lua", 'workflow { limits = { memory = "128MiB" } } return 1\n'))
        self.assertEqual(result.code, 3)
        self.assertIn("limits.memory is 128MiB, and the configuration's limits.memory allows 64MiB", result.err)


if __name__ == "__main__":
    run_all()
