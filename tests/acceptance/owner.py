#!/usr/bin/env python3
"""Two processes and one store: the owner does what the second asks for, nothing is damaged, and a killed owner is survived.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import shutil
import signal
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

    def test_a_second_run_is_executed_by_the_owner(self):
        code, out, err = self.call("run", "other.lua", "--id", "second", "--json")
        told = json.loads(out)
        self.assertEqual((code, told["status"], told["output"]), (COMPLETED, "completed", "alone"), err)
        self.assertGreater(told["records"], 2)
        self.assertIn("step other done", err)
        self.assertIsNone(self.first.poll())
        self.assertEqual(self.let_first_end()["output"], {"total": 55})

    def test_the_same_run_is_waited_for_by_both(self):
        others = [self.begin("run", "waits.lua", "--id", "first", "--json"), self.begin("resume", "first", "--json")]
        self.until("both are connected", lambda: self.sockets_of_the_owner() >= 2)
        self.assertEqual(self.let_first_end()["output"], {"total": 55})
        for process in others:
            out, err = process.communicate(timeout=PATIENCE_S)
            self.assertEqual((process.returncode, json.loads(out)["output"]), (COMPLETED, {"total": 55}), err)

    def sockets_of_the_owner(self):
        file = os.stat(self.directory / ".perilune/perilune.db")
        lines = Path("/proc/net/unix").read_text().splitlines()
        return sum(line.endswith(f" @perilune/{file.st_dev}/{file.st_ino}") for line in lines) - 1   # one of them listens

    def test_the_owner_stays_for_the_runs_of_others(self):
        (self.directory / "long.lua").write_text('return receive("go")\n')
        other = self.begin("run", "long.lua", "--id", "long", "--json")
        self.until("the other run waits", lambda: self.status_of("long") == "waiting")
        (self.directory / "go").touch()
        self.until("the first run is over", lambda: self.status_of("first") == "completed")
        self.assertIsNone(self.first.poll())
        self.assertEqual(self.call("signal", "long", "go", '{"n":1}')[0], COMPLETED)
        out, err = other.communicate(timeout=PATIENCE_S)
        self.assertEqual(json.loads(out)["output"], {"n": 1}, err)
        out, err = self.first.communicate(timeout=PATIENCE_S)
        self.assertEqual(json.loads(out)["output"], {"total": 55}, err)

    def status_of(self, run):
        code, out, err = self.call("show", run, "--json")
        return json.loads(out)["status"] if code == COMPLETED else None

    def test_what_operators_do_reaches_runs_that_are_executed(self):
        (self.directory / "long.lua").write_text('return receive("go")\n')
        waiting = {run: self.begin("run", "long.lua", "--id", run) for run in ("a", "b", "c")}
        for run in waiting:
            self.until(run + " waits", lambda: self.status_of(run) == "waiting")
        self.assertEqual(self.call("pause", "a")[0], COMPLETED)
        self.assertEqual(self.call("cancel", "b")[0], COMPLETED)
        self.assertEqual(self.call("abort", "c", "--yes")[0], COMPLETED)
        codes = {}
        for run, process in waiting.items():
            process.communicate(timeout=PATIENCE_S)
            codes[run] = process.returncode
        self.assertEqual(codes, {"a": 4, "b": 1, "c": 1})
        self.assertEqual([self.status_of(run) for run in "abc"], ["paused", "cancelled", "cancelled"])
        code, out, err = self.call("retry", "b")
        self.assertEqual(code, 2)
        self.assertIn("only a run that failed can be tried again", err)
        self.assertEqual(self.let_first_end()["status"], "completed")

    def test_a_guest_that_is_killed_leaves_its_run_to_the_owner(self):
        (self.directory / "long.lua").write_text('return receive("go")\n')
        guest = self.begin("run", "long.lua", "--id", "long")
        self.until("the other run waits", lambda: self.status_of("long") == "waiting")
        guest.kill()
        guest.communicate()
        self.assertEqual(self.call("signal", "long", "go", "7")[0], COMPLETED)
        self.until("it is over", lambda: self.status_of("long") == "completed")
        self.let_first_end()

    def test_an_owner_that_is_killed_leaves_the_runs_of_its_guests_resumable(self):
        (self.directory / "long.lua").write_text('return receive("go")\n')
        guest = self.begin("run", "long.lua", "--id", "long")
        self.until("the other run waits", lambda: self.status_of("long") == "waiting")
        self.first.kill()
        self.first.communicate()
        out, err = guest.communicate(timeout=PATIENCE_S)
        self.assertEqual(guest.returncode, 4)
        self.assertIn("perilune resume long", err)
        self.assertEqual(self.call("signal", "long", "go", "7")[0], COMPLETED)
        code, out, err = self.call("resume", "long")
        self.assertEqual((code, json.loads(out)), (COMPLETED, 7), err)

    def test_many_at_once_damage_nothing(self):
        others = [self.begin("run", "other.lua", "--id", f"other-{i}") for i in range(8)]
        for process in others:
            process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, COMPLETED)
        self.assertEqual(self.let_first_end()["status"], "completed")
        code, out, err = self.call("show", "first", "--json")
        self.assertEqual(code, COMPLETED, err)
        records = json.loads(out)["records"]
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        self.assertEqual([r["name"] for r in records if r["kind"] == "step_done"], [f"add {i}" for i in range(1, 11)])
        code, out, err = self.call("list", "--json")
        self.assertEqual(sorted(run["run"] for run in json.loads(out)), ["first"] + [f"other-{i}" for i in range(8)], err)

    def test_an_owner_that_answers_nobody_is_named(self):
        os.kill(self.first.pid, signal.SIGSTOP)
        try:
            other = self.begin("run", "other.lua")
            line = other.stderr.readline()
            self.assertIn(f"process {self.first.pid} has the store and has not answered yet", line)
            other.send_signal(signal.SIGINT)
            out, err = other.communicate(timeout=PATIENCE_S)
            self.assertEqual((other.returncode, out), (OWNED, ""))
            self.assertIn(str(self.first.pid), err)
        finally:
            os.kill(self.first.pid, signal.SIGCONT)
        self.let_first_end()

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
