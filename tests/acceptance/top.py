#!/usr/bin/env python3
"""perilune top: the table without a terminal, and the screen with its keys on a terminal of its own.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import BINARY, PATIENCE_S, CliWorld, run_all  # noqa: E402

WAITS = 'step("before", function() return 1 end) receive("go")'
FLAKY = 'if this.attempt < 2 then step("once", { retry = 1 }, function() fail("not yet") end) end return "better"'
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A top on a pty, and what its screen shows: the last drawing, without colours."""

    def __init__(self, test, *arguments, rows=12, columns=100):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave, self.columns, self.all = slave, columns, ""
        environment = {**test.environment, "TERM": "xterm"}
        environment.pop("COLUMNS", None)
        self.process = subprocess.Popen([BINARY, "top", *arguments], cwd=test.directory, env=environment, stdin=slave,
                                        stdout=slave, stderr=slave, start_new_session=True)
        test.addCleanup(self.close)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def read(self, patience_s):
        if select.select([self.master], [], [], patience_s)[0]:
            self.all += os.read(self.master, 65536).decode("utf-8", "replace")

    def screen(self):
        drawn = self.all.split("\x1b[H")[-1]
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn).replace("\r", "")

    def until(self, what, condition):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if condition(self.screen()):
                return self.screen()
            self.read(0.2)
        raise AssertionError(f"never came: {what}; the screen shows\n{self.screen()}")

    def press(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        while self.process.poll() is None:
            self.read(0.1)
        self.read(0)
        return self.process.returncode


class Top(CliWorld):
    def status(self, run):
        return self.perilune("status", run, "--json").json()["status"]

    def waiting(self, run):
        process = self.begin("run", self.write("waits.lua", WAITS), "--id", run, "--quiet")
        self.until("it waits", lambda: any(r["run"] == run and r["status"] == "waiting" for r in self.listed()))
        return process

    def test_without_a_terminal_there_is_one_table(self):
        self.waiting("w")
        self.perilune("run", self.write("flaky.lua", FLAKY), "--id", "f")
        told = self.perilune("top")
        self.assertEqual(told.code, 0, told.err)
        lines = told.out.splitlines()
        self.assertEqual(lines[0].split(), ["RUN", "WORKFLOW", "STATUS", "AGE", "STEPS", "NOW"])
        self.assertRegex(lines[1], r"^w +waits +waiting +\S+ +1 +waits for signal 'go'$")
        self.assertRegex(lines[2], r"^f +flaky +failed +\S+ +- +.*not yet")
        self.assertNotIn("\x1b", told.out)
        rows = self.perilune("top", "--json").json()
        self.assertEqual([(r["run"], r["status"], r["steps_done"], r["waits"]) for r in rows],
                         [("w", "waiting", 1, 1), ("f", "failed", None, 0)])

    def test_a_run_appears_goes_on_and_ends_on_the_screen(self):
        terminal = Terminal(self)
        terminal.until("the empty table", lambda screen: "0 unfinished runs" in screen)
        process = self.waiting("w")
        shown = terminal.until("the run", lambda screen: "waits for signal 'go'" in screen and "1 unfinished" in screen)
        self.assertTrue(all(len(line) <= terminal.columns for line in shown.split("\n")))
        self.assertEqual(self.perilune("signal", "w", "go").code, 0)
        self.assertEqual(process.wait(), 0)
        terminal.until("its end", lambda screen: "completed" in screen and "0 unfinished runs" in screen)
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(ENTER, terminal.all)
        self.assertTrue(terminal.all.rstrip().endswith(LEAVE))
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)

    def test_keys_look_at_a_run_cancel_it_and_try_another_again(self):
        self.perilune("run", self.write("flaky.lua", FLAKY), "--id", "f")
        process = self.waiting("w")
        terminal = Terminal(self)
        terminal.until("both", lambda screen: "waits for signal" in screen and "not yet" in screen)
        terminal.press("\r")
        terminal.until("the page of the run", lambda screen: "moved by: the signal" in screen and "perilune signal w go" in screen)
        terminal.press("\r")
        terminal.until("the table", lambda screen: "RUN" in screen and "c: cancel" in screen)
        terminal.press("c")
        terminal.until("the question", lambda screen: "cancel w, and undo what it did? y/n" in screen)
        terminal.press("n")
        terminal.until("its withdrawal", lambda screen: "not cancelled" in screen)
        self.assertEqual(self.status("w"), "waiting")
        terminal.press("c")
        terminal.until("the question", lambda screen: "y/n" in screen)
        terminal.press("y")
        terminal.until("the cancelled run", lambda screen: re.search(r"w +waits +cancelled", screen))
        self.assertEqual(process.wait(PATIENCE_S), 1)
        terminal.press("\x1b[B" if terminal.screen().split("\n")[2].startswith("w") else "\x1b[A")
        terminal.press("\x1b[A" if terminal.screen().split("\n")[2].startswith("f") else "\x1b[B")
        terminal.press("r")
        terminal.until("the run that was tried again", lambda screen: re.search(r"f +flaky +completed", screen))
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)

    def test_what_a_key_cannot_do_is_said(self):
        self.perilune("run", self.write("ok.lua", "return 1"), "--id", "done")
        terminal = Terminal(self)
        terminal.until("the run", lambda screen: "completed" in screen)
        terminal.press("c")
        terminal.until("why not", lambda screen: "it is over already" in screen)
        terminal.press("r")
        terminal.until("why not", lambda screen: "retry done: perilune:" in screen)
        terminal.press("\x03")
        self.assertEqual(terminal.end(), 0)

    def test_the_terminal_is_given_back_when_it_is_told_to_end(self):
        terminal = Terminal(self)
        terminal.until("the table", lambda screen: "unfinished runs" in screen)
        terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.all.rstrip().endswith(LEAVE))
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)


if __name__ == "__main__":
    run_all()
