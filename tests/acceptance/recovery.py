#!/usr/bin/env python3
"""The verbs of operators through the program: rollback, fork, retry of many, skip, pause, abort, audit, status.

Each test has a directory of its own. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

# Each step appends its name to the file `did`, each undo takes a line of its own; shipping needs the file `truck`.
ORDER = """
workflow { name = "order", on_error = ON_ERROR }
local function did(what) file.append("did", what .. "\\n") end
local function doing(name, body)
  return step(name, { retry = 1, undo = function() did("undo " .. name) end }, function()
    did(name)
    return body and body() or name
  end)
end
doing("reserve")
doing("charge")
checkpoint "paid"
doing("pack")
local courier = receive("courier")
doing("ship", function()
  if not file.exists("truck") then fail("no truck", { code = "no_truck" }) end
  return courier
end)
return { shipped = courier, for_whom = input.who, tries = this.attempt }
"""
MANY = """
local n = step("first", function() return input.n end)
step("needs a file", { retry = 1 }, function() if not file.exists("there") then fail("not there") end end)
return { n = n, tries = this.attempt }
"""
MANY_RUNS = 200


class Recovery(CliWorld):
    def order(self, on_error="pause", run="o"):
        """An order that stands before shipping, with its courier's signal given: paused, or failed and undone."""
        script = self.write("order.lua", ORDER.replace("ON_ERROR", f'"{on_error}"'))
        process = self.begin("run", script, "--id", run, "--input", '{"who": "ana"}')
        self.until("a waiting run", lambda: [r for r in self.listed() if r["run"] == run and r["status"] == "waiting"])
        process.terminate()
        process.wait()
        self.assertEqual(self.perilune("signal", run, "courier", '"bike"').code, 0)
        return self.perilune("resume", run)

    def did(self):
        with open(self.path("did")) as lines:
            return lines.read().split("\n")[:-1]

    def truck(self):
        self.write("truck", "")

    def records(self, run, *kinds):
        records = self.perilune("show", run, "--json").json()["records"]
        return [r for r in records if r["kind"] in kinds]

    # ---- rollback

    def test_rollback_undoes_to_the_checkpoint_and_the_run_goes_on_from_it(self):
        self.assertEqual(self.order().code, 4)
        self.truck()
        refused = self.perilune("rollback", "o", "--to", "paid")
        self.assertEqual(refused.code, 2)
        self.assertIn("--yes", refused.err)
        self.assertEqual(self.did(), ["reserve", "charge", "pack", "ship"])
        done = self.perilune("rollback", "o", "--to", "paid", "--yes", "--by", "ana@desk")
        self.assertEqual((done.code, done.json()), (0, {"shipped": "bike", "for_whom": "ana", "tries": 1}), done.err)
        self.assertEqual(self.did(), ["reserve", "charge", "pack", "ship", "undo pack", "pack", "ship"])
        shown = self.perilune("show", "o").out
        self.assertIn("rollback", shown)
        self.assertIn("by ana@desk", shown)
        self.assertIn("(history)", shown)
        self.assertEqual([r["seq"] for r in self.perilune("show", "o", "--json").json()["records"]],
                         list(range(1, 1 + len(self.perilune("show", "o", "--json").json()["records"]))))

    def test_rollback_says_which_checkpoints_there_are(self):
        self.order()
        refused = self.perilune("rollback", "o", "--to", "payed", "--yes")
        self.assertEqual(refused.code, 2)
        self.assertIn("'paid'", refused.err)

    # ---- retry

    def test_a_run_that_was_undone_is_done_again(self):
        failed = self.order("compensate")
        self.assertEqual(failed.code, 1)
        self.assertIn("perilune retry o", failed.err)
        self.assertEqual(self.did(), ["reserve", "charge", "pack", "ship", "undo pack", "undo charge", "undo reserve"])
        self.truck()
        refused = self.perilune("rollback", "o", "--to", "paid", "--yes")
        self.assertEqual(refused.code, 2)
        self.assertIn("undone", refused.err)
        done = self.perilune("retry", "o")
        self.assertEqual((done.code, done.json()["tries"]), (0, 2), done.err)
        self.assertEqual(self.did()[7:], ["reserve", "charge", "pack", "ship"])

    def test_retry_of_all_that_failed(self):
        script = self.write("many.lua", MANY)
        for n in range(MANY_RUNS):
            self.perilune("run", script, "-q", "--id", f"run-{n:03}", "--input", '{"n": %d}' % n)
        self.write("other.lua", 'step("other", { retry = 1 }, function() fail("no") end)')
        self.perilune("run", "other.lua", "-q", "--id", "other")
        self.assertEqual(len(self.listed("--status", "failed")), MANY_RUNS + 1)
        self.write("there", "")
        done = self.perilune("retry", "--all", "--status", "failed", "--workflow", "many", "--by", "ana@desk", "--json", "-q")
        self.assertEqual(done.code, 0, done.err)
        results = done.json()
        self.assertEqual({r["run"]: r["output"] for r in results},
                         {f"run-{n:03}": {"n": n, "tries": 2} for n in range(MANY_RUNS)})
        self.assertEqual([r["run"] for r in self.listed("--status", "failed")], ["other"])
        audit = self.perilune("audit", "--json").json()
        self.assertEqual({(a["run"], a["act"], a["by"]) for a in audit},
                         {(f"run-{n:03}", "retry", "ana@desk") for n in range(MANY_RUNS)})
        self.assertEqual(len(self.records("run-007", "step_done")), 2)   # the first step was not done again

    # ---- fork

    def test_a_fork_goes_on_from_a_record_with_another_input(self):
        self.order()
        self.truck()
        at = self.records("o", "checkpoint")[0]["seq"]
        process = self.begin("fork", "o", "--at", str(at), "--id", "second", "--input", '{"who": "bo"}')
        self.until("a waiting fork", lambda: [r for r in self.listed() if r["run"] == "second" and r["status"] == "waiting"])
        process.terminate()
        process.wait()
        self.perilune("signal", "second", "courier", '"van"')
        done = self.perilune("resume", "second")
        self.assertEqual((done.code, done.json()), (0, {"shipped": "van", "for_whom": "bo", "tries": 1}), done.err)
        self.assertEqual(self.did(), ["reserve", "charge", "pack", "ship", "pack", "ship"])
        self.assertEqual([r["run"] for r in self.listed("--status", "paused")], ["o"])
        self.assertEqual(self.perilune("audit", "second", "--json").json()[0]["act"], "fork")
        beyond = self.perilune("fork", "o", "--at", "999")
        self.assertEqual(beyond.code, 2)
        self.assertIn("records 1 to", beyond.err)

    # ---- skip, pause, abort, resume

    def test_skip_gives_the_failed_step_a_result(self):
        self.order()
        wrong = self.perilune("skip", "o", "--result", "{")
        self.assertEqual(wrong.code, 3)
        done = self.perilune("skip", "o", "--result", '{"by": "hand"}')
        self.assertEqual((done.code, done.json()["shipped"]), (0, "bike"), done.err)
        self.assertEqual([r["name"] for r in self.records("o", "step_skipped")], ["ship"])

    def test_pause_and_abort(self):
        process, run = self.sleeping(1000)
        process.terminate()
        process.wait()
        self.assertEqual(self.perilune("pause", run).code, 0)
        self.assertEqual(self.listed()[0]["status"], "paused")
        again = self.perilune("pause", run)
        self.assertEqual(again.code, 2)
        self.assertIn("open are: resume, cancel, abort, fork", again.err)
        self.assertEqual(self.perilune("resume", "--all").code, 0)   # a person decides on paused runs
        self.assertEqual(self.listed()[0]["status"], "paused")
        self.assertEqual(self.perilune("abort", run).code, 2)
        aborted = self.perilune("abort", run, "--yes", "--json")
        self.assertEqual((aborted.code, aborted.json()["status"]), (0, "cancelled"), aborted.err)
        self.assertEqual([a["act"] for a in self.perilune("audit", run, "--json").json()], ["abort", "pause"])

    # ---- status and refusals

    def test_status_and_the_report_say_what_is_open_and_what_it_does(self):
        left = self.order()
        self.assertIn("perilune skip o", left.err)
        status = self.perilune("status", "o", "--json").json()
        self.assertEqual([a["verb"] for a in status["acts"]], ["resume", "retry", "skip", "rollback", "cancel", "abort", "fork"])
        self.assertEqual(status["acts"][3]["command"], "perilune rollback o --to paid")
        text = self.perilune("status", "o").out
        self.assertIn("gives step 'ship' up", text)
        self.assertIn("undoes what was done since checkpoint 'paid'", text)

    def test_wrong_use(self):
        self.order()
        for arguments in [("retry",), ("retry", "o", "--all"), ("retry", "o", "--workflow", "x"), ("rollback", "o"),
                          ("retry", "--all", "--status", "faild"), ("fork", "o", "--at", "0"), ("skip", "nobody")]:
            self.assertEqual(self.perilune(*arguments).code, 2, arguments)
        self.assertIn("--status", self.perilune("retry", "--all", "--statsu", "failed").err)
        self.assertEqual(self.perilune("abort", "--all", "--status", "failed", "--yes").code, 0)


if __name__ == "__main__":
    run_all()
