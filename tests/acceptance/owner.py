#!/usr/bin/env python3
"""Two processes and one store: the second is told who owns it, nothing is damaged, and the first ends as if alone.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("PERILUNE") or TOP / "build/release/perilune")
PATIENCE_S = 60
COMPLETED, OWNED = 0, 75

# Ten steps; in the middle one the run waits until somebody makes the file `go`.
SCRIPT = """
local total = 0
for i = 1, 10 do
  total = total + step("add " .. i, function()
    if i == 5 then
      file.write("there", "")
      while not file.exists("go") do sleep "10ms" end
    end
    return i
  end)
end
return { total = total }
"""
OTHER = 'return step("other", function() return "alone" end)\n'


class OneStore(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="perilune-owner-"))
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
        (self.directory / ".perilune").mkdir()  # else one above would be taken
        (self.directory / "waits.lua").write_text(SCRIPT)
        (self.directory / "other.lua").write_text(OTHER)
        self.first = self.begin("run", "waits.lua", "--id", "first", "--json")
        self.until("the first run in its fifth step", (self.directory / "there").exists)

    def begin(self, *arguments):
        process = subprocess.Popen([BINARY, *arguments], cwd=self.directory, env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def call(self, *arguments):
        """Exit code, stdout and stderr of a whole process."""
        process = self.begin(*arguments)
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def until(self, what, probe):
        deadline = time.monotonic() + PATIENCE_S
        while not probe():
            self.assertLess(time.monotonic(), deadline, "never came: " + what)
            self.assertIsNone(self.first.poll(), "the first process has ended")
            time.sleep(0.01)

    def let_first_end(self):
        (self.directory / "go").touch()
        out, err = self.first.communicate(timeout=PATIENCE_S)
        self.assertEqual(self.first.returncode, COMPLETED, err)
        return json.loads(out)

    def test_a_second_run_is_told_who_owns_the_store(self):
        for arguments in (("run", "other.lua", "--id", "second"), ("run", "waits.lua", "--id", "first"),
                          ("resume", "first")):
            code, out, err = self.call(*arguments)
            self.assertEqual(code, OWNED, arguments)
            self.assertIn(str(self.first.pid), err)
            self.assertEqual(out, "")
        self.assertIsNone(self.first.poll())
        self.assertEqual(self.let_first_end()["output"], {"total": 55})

    def test_many_at_once_damage_nothing(self):
        others = [self.begin("run", "other.lua", "--id", f"other-{i}") for i in range(8)]
        for process in others:
            process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, OWNED)
        self.assertEqual(self.let_first_end()["status"], "completed")
        code, out, err = self.call("show", "first", "--json")
        self.assertEqual(code, COMPLETED, err)
        records = json.loads(out)["records"]
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        self.assertEqual([r["name"] for r in records if r["kind"] == "step_done"], [f"add {i}" for i in range(1, 11)])
        code, out, err = self.call("list", "--json")
        self.assertEqual([run["run"] for run in json.loads(out)], ["first"], err)
        code, out, err = self.call("run", "other.lua", "--id", "second", "--json")
        self.assertEqual((code, json.loads(out)["output"]), (COMPLETED, "alone"), err)

    def test_a_run_can_be_read_while_another_process_owns_the_store(self):
        code, out, err = self.call("show", "first", "--json")
        self.assertEqual(code, COMPLETED, err)
        shown = json.loads(out)
        self.assertEqual((shown["status"], shown["output"]), ("running", None))
        self.assertEqual(len([r for r in shown["records"] if r["kind"] == "step_done"]), 4)
        self.let_first_end()

    def test_the_store_is_free_once_its_owner_was_killed(self):
        self.first.kill()
        self.first.communicate()
        (self.directory / "go").touch()
        code, out, err = self.call("resume", "first", "--json")
        self.assertEqual((code, json.loads(out)["output"]), (COMPLETED, {"total": 55}), err)


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=0).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
