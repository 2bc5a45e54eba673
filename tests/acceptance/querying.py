#!/usr/bin/env python3
"""Queries and time-outs of scopes through the program: beside the process that executes a run, after kills, and when it is over.

Each test has a directory of its own. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

SHOP = """
local sold, calls = 0, 0
answer("sold", function(input)
  calls = calls + 1
  return { sold = sold, calls = calls, unit = input and input.unit }
end)
for i = 1, 3 do
  step("sell " .. i, function() file.append("did", "sell " .. i .. "\\n") end)
  sold = i
  if i == 2 then receive("more") end
end
return { sold = sold, calls = calls }
"""
LATE = """
local ok, e = pcall(parallel, {
  function() step("quick", function() file.append("did", "quick\\n") end) end,
  function() compensate("tidy", function() file.append("did", "tidy\\n") end) sleep "1h" end,
}, { timeout = "300ms" })
return { code = e.code, done = e.data.done }
"""


class Querying(CliWorld):
    def ask(self, *words):
        return self.perilune("query", *words)

    def did(self):
        with open(self.path("did")) as lines:
            return lines.read().splitlines()

    def test_a_run_is_asked_in_all_its_states(self):
        process = self.begin("run", self.write("shop.lua", SHOP), "--id", "s")
        self.until("a waiting run", lambda: [r for r in self.listed() if r["status"] == "waiting"])
        beside = self.ask("s", "sold", '{"unit": "lamp"}')
        self.assertEqual((beside.code, beside.json()), (0, {"sold": 2, "calls": 1, "unit": "lamp"}), beside.err)
        process.kill()
        process.wait()
        records = len(self.perilune("show", "s", "--json").json()["records"])
        self.assertEqual(self.ask("s", "sold").json(), {"sold": 2, "calls": 1})
        self.assertEqual(len(self.perilune("show", "s", "--json").json()["records"]), records)
        self.assertEqual(self.perilune("signal", "s", "more").code, 0)
        self.assertEqual(self.perilune("resume", "s").json(), {"sold": 3, "calls": 0})
        self.assertEqual(self.ask("s", "sold").json(), {"sold": 3, "calls": 1})
        self.assertEqual(self.did(), ["sell 1", "sell 2", "sell 3"])

    def test_a_wrong_query_says_what_would_be_right(self):
        self.perilune("run", self.write("shop.lua", SHOP.replace('receive("more")', "")), "--id", "s")
        for words, code, said in ((["s", "slod"], 2, "did you mean 'sold'"), (["s", "sold", "{"], 3, "not JSON"),
                                  (["x", "sold"], 2, "no run 'x'")):
            refused = self.ask(*words)
            self.assertEqual((refused.code, refused.out), (code, ""), refused.err)
            self.assertIn(said, refused.err)

    def test_a_scope_that_takes_too_long_is_killed_at_each_record(self):
        script = self.write("late.lua", LATE)
        whole = self.perilune("run", script, "--id", "whole")
        self.assertEqual(whole.json(), {"code": "timeout", "done": 1}, whole.err)
        records = len(self.perilune("show", "whole", "--json").json()["records"])
        for record in range(1, records):
            run = f"killed-{record}"
            self.write("did", "")
            self.assertNotIn(self.perilune("run", script, "--id", run, env={"PERILUNE_CRASH_AT": str(record)}).code, (0, 4))
            done = self.perilune("resume", run)   # refused when the end was in the commit that it was killed after
            shown = self.perilune("show", run, "--json").json()
            self.assertEqual((shown["status"], shown["output"]), ("completed", {"code": "timeout", "done": 1}), done.err)
            self.assertIn("tidy", self.did())


if __name__ == "__main__":
    run_all()
