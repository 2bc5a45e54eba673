#!/usr/bin/env python3
"""`perilune test` as a user sees it: what passes, what fails and how that is said, and the forms of its report.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import TOP, CliWorld, run_all  # noqa: E402

HEAD = 'local t = require "perilune.test"\n'


class WorkflowTests(CliWorld):
    def failing(self, body):
        """The message of the one test in `body`, which must fail."""
        self.write("one_test.lua", HEAD + body)
        result = self.perilune("test", "--json", "one_test.lua")
        report = result.json()
        self.assertEqual((result.code, report["failed"]), (1, 1), result.out)
        return next(test["message"] for test in report["tests"] if test["outcome"] == "failed")

    def test_the_examples_pass(self):
        result = self.perilune("test", str(TOP / "examples"))
        self.assertEqual(result.code, 0, result.out + result.err)
        self.assertRegex(result.out, r"\b15 passed, 0 failed$")

    def test_a_wrong_value_is_told_with_its_place(self):
        message = self.failing('t.it("x", function() t.equal({ a = { b = 1 } }, { a = { b = 2 } }) end)')
        self.assertIn("the value.a.b is 1, expected 2", message)
        self.assertIn("one_test.lua:2", message)

    def test_an_effect_that_nothing_stands_in_for_fails_by_name(self):
        message = self.failing('''t.it("x", function()
          t.run(t.script [[ pcall(function() return step("look", function() return http.get("http://x.test") end) end) ]])
        end)''')
        self.assertIn("not mocked: http.get in step 'look'", message)

    def test_a_change_that_a_crash_makes_is_found_with_its_record(self):
        message = self.failing('''local calls = 0
          t.survives_crashes(t.script([[ step("a", function() end) return step("b", function() end) ]], "counts"), {},
            { mock = { b = function() calls = calls + 1 return calls end } })''')
        self.assertIn("a crash after record 1 (run_started counts) is not survived: the run.output is 2, expected 1", message)

    def test_a_missing_undo_of_a_life_is_found(self):
        # what is undone depends on a file of the real world that the mock reads: another one in each life
        message = self.failing('''local lives = 0
          t.survives_crashes(t.script([[
            local first = step("first", function() end)
            if first then compensate("back", function() end) end
            step("second", { retry = 1 }, function() error("no") end) ]], "undoes"), {},
            { mock = { first = function() lives = lives + 1 return lives == 1 end } })''')
        self.assertIn("what was undone", message)

    def test_an_option_that_is_none_is_refused(self):
        self.assertIn("unknown option 'moc'", self.failing('t.it("x", function() t.run("shop", {}, { moc = {} }) end)'))

    def test_a_workflow_that_is_not_there_is_told_where_it_was_looked_for(self):
        message = self.failing('t.it("x", function() t.run("nowhere") end)')
        self.assertIn("no workflow 'nowhere': looked for", message)
        self.assertIn("nowhere.lua", message)

    def test_a_file_that_breaks_is_a_failure_of_its_own(self):
        message = self.failing('t.it("x", function() end)\nerror("at its end")')
        self.assertIn("at its end", message)

    def test_the_forms_of_the_report_agree(self):
        self.write("two_test.lua", HEAD + 't.describe("a <b>", function() t.it("good", function() end)\n'
                   't.it("bad & \\"ugly\\"", function() error("x < y") end) t.skip("later") end)')
        tap = self.perilune("test", "--tap", "--junit", "out.xml", "two_test.lua")
        self.assertEqual(tap.code, 1)
        self.assertEqual([line.split(" - ")[0] for line in tap.out.splitlines() if "ok" in line.split(" - ")[0]],
                         ["ok 1", "not ok 2", "ok 3"])
        self.assertTrue(tap.out.rstrip().endswith("1..3"))
        suites = xml.etree.ElementTree.parse(self.path("out.xml")).getroot()
        self.assertEqual((suites.get("tests"), suites.get("failures"), suites.get("skipped")), ("3", "1", "1"))
        self.assertEqual(suites[0][1].get("name"), 'a <b> / bad & "ugly"')
        people = self.perilune("test", "two_test.lua")
        self.assertIn("1 passed, 1 failed, 1 skipped", people.out)

    def test_without_files_it_says_how_they_are_named(self):
        result = self.perilune("test", ".")
        self.assertEqual(result.code, 2)
        self.assertIn("_test.lua", result.err)

    def test_a_test_file_that_is_run_says_how_to_run_it(self):
        self.write("one_test.lua", HEAD)
        result = self.perilune("run", "one_test.lua")
        self.assertEqual(result.code, 3)
        self.assertIn("perilune test FILE", result.err)


if __name__ == "__main__":
    run_all()
