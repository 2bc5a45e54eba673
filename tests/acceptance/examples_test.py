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
        self.killed_at(2, "run", script, "--id", "d", "--input", given)   # the first deadline is set
        self.assertEqual(len(self.timers()), 1)
        self.assertEqual(self.perilune("signal", "d", "deadline", '{"wait": "2h"}').code, 0)
        while len(self.timers()) == 1:   # a few records each time, until the second one is set
            self.killed_at(len(self.perilune("show", "d", "--json").json()["records"]) + 1, "resume", "d")
        self.assertEqual(self.perilune("signal", "d", "deadline", '{"wait": "10ms"}').code, 0)
        result = self.perilune("resume", "d", "--json").json()
        self.assertEqual(result["output"], {"arrived": False, "moved": 2})

    def test_goods_that_come_while_no_process_lives_are_in_time(self):
        given = json.dumps({"alone": True, "wait": "1h"})
        self.killed_at(2, "run", str(TOP / "examples/deadline.lua"), "--id", "d", "--input", given)
        self.assertEqual(self.perilune("signal", "d", "goods", '{"pieces": 1}').code, 0)
        self.assertEqual(self.perilune("resume", "d", "--json").json()["output"], {"arrived": True, "moved": 0})


if __name__ == "__main__":
    run_all()
