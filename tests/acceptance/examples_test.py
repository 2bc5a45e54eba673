#!/usr/bin/env python3
"""The examples that show a pattern under failure, as a user runs them: what they give, what they undo, and how a deadline
is moved by signals while no process lives. Kills at every record and at random: tests/crash/kill_test.py.
"""
# SPDX-License-Identifier: MIT
import json
import signal
from pathlib import Path

from cli_world import TOP, CliWorld, run_all


class ExamplesTest(CliWorld):
    def example(self, name, given=None, *more):
        arguments = ["run", str(TOP / f"examples/{name}.lua"), "--json", *more]
        if given is not None:
            arguments += ["--input", json.dumps(given)]
        result = self.perilune(*arguments)
        return result.json()

    def ledger(self):
        return [line.split(" ")[:-2] for line in Path(self.path("ledger")).read_text().splitlines()]

    def ends(self, run, kind):
        records = self.perilune("show", run, "--json").json()["records"]
        return [record["name"] for record in records if record["kind"] == kind]

    def test_each_runs_as_it_is(self):
        trip = self.example("trip")["output"]
        self.assertEqual((trip["place"], len(trip["booked"]), trip["cancelled"]), ("Oulu", 3, 2))
        self.assertEqual(self.example("transfer")["output"], {"from": 70, "to": 130})
        self.assertEqual(self.example("review")["output"],
                         {"accepted": True, "votes": 3, "withdrawn": 1, "voters": ["boris", "chen", "dora"]})
        self.assertEqual(self.example("release")["output"],
                         {"said": "published after 250 tests", "rounds": 1, "documented": True})
        self.assertEqual(self.example("release", {"docs": False, "rounds": 3})["output"],
                         {"said": "published after 250 tests", "rounds": 3, "documented": False})
        self.assertEqual(self.example("deadline")["output"], {"arrived": True, "moved": 2})
        self.assertEqual(self.example("window")["output"],
                         {"loaded": 500, "sum": sum(i * i % 97 for i in range(1, 501)), "most": 8})

    def test_a_trip_that_is_not_to_be_had_is_taken_back_newest_first(self):
        result = self.example("trip", {"places": ["Faro"], "ledger": "ledger"}, "--id", "trip")
        self.assertEqual((result["status"], result["error"]["code"]), ("failed", "no_place"))
        self.assertEqual([" ".join(words) for words in self.ledger()],
                         ["flight Faro", "hotel Faro", "car Faro", "undo hotel Faro", "undo hotel Faro", "undo flight Faro"])
        self.assertEqual(self.ends("trip", "compensation_done"), ["undo hotel Faro", "undo flight Faro"])

    def verdicts(self, run):
        records = self.perilune("show", run, "--json").json()["records"]
        return [(record["name"], record["data"]["held"]) for record in records if record["kind"] == "gate"]

    def test_a_payroll_pays_everybody_or_nobody(self):
        self.assertEqual(self.example("payroll", None, "--id", "p")["output"], {"paid": 500, "due": 500})
        self.assertEqual(self.verdicts("p"), [(name, True) for name in (
            "requires", "input", "preflight", "pay ana", "pay boris", "output", "postflight")])
        short = self.example("payroll", {"funds": 10}, "--id", "short")
        self.assertEqual((short["status"], short["error"]["code"], short["error"]["step"]), ("failed", "gate", "preflight"))
        self.assertEqual(self.verdicts("short")[-1], ("preflight", False))
        fee = self.example("payroll", {"fee": 1}, "--id", "fee")
        self.assertEqual(fee["error"]["message"], "498 of 500 have arrived")
        self.assertEqual(self.ends("fee", "compensation_done"), ["undo pay boris", "undo pay ana"])

    def test_a_payroll_that_is_killed_at_any_record_asks_each_gate_once(self):
        script, last = str(TOP / "examples/payroll.lua"), 0
        while True:   # a record more in each life, until the run is over
            killed = self.perilune(*(["run", script, "--id", "p", "--input", '{"fee": 1}'] if last == 0 else ["resume", "p"]),
                                   env={"PERILUNE_CRASH_AT": str(last + 1)})
            if killed.code != -signal.SIGKILL:
                break
            last = len(self.perilune("show", "p", "--json").json()["records"])
        shown = self.perilune("show", "p", "--json").json()
        self.assertEqual((shown["status"], shown["error"]["code"]), ("failed", "gate"))
        self.assertEqual(self.verdicts("p"), [(name, name != "postflight") for name in (
            "requires", "input", "preflight", "pay ana", "pay boris", "output", "postflight")])

    def test_what_is_required_and_missing_is_told_and_no_run_begins(self):
        result = self.perilune("run", str(TOP / "examples/payroll.lua"), "--json", env={"PATH": "/nowhere"})
        self.assertEqual((result.code, result.json()["error"]["code"]), (3, "gate"))
        self.assertIn("command 'printf': no such program", result.err)
        self.assertEqual([problem["name"] for problem in result.json()["error"]["data"]["missing"]], ["printf"])
        self.assertEqual(self.listed(), [])

    def test_a_transfer_moves_both_sides_or_none(self):
        result = self.example("transfer", {"closed": True, "bank": "bank"})
        self.assertEqual((result["status"], result["error"]["code"]), ("failed", "closed"))
        self.assertEqual([line.split(" ", 1)[1] for line in Path(self.path("bank")).read_text().splitlines()],
                         ["anna -30", "anna 30"])
        result = self.example("transfer", {"amount": 500, "bank": "other"})
        self.assertEqual(result["error"]["code"], "refused")
        self.assertFalse(Path(self.path("other")).exists())

    def test_a_quorum_that_can_not_be_met_fails_at_once(self):
        result = self.example("review", {"ill": 3})
        self.assertEqual((result["status"], result["error"]["code"]), ("failed", "step_failed"))
        self.assertIn("need 3 can no longer be met", result["error"]["message"])

    def killed_at(self, record, *arguments):
        """The process kills itself when that record has been committed."""
        killed = self.perilune(*arguments, env={"PERILUNE_CRASH_AT": str(record)})
        self.assertEqual(killed.code, -signal.SIGKILL, killed.err)

    def timers(self):
        return self.ends("d", "timer_set")

    def test_a_deadline_is_moved_twice_by_signals_while_no_process_lives(self):
        given = json.dumps({"alone": True, "wait": "1h"})
        script = str(TOP / "examples/deadline.lua")
        self.killed_at(3, "run", script, "--id", "d", "--input", given)   # the first deadline is set
        self.assertEqual(len(self.timers()), 1)
        self.assertEqual(self.perilune("signal", "d", "deadline", '{"wait": "2h"}').code, 0)
        while len(self.timers()) == 1:   # a few records each time, until the second one is set
            self.killed_at(len(self.perilune("show", "d", "--json").json()["records"]) + 1, "resume", "d")
        self.assertEqual(self.perilune("signal", "d", "deadline", '{"wait": "10ms"}').code, 0)
        result = self.perilune("resume", "d", "--json").json()
        self.assertEqual(result["output"], {"arrived": False, "moved": 2})

    def test_goods_that_come_while_no_process_lives_are_in_time(self):
        given = json.dumps({"alone": True, "wait": "1h"})
        self.killed_at(3, "run", str(TOP / "examples/deadline.lua"), "--id", "d", "--input", given)
        self.assertEqual(self.perilune("signal", "d", "goods", '{"pieces": 1}').code, 0)
        self.assertEqual(self.perilune("resume", "d", "--json").json()["output"], {"arrived": True, "moved": 0})


if __name__ == "__main__":
    run_all()
