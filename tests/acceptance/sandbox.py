#!/usr/bin/env python3
"""A sample of the attempts on the sandbox through the binary: each ends as one run that failed, with its own code, and the
store and the terminal are as they should be afterwards. All attempts: tests/sandbox.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import TOP, CliWorld, run_all  # noqa: E402

LIMITS = {"limits": {"cpu": "100ms", "memory": "64MiB"}}


def attempts():
    """number -> (verdict, code), of all files."""
    found = {}
    for file in (TOP / "tests/sandbox/attempts").glob("*.lua"):
        for number, verdict, code in re.findall(r"^--@ (\d+) \w (.*)\n((?:(?!--@ ).*\n?)*)", file.read_text(), re.M):
            found[int(number)] = (verdict, code)
    return found


class Sandbox(CliWorld):
    def setUp(self):
        super().setUp()
        self.write("perilune.json", json.dumps(LIMITS))

    def made(self, number):
        self.write("attempt.lua", 'step("before", function() end)\n' + attempts()[number][1])
        return self.perilune("run", "--json", "attempt.lua")

    def test_what_is_killed_fails_with_its_code(self):
        for number in (40, 43, 45, 75, 80):
            with self.subTest(number):
                result = self.made(number)
                codes = re.findall(r"killed (\w+)", attempts()[number][0])
                self.assertEqual(result.code, 1, result.err)
                self.assertIn(result.json()["error"]["code"], codes)

    def test_what_takes_all_memory_fails_with_that(self):
        self.write("perilune.json", json.dumps({"limits": {"cpu": "60s", "memory": "16MiB"}}))
        for number in (26, 34, 37):
            with self.subTest(number):
                self.assertEqual(self.made(number).json()["error"]["code"], "memory")

    def test_what_is_refused_says_so(self):
        for number in (5, 25, 38, 51, 84, 93):
            with self.subTest(number):
                result = self.made(number)
                self.assertEqual(result.code, 1, result.err)
                self.assertIn(attempts()[number][0].removeprefix("raises "), result.json()["error"]["message"])

    def test_a_run_goes_on_where_others_were_killed(self):
        self.assertEqual(self.made(40).code, 1)
        self.write("well.lua", 'return step("s", function() return "well" end)')
        result = self.perilune("run", "well.lua")
        self.assertEqual((result.code, result.out), (0, '"well"\n'))
        statuses = sorted(run["status"] for run in self.perilune("list", "--json").json())
        self.assertEqual(statuses, ["completed", "failed"])

    def test_names_reach_no_terminal_as_control_characters(self):
        self.write("attempt.lua", attempts()[99][1])
        run = self.perilune("run", "--id", "named", "attempt.lua")
        shown = self.perilune("show", "named")
        self.assertEqual((run.code, shown.code), (0, 0))
        self.assertIn("red", run.err)
        self.assertIn("red", shown.out)
        self.assertNotRegex(run.err + shown.out, r"[\x00-\x08\x0b-\x1f\x7f]")


if __name__ == "__main__":
    run_all()
