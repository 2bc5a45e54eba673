#!/usr/bin/env python3
"""The command line as a script sees it: output, JSON shapes, exit codes, interruption.

Each test has a directory of its own. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import BINARY, HELLO, PATIENCE_S, SLEEPS, CliWorld, run_all  # noqa: E402

STEPS = """
local a = step("first", function() return { n = 1 } end)
local b = step("second", function() return a.n + 1 end)
log.info("both done", { b = b })
return { sum = a.n + b }
"""
FAILS = """
local function broken() fail("the bank is closed", { code = "closed", retry = false }) end
step("charge", broken)
"""
RETRIES = """
local n = step("flaky", { retry = { attempts = 3, backoff = "1ms", jitter = 0 } }, function(attempt)
  if attempt.number < 3 then error("not yet") end
  return attempt.number
end)
return n
"""
TWO = """
local a = workflow { name = "a" }
function a.run() return "from a" end
local b = workflow { name = "b" }
function b.run() return "from b" end
return { a, b }
"""


class Cli(CliWorld):
    # ---- run

    def test_output_goes_to_stdout_and_progress_to_stderr(self):
        result = self.perilune("run", self.write("steps.lua", STEPS))
        self.assertEqual((result.code, result.json()), (0, {"sum": 3}), result.err)
        self.assertRegex(result.err, r"\d\d:\d\d:\d\d step first done")
        self.assertIn("both done", result.err)
        self.assertNotIn("\x1b", result.err)

    def test_quiet_says_nothing(self):
        result = self.perilune("run", self.write("steps.lua", STEPS), "--quiet")
        self.assertEqual((result.code, result.err), (0, ""))

    def test_json_is_one_object_with_these_members(self):
        result = self.perilune("run", self.write("steps.lua", STEPS), "--json", "--id", "one")
        found = result.json()
        self.assertEqual(list(found), ["run", "workflow", "status", "output", "error", "records", "duration_ms"])
        self.assertEqual((found["run"], found["workflow"], found["status"]), ("one", "steps", "completed"))
        self.assertEqual((found["output"], found["error"]), ({"sum": 3}, None))
        self.assertEqual(found["records"], len(self.perilune("show", "one", "--json").json()["records"]))

    def test_input_comes_as_text_from_a_file_or_from_stdin(self):
        script = self.write("hello.lua", HELLO)
        self.write("input.json", '{"name": "file"}')
        self.assertEqual(self.perilune("run", script).json(), {"hello": "world"})
        self.assertEqual(self.perilune("run", script, "--input", '{"name":"text"}').json(), {"hello": "text"})
        self.assertEqual(self.perilune("run", script, "--input", "@input.json").json(), {"hello": "file"})
        self.assertEqual(self.perilune("run", script, "-i", "-", stdin='{"name":"pipe"}').json(), {"hello": "pipe"})

    def test_an_id_that_stands_gives_that_run(self):
        script = self.write("steps.lua", STEPS)
        self.perilune("run", script, "--id", "same")
        again = self.perilune("run", script, "--id", "same", "--json")
        self.assertEqual((again.code, again.json()["output"]), (0, {"sum": 3}))
        other = self.perilune("run", script, "--id", "same", "--input", '{"x":1}')
        self.assertEqual(other.code, 2, other.err)
        self.assertEqual(len(self.listed()), 1)

    def test_one_of_several_workflows_is_named(self):
        script = self.write("two.lua", TWO)
        self.assertEqual(self.perilune("run", script, "--workflow", "b").json(), "from b")
        self.assertEqual(self.perilune("run", script).code, 2)
        self.assertEqual(self.perilune("run", script, "--workflow", "c").code, 2)

    def test_a_store_elsewhere(self):
        script = self.write("steps.lua", STEPS)
        self.assertEqual(self.perilune("run", script, "--store", "memory").json(), {"sum": 3})
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.perilune("run", script, "--store", "sqlite:other.db", "--id", "o").code, 0)
        self.assertTrue(os.path.exists(self.path("other.db")))
        self.assertEqual(self.perilune("show", "o", "--store", "other.db").code, 0)
        self.assertIn("both done", self.perilune("logs", "o", "--store", "other.db").out)

    def test_the_store_is_found_from_below_and_made_where_there_is_none(self):
        os.mkdir(self.path("below"))
        self.write("below/hello.lua", HELLO)
        subprocess.run([BINARY, "run", "hello.lua", "-q"], cwd=self.path("below"), env=self.environment, check=True,
                       capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(len(self.listed()), 1)
        self.assertFalse(os.path.exists(self.path("below/.perilune")))

    # ---- failure

    def test_a_failure_is_reported_with_step_line_and_next_command(self):
        result = self.perilune("run", self.write("fails.lua", FAILS), "--id", "f")
        self.assertEqual((result.code, result.out), (1, ""))
        for part in ["run f (fails) failed", "closed: ", "the bank is closed", "in step charge", "fails.lua:2",
                     "traceback:", "try: perilune show f"]:
            self.assertIn(part, result.err)
        error = self.perilune("show", "f", "--json").json()["error"]
        self.assertEqual((error["code"], error["step"]), ("closed", "charge"))

    def test_retries_are_told_and_counted(self):
        result = self.perilune("run", self.write("retries.lua", RETRIES), "--id", "r")
        self.assertEqual((result.code, result.json()), (0, 3), result.err)
        self.assertRegex(result.err, r"step flaky attempt 1 failed: .*again in")
        step = self.perilune("show", "r", "--json").json()["steps"]["flaky"]
        self.assertEqual((step["attempts"], step["status"], step["output"]), (3, "completed", 3))

    # ---- the command line

    def test_help_teaches(self):
        self.assertIn("perilune run hello.lua", self.perilune("--help").out)
        for verb in "run resume list show status logs cancel doctor version".split():
            helped = self.perilune(verb, "--help")
            self.assertEqual(helped.code, 0)
            self.assertIn("Examples:", helped.out)
            self.assertEqual(self.perilune("help", verb).out, helped.out)

    def test_a_reader_that_goes_away_is_no_error(self):
        self.perilune("run", self.write("steps.lua", STEPS))
        done = subprocess.run(f"{BINARY} list | true; {BINARY} show | head -n 1", shell=True, cwd=self.directory,
                              env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    # ---- reading

    def test_list_filters_and_its_rows(self):
        steps, fails = self.write("steps.lua", STEPS), self.write("fails.lua", FAILS)
        self.perilune("run", steps, "--id", "s1", "--session", "tuesday")
        self.perilune("run", fails, "--id", "f1")
        self.perilune("run", steps, "--id", "s2")
        rows = self.listed()
        self.assertEqual([row["run"] for row in rows], ["s2", "f1", "s1"])
        for member in ["workflow", "status", "session", "created_at", "updated_at", "records", "error"]:
            self.assertIn(member, rows[0])
        self.assertEqual([row["run"] for row in self.listed("--status", "failed,cancelled")], ["f1"])
        self.assertEqual([row["run"] for row in self.listed("--workflow", "steps")], ["s2", "s1"])
        self.assertEqual([row["run"] for row in self.listed("--session", "tuesday")], ["s1"])
        self.assertEqual([row["run"] for row in self.listed("--limit", "1")], ["s2"])
        self.assertEqual(len(self.listed("--since", "1h")), 3)
        self.assertEqual(self.listed("--since", "2999-01-01"), [])
        table = self.perilune("list").out
        self.assertRegex(table.splitlines()[0], r"RUN +WORKFLOW +STATUS")
        self.assertEqual(len(table.splitlines()), 4)

    def test_show_has_the_members_that_scripts_rely_on(self):
        self.perilune("run", self.write("steps.lua", STEPS), "--id", "run-one", "--input", '{"z":1,"a":2}')
        found = self.perilune("show", "run-o", "--json").json()
        for member in ["run", "workflow", "status", "output", "error", "duration_ms", "workflow_version", "input", "state",
                       "current_step", "steps", "artifacts", "created_at", "updated_at", "records"]:
            self.assertIn(member, found)
        self.assertEqual(found["input"], {"z": 1, "a": 2})
        step = found["steps"]["second"]
        self.assertEqual((step["status"], step["attempts"], step["output"], step["count"]), ("completed", 1, 2, 1))
        self.assertRegex(step["started_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual([record["seq"] for record in found["records"]], list(range(1, len(found["records"]) + 1)))
        self.assertEqual(set(found["records"][0]), {"seq", "task", "op", "kind", "name", "at", "data"})
        self.assertEqual(found["records"][-1]["kind"], "run_done")
        text = self.perilune("show").out
        self.assertIn("step_done", text)
        self.assertIn("second", text)

    def test_logs_are_kept_and_read(self):
        self.perilune("run", self.write("steps.lua", STEPS), "--id", "l")
        line = json.loads(self.perilune("logs", "l", "--json").out)
        self.assertEqual((line["level"], line["run"], line["text"], line["b"]), ("info", "l", "both done", 2))
        self.assertTrue(os.path.exists(self.path(".perilune/logs/l.jsonl")))
        self.assertIn("info: both done  b=2", self.perilune("logs", "l").out)

    def test_control_characters_reach_no_terminal(self):
        self.perilune("run", self.write("evil.lua", 'step("a\\27[2Jb", function() log.info("c\\27]0;x\\7") end)'), "--id", "e")
        for verb in ["show", "status", "logs", "list"]:
            self.assertNotIn("\x1b", self.perilune(verb).out, verb)

    def test_there_is_nothing_to_read_yet(self):
        self.assertEqual(self.perilune("list", "--json").out.strip(), "[]")
        self.assertEqual(self.perilune("show").code, 2)
        self.assertEqual(self.perilune("resume").code, 2)
        self.assertEqual(self.perilune("resume", "--all").code, 0)

    # ---- interruption

    def test_interrupted_and_resumed(self):
        process, run = self.sleeping(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 4, err)
        self.assertIn("perilune resume " + run, err)
        status = self.perilune("status", run, "--json").json()
        self.assertTrue(status["interrupted"])
        self.assertEqual(status["next"][0], "perilune resume " + run)
        resumed = self.perilune("resume", "--json")
        self.assertEqual((resumed.code, resumed.json()["run"], resumed.json()["output"]), (0, run, {"woke": True}))
        kinds = [r["kind"] for r in self.perilune("show", run, "--json").json()["records"]]
        self.assertEqual(kinds.count("step_done"), 2)
        self.assertEqual(self.perilune("resume", run).code, 2)

    def test_killed_and_resumed(self):
        process, run = self.sleeping(1)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
        resumed = self.perilune("resume", run[:30])
        self.assertEqual((resumed.code, resumed.json()), (0, {"woke": True}), resumed.err)

    def test_a_detached_run_that_is_not_over_is_named(self):
        script = self.write("begins.lua", 'local late = workflow { name = "late" } function late.run() sleep "50ms" return 7 end\n'
                            'local begins = workflow { name = "begins" }\n'
                            'function begins.run() return start("late", {}, { id = "late-1", detached = true }).id end\n'
                            'return { begins, late }\n')
        begun = self.perilune("run", script)
        self.assertEqual((begun.code, begun.json()), (0, "late-1"), begun.err)
        self.assertIn("perilune resume late-1", begun.err)
        self.assertEqual(self.perilune("resume", "late-1").json(), 7)

    def test_several_unfinished_runs_are_listed_or_all_resumed(self):
        script = self.write("sleeps.lua", SLEEPS.replace("SECONDS", "1"))
        for count, name in enumerate(["one", "two"], 1):
            process = self.begin("run", script, "--id", name)
            self.until(name + " waits", lambda: len(self.listed("--status", "waiting")) == count)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_S)
        chosen = self.perilune("resume")
        self.assertEqual(chosen.code, 2)
        self.assertIn("one", chosen.err)
        self.assertIn("two", chosen.err)
        done = self.perilune("resume", "--all", "--json")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([(r["run"], r["status"]) for r in done.json()], [("one", "completed"), ("two", "completed")])

    def test_a_store_in_use_can_be_looked_at(self):
        process, run = self.sleeping(60)
        status = self.perilune("status", run)
        self.assertEqual(status.code, 0)
        self.assertIn("sleeps until", status.out)
        self.assertEqual(self.perilune("show", run).code, 0)
        self.assertEqual(self.perilune("doctor").code, 0)

    def test_cancel_ends_a_run_that_nobody_executes(self):
        process, run = self.sleeping(60)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        cancelled = self.perilune("cancel", run, "--json")
        self.assertEqual((cancelled.code, cancelled.json()["status"]), (0, "cancelled"), cancelled.err)
        self.assertEqual(self.perilune("cancel", run).code, 0)
        self.assertEqual(self.listed()[0]["status"], "cancelled")
        self.perilune("run", self.write("hello.lua", HELLO), "--id", "h")
        self.assertEqual(self.perilune("cancel", "h").code, 2)


if __name__ == "__main__":
    run_all()
