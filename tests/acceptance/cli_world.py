"""A directory of its own for each test of the command line, and the program in it.

Drives $PERILUNE (or $PERILUNE_BINARY, else build/release/perilune). For cli_test.py and its neighbours.
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
BINARY = os.environ.get("PERILUNE") or os.environ.get("PERILUNE_BINARY") or str(TOP / "build/release/perilune")
PATIENCE_S = 60

HELLO = 'return { hello = input.name or "world" }\n'
SLEEPS = """
step("before", function() return 1 end)
sleep(SECONDS)
step("after", function() return 2 end)
return { woke = true }
"""


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self):
        return json.loads(self.out)


class CliWorld(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="perilune-cli-")
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
        self.environment.update(LC_ALL="C.UTF-8", TZ="UTC")
        os.mkdir(self.path(".perilune"))  # else one above would be taken

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        Path(self.path(name)).write_text(text)
        return name

    def perilune(self, *arguments, stdin="", env=None):
        done = subprocess.run([BINARY, *arguments], cwd=self.directory, env={**self.environment, **(env or {})},
                              input=stdin, capture_output=True, text=True, timeout=PATIENCE_S)
        return Result(done)

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

    def until(self, what, probe):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.02)
        self.fail("never came: " + what)

    def sleeping(self, seconds, *more):
        """A run that waits, in a living process: (process, id)."""
        script = self.write("sleeps.lua", SLEEPS.replace("SECONDS", str(seconds)))
        process = self.begin("run", script, *more)
        probe = lambda: [r["run"] for r in self.listed() if r["status"] == "waiting"]
        return process, self.until("a waiting run", probe)[0]

    def listed(self, *arguments):
        result = self.perilune("list", "--json", *arguments)
        return result.json() if result.code == 0 else []


def run_all():
    """The whole of a test file, as scripts/test wants it: the last line is `N passed, N failed`."""
    program = unittest.main(exit=False, verbosity=1)
    bad = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
