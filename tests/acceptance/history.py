#!/usr/bin/env python3
"""perilune history: runs out of one store and into another, where they are the same and go on; what is not whole is refused.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

DONE = 'local r = step("odd", function() return { text = "caf\\u{e9}", n = 0.1, seed = math.random(1000000) } end) return r'
HALF = """
local module = require "half_module"
local a = step("a", function() return math.random(1000000) end)
receive("go")
return { a = a, b = math.random(1000000), id = this.id, m = module.m }
"""
OTHER = "other.db"


class History(CliWorld):
    def setUp(self):
        super().setUp()
        self.write("done.lua", DONE)
        self.write("half.lua", HALF)
        self.write("half_module.lua", "return { m = 7 }")
        self.assertEqual(self.perilune("run", "done.lua", "--id", "d", "--input", '{"x": "\\u20ac"}').code, 0)
        half = self.begin("run", "half.lua", "--id", "h", "--quiet")
        self.until("it waits", lambda: any(r["run"] == "h" and r["status"] == "waiting" for r in self.listed()))
        half.terminate()
        half.communicate()

    def exported(self, *arguments):
        result = self.perilune("history", "export", *arguments)
        self.assertEqual(result.code, 0, result.err)
        return result.out

    def imported(self, text, *arguments, store=OTHER):
        return self.perilune("history", "import", "-", "--store", store, *arguments, stdin=text)

    def test_runs_are_the_same_in_another_store_and_go_on_there(self):
        text = self.exported("--all")
        for line in text.splitlines():
            json.loads(line)
        told = self.imported(text)
        self.assertEqual(told.code, 0, told.err)
        for run in ("d", "h"):
            self.assertEqual(self.perilune("show", run, "--json", "--store", OTHER).json(), self.perilune("show", run, "--json").json())
        os.remove(self.path("half_module.lua"))   # its code came with it
        ends = []
        for store in ((), ("--store", OTHER)):
            self.assertEqual(self.perilune("signal", "h", "go", *store).code, 0)
            resumed = self.perilune("resume", "h", *store)
            self.assertEqual(resumed.code, 0, resumed.err)
            ends.append(resumed.json())
        self.assertEqual(ends[0], ends[1])

    def test_under_another_id_a_run_goes_on_with_its_own_random_numbers(self):
        told = self.imported(self.exported("h"), "--id", "copy", store=self.path(".perilune/perilune.db"))
        self.assertEqual(told.code, 0, told.err)
        ends = []
        for run in ("h", "copy"):
            self.perilune("signal", run, "go")
            ends.append(self.perilune("resume", run).json())
            self.assertEqual(ends[-1].pop("id"), run)
        self.assertEqual(ends[0], ends[1])

    def test_a_file_by_name_and_out_again_is_the_same_file(self):
        self.assertEqual(self.perilune("history", "export", "d", "-o", "d.jsonl").code, 0)
        self.assertEqual(self.perilune("history", "import", "d.jsonl", "--store", OTHER).code, 0)
        self.assertEqual(self.exported("d", "--store", OTHER), Path(self.path("d.jsonl")).read_text())

    def test_what_is_not_whole_or_was_changed_is_refused_and_nothing_is_written(self):
        text = self.exported("--all")
        lines = text.splitlines(keepends=True)
        record = [i for i, line in enumerate(lines) if '"kind":"step_done"' in line][0]
        cases = {"the file ends within": "".join(lines[:record]), "is not as it was written": text.replace('"odd"', '"even"', 1),
                 "first line": "".join(lines[1:]), "the code is not that of its hash": text.replace("math.random", "math.ranbom", 1),
                 "is not in the file": lines[0] + "".join(lines[2:]), "line": "".join(lines[:record] + ["{broken\n"] + lines[record:]),
                 "comes behind record": "".join(lines[:record] + [lines[record - 1]] + lines[record:])}
        for words, changed in cases.items():
            self.assertNotEqual(changed, text, words)
            refused = self.imported(changed)
            self.assertEqual(refused.code, 3, (words, refused.err))
            self.assertIn(words, refused.err)
            self.assertFalse(os.path.exists(self.path(OTHER)), words)

    def test_an_id_that_stands_is_a_conflict_and_nothing_of_the_file_is_written(self):
        self.assertEqual(self.imported(self.exported("h")).code, 0)
        refused = self.imported(self.exported("--all"))
        self.assertEqual(refused.code, 2)
        self.assertIn("run 'h' exists already; --id", refused.err)
        self.assertEqual([r["run"] for r in self.listed("--store", OTHER)], ["h"])

    def test_wrong_use_says_what_would_be_right(self):
        text = self.exported("--all")
        for arguments, words in ((("export",), "which run"), (("export", "d", "--all"), "one of them"), (("exprt", "d"), "export and import"),
                                 (("import",), "which file"), (("import", "none.jsonl"), "cannot read none.jsonl"),
                                 (("export", "nobody"), "nobody")):
            refused = self.perilune("history", *arguments)
            self.assertNotEqual(refused.code, 0, arguments)
            self.assertIn(words, refused.err)
        self.assertIn("this one holds 2", self.imported(text, "--id", "x").err)


if __name__ == "__main__":
    run_all()
