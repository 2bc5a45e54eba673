#!/usr/bin/env python3
"""What a run waits for, as the program tells it: `status`, `show --json`, the lines of progress; also after a kill.

Each test has a directory of its own. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

WAITS = """
step("before", function() return 1 end)
return parallel {
  function() return receive("approved") end,
  function() return receive("paid", { timeout = "1h" }) end,
  function() lock("door", function() sleep("nap", "2h") end) end,
  function() sleep "1ms" lock("door", function() end) end,
  function() step("flaky", { retry = { attempts = 2, backoff = "3h" } }, function() error("no net") end) end,
}
"""
EXPECTED = [("lock", "door"), ("retry", "flaky"), ("signal", "approved"), ("signal", "paid"), ("timer", "nap")]


class Waiting(CliWorld):
    def waits(self):
        result = self.perilune("status", "w", "--json")
        return result.json()["waits"] if result.code == 0 else []

    def names(self):
        return sorted((wait["for"], wait["name"]) for wait in self.waits())

    def test_each_wait_is_named_in_life_after_a_kill_and_after_a_resume(self):
        process = self.begin("run", self.write("waits.lua", WAITS), "--id", "w")
        self.until("all the waits", lambda: self.names() == EXPECTED)
        process.kill()
        process.wait()
        self.assertEqual(self.names(), EXPECTED)
        self.assertEqual(self.perilune("show", "w", "--json").json()["waits"], self.waits())
        self.assertEqual(self.perilune("signal", "w", "approved").code, 0)
        self.assertNotIn(("signal", "approved"), self.names())
        process = self.begin("resume", "w")
        left = [wait for wait in EXPECTED if wait != ("signal", "approved")]
        self.until("its owner", lambda: self.perilune("status", "w", "--json").json()["owner"] == process.pid)
        process.terminate()
        _, err = process.communicate()
        self.assertEqual(process.returncode, 4, err)
        self.assertEqual(self.names(), left)
        due = {wait["name"]: wait["due"] for wait in self.waits()}
        self.assertIsNone(due["door"])
        self.assertLess(due["paid"], due["nap"])

    def test_status_says_it_in_words(self):
        process = self.begin("run", self.write("waits.lua", WAITS), "--id", "w")
        self.until("all the waits", lambda: self.names() == EXPECTED)
        process.terminate()
        _, err = process.communicate()
        self.assertIn("waits for signal 'approved'", err)
        shown = self.perilune("status", "w").out
        for words in ("waits for signal 'approved', since", "waits for signal 'paid' until", "'nap' waits until",
                      "waits for lock 'door'", "step flaky (attempt 1) failed, again at"):
            self.assertIn(words, shown)


if __name__ == "__main__":
    run_all()
