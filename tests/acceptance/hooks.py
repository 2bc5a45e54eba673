#!/usr/bin/env python3
"""Hook files through the program, on unchanged examples: what they decide, and that a process which kills itself at any record
and is resumed comes to the same end, without asking the hooks again for what they had decided.

Each test has a directory of its own. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import TOP, CliWorld, run_all  # noqa: E402

ORDER = str(TOP / "examples/order.lua")
COPY = str(TOP / "examples/patterns/data-29-copy-in-copy-out.lua")
HOOKS = TOP / "examples/hooks"
# Beside the example's file: each call of a hook that may decide leaves a line, whatever comes of it.
WITNESS = """
for _, point in ipairs { "step.before", "step.fail" } do
  on(point, { priority = 9 }, function(e) file.append("asked", e.run.id .. " " .. point .. " " .. e.step .. "\\n") end)
end
"""


class HookFiles(CliWorld):
    def hooked(self, name, *more):
        return ["--hooks", str(HOOKS / f"{name}.lua"), *more]

    def order(self, name, given=None, *more, env=None):
        given = json.dumps({"latency": "1ms", "declines": 0, **(given or {})})
        return self.perilune("run", ORDER, "--json", "--input", given, *self.hooked(name, *more), env=env)

    def records(self, run):
        return self.perilune("show", run, "--json").json()["records"]

    def decisions(self, run):
        return [(r["name"], r["data"].get("result")) for r in self.records(run) if r["kind"] == "hook_decision"]

    def test_one_measures(self):
        result = self.order("measure").json()
        self.assertEqual(result["status"], "completed")
        logs = [json.loads(line) for line in self.perilune("logs", result["run"], "--json").out.splitlines()]
        measured = [line for line in logs if line.get("text", line.get("message", "")) == "measured order"]
        self.assertEqual(len(measured), 1, logs)
        self.assertIn("reserve", json.dumps(measured[0]))
        self.assertIn("run.complete", json.dumps(measured[0]))

    def test_one_vetoes(self):
        self.assertEqual(self.order("limits", {"quantity": 10}).json()["status"], "completed")
        result = self.order("limits", {"quantity": 11}).json()
        self.assertEqual((result["status"], result["error"]["code"], result["error"]["step"]), ("failed", "denied", "charge"))
        self.assertEqual(result["error"]["message"], "more than 10 at once is for a person to decide")
        self.assertEqual(self.decisions(result["run"]), [("charge", "deny")])

    def test_one_caches(self):
        first = self.order("cache").json()
        second = self.order("cache").json()
        self.assertEqual(first["output"]["tracking"], second["output"]["tracking"])
        self.assertEqual(self.decisions(first["run"]), [])
        self.assertEqual(self.decisions(second["run"]), [("ship", "skip")])

    def test_one_redirects(self):
        result = self.order("redirect").json()
        self.assertEqual(result["output"]["mailed"], "the letterbox")
        self.assertEqual(sorted(r["workflow"] for r in self.listed()), ["letter", "order"])

    def test_one_tries_again_with_another_input(self):
        env = {"PERILUNE_WORKFLOW_MAX_RETRY_ATTEMPTS": "1"}
        result = self.perilune("run", COPY, "--json", *self.hooked("again"), env=env).json()
        self.assertEqual(result["output"], "lamp 10 lamp 18")
        self.assertEqual(self.decisions(result["run"]), [("discount", None), ("discount", "retry")])

    def asked(self):
        path = Path(self.path("asked"))
        return sorted(path.read_text().splitlines()) if path.exists() else []

    def cut_at_every_record(self, name, script, given, expected):
        """Kills the process at each record of a run in turn and resumes it."""
        self.write("witness.lua", WITNESS)
        hooks = [*self.hooked(name), "--hooks", "witness.lua"]
        env = {"PERILUNE_WORKFLOW_MAX_RETRY_ATTEMPTS": "1"}
        for record in range(1, 200):
            run = f"{name}-{record}"
            Path(self.path("asked")).unlink(missing_ok=True)
            cut = self.perilune("run", script, "--id", run, "--json", "--input", given, *hooks,
                                env={**env, "PERILUNE_CRASH_AT": str(record)})
            if cut.code != -signal.SIGKILL:   # it has no such record
                self.assertGreater(record, 3)
                return record - 1
            shown = self.perilune("show", run, "--json").json()
            if shown["status"] in ("completed", "failed"):
                continue
            decided = [r for r in self.records(run) if r["kind"] == "hook_decision"]
            before = self.asked()
            result = self.perilune("resume", run, "--json", *hooks, env=env).json()
            self.assertEqual({key: result[key] for key in expected}, expected, f"cut at record {record}")
            for decision in decided:   # what stood was not asked again
                line = f"{run} {decision['data']['point']} {decision['name']}"
                self.assertEqual(self.asked().count(line), before.count(line), f"cut at record {record}: {line}")
        self.fail("the run has no end")

    def test_what_was_decided_stands_wherever_the_process_dies(self):
        order = json.dumps({"latency": "1ms", "declines": 0, "quantity": 11})
        self.cut_at_every_record("limits", ORDER, order, {"status": "failed"})
        small = json.dumps({"latency": "1ms", "declines": 0})
        count = self.cut_at_every_record("redirect", ORDER, small, {"status": "completed"})
        self.assertGreater(count, 8)
        self.cut_at_every_record("again", COPY, "{}", {"status": "completed", "output": "lamp 10 lamp 18"})
        self.order("cache")   # fills it
        cached = json.dumps({"latency": "1ms", "declines": 0})
        self.cut_at_every_record("cache", ORDER, cached, {"status": "completed"})

    def test_the_configuration_names_hook_files_beside_it(self):
        os.mkdir(self.path("rules"))
        self.write("rules/no.lua", 'on("step.before", function(e) return deny("by the file") end)')
        self.write("perilune.json", '{"hooks": {"files": ["rules/no.lua"]}}')
        script = self.write("one.lua", 'return step("one", function() return 1 end)')
        os.mkdir(self.path("below"))
        done = self.perilune("run", script, "--json")
        self.assertEqual(done.json()["error"]["message"], "by the file")
        self.assertEqual(self.perilune("run", script, "--json", env={"PERILUNE_HOOKS_FILES": ""}).json()["status"], "failed")

    def test_a_hook_file_that_is_wrong_is_refused_at_once(self):
        script = self.write("one.lua", 'return step("one", function() return 1 end)')
        for text, said in [
            ('on("step.befor", function() end)', "did you mean 'step.before'"),
            ("on(", "unexpected symbol"),
            ('sleep "1s"', "does nothing that waits"),
            ('step("x", function() end)', "a hook file registers its hooks"),
        ]:
            self.write("bad.lua", text)
            done = self.perilune("run", script, "--hooks", "bad.lua")
            self.assertNotEqual(done.code, 0)
            self.assertIn("hook file bad.lua", done.err)
            self.assertIn(said, done.err)
        done = self.perilune("run", script, "--hooks", "absent.lua")
        self.assertEqual(done.code, 2, done.err)
        self.assertIn("hook file absent.lua", done.err)
        self.assertEqual(self.listed(), [])


if __name__ == "__main__":
    run_all()
