#!/usr/bin/env python3
"""perilune store: damage is found and named, a damaged run is set aside while others go on, a backup is a store.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

SCRIPT = """
step("one", function() return 1 end)
step("two", function() return 2 end)
if input.wait then receive("go") end
return step("three", function() return 3 end)
"""


class Store(CliWorld):
    def leave(self, *ids):
        """Runs that wait for a signal, left as they are."""
        self.write("flow.lua", SCRIPT)
        for run in ids:
            self.assertEqual(self.perilune("run", "flow.lua", "--id", run, "--input", '{"wait": true}',
                                           env={"PERILUNE_CRASH_AT": "3"}).code, -9)

    def damage(self, sql):
        with sqlite3.connect(self.path(".perilune/perilune.db")) as db:
            db.execute(sql)
        db.close()

    def test_a_sound_store_verifies(self):
        self.leave("a", "b")
        result = self.perilune("store", "verify", "--json")
        self.assertEqual(result.code, 0, result.err)
        verdict = result.json()
        self.assertEqual((verdict["ok"], verdict["runs"], verdict["damages"]), (True, 2, []))
        self.assertIn("all as it was written", self.perilune("store", "verify").out)

    def test_a_damaged_run_is_named_and_set_aside(self):
        self.leave("bad", "good")
        self.damage("update records set data = replace(data, '2', '7') where name = 'two'"
                    " and run = (select no from runs where id = 'bad')")
        verdict = self.perilune("store", "verify", "--json")
        self.assertEqual(verdict.code, 65)
        self.assertEqual([(d["run"], d["record"] > 1) for d in verdict.json()["damages"]], [("bad", True)])
        at = verdict.json()["damages"][0]["record"]

        refused = self.perilune("resume", "bad")
        self.assertEqual(refused.code, 65)
        self.assertIn(f"good up to record {at - 1}", refused.err)
        status = self.perilune("status", "bad", "--json").json()
        self.assertEqual(status["status"], "quarantined")
        self.assertEqual({act["verb"] for act in status["acts"]}, {"resume", "abort", "fork"})
        self.assertIn("quarantined", self.perilune("status", "bad").out)

        self.assertEqual(self.perilune("signal", "good", "go").code, 0)
        self.assertEqual(self.perilune("resume", "--all", "--json").json()[0]["run"], "good")
        self.assertEqual(self.perilune("status", "good", "--json").json()["status"], "completed")

        forked = self.perilune("fork", "bad", "--id", "again", "--input", '{"wait": false}')
        self.assertEqual(forked.code, 0, forked.err)
        self.assertEqual(self.perilune("abort", "bad", "--yes").code, 1)
        self.assertEqual(self.perilune("status", "bad", "--json").json()["status"], "cancelled")

    def test_resume_all_goes_on_past_a_damaged_run(self):
        self.leave("bad", "good")
        self.damage("update records set at_us = at_us + 1 where seq = 2 and run = (select no from runs where id = 'bad')")
        self.assertEqual(self.perilune("signal", "good", "go").code, 0)
        result = self.perilune("resume", "--all", "--json")
        self.assertNotEqual(result.code, 0)
        self.assertEqual(self.perilune("status", "good", "--json").json()["status"], "completed")
        self.assertEqual(self.perilune("status", "bad", "--json").json()["status"], "quarantined")

    def test_a_backup_is_a_store_and_takes_no_files_place(self):
        self.leave("a")
        self.assertEqual(self.perilune("store", "backup", "copy.db").code, 0)
        self.assertEqual(self.perilune("store", "verify", "--store", "copy.db").code, 0)
        self.assertEqual([r["run"] for r in self.perilune("list", "--store", "copy.db", "--json").json()], ["a"])
        again = self.perilune("store", "backup", "copy.db")
        self.assertEqual(again.code, 2)
        self.assertIn("copy.db", again.err)

    def test_wrong_words_are_named(self):
        self.assertIn("did you mean 'verify'", self.perilune("store", "verfy").err)
        self.assertEqual(self.perilune("store", "backup").code, 2)
        self.assertEqual(self.perilune("store", "verify", "x.db").code, 2)
        self.assertNotEqual(self.perilune("store", "verify").code, 0)


if __name__ == "__main__":
    run_all()
