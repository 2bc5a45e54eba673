#!/usr/bin/env python3
"""What the command line refuses, and how: bad input and scripts, wrong words and settings, stores that can't be used.

The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import contextlib
import os
import shutil
import sqlite3
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import HELLO, CliWorld, run_all  # noqa: E402

CHECKED = """
local w = workflow { name = "checked", version = 3, input = { n = { type = "integer", minimum = 1 } } }
function w.run(input) return { doubled = input.n * 2 } end
return w
"""


class Refusals(CliWorld):
    # ---- input and scripts

    def test_bad_input_ends_with_3_and_says_where(self):
        script = self.write("checked.lua", CHECKED)
        self.assertEqual(self.perilune("run", script, "--input", '{"n":2}').json(), {"doubled": 4})
        broken = self.perilune("run", script, "--input", '{\n"n": oops}')
        self.assertEqual(broken.code, 3)
        self.assertIn("line 2, column 6", broken.err)
        wrong = self.perilune("run", script, "--input", '{"n":0}', "--json")
        self.assertEqual((wrong.code, wrong.json()["error"]["code"]), (3, "validation"))
        self.assertIn("minimum 1", wrong.err)
        self.assertEqual(self.perilune("run", script, "--input", "@absent.json").code, 3)
        self.assertEqual(len(self.listed()), 1)

    def test_a_number_that_is_too_large_is_named(self):
        result = self.perilune("run", self.write("hello.lua", HELLO), "--input", '{"n": 1e400}')
        self.assertEqual(result.code, 3)
        self.assertIn("the number 1e400 is too large", result.err)
        self.assertNotIn("exception", result.err)

    def test_a_script_may_begin_as_files_of_programs_do(self):
        Path(self.path("mark.lua")).write_bytes(b"\xef\xbb\xbf#!/usr/bin/env perilune\r\n" + HELLO.encode())
        self.assertEqual(self.perilune("run", "mark.lua").json(), {"hello": "world"})

    def test_a_bad_script_ends_with_3(self):
        self.assertEqual(self.perilune("run", "absent.lua").code, 3)
        self.assertIn("absent.lua", self.perilune("run", "absent.lua").err)
        broken = self.perilune("run", self.write("broken.lua", "local x = = 1\n"))
        self.assertEqual(broken.code, 3)
        self.assertIn("broken.lua:1", broken.err)
        self.assertEqual(self.perilune("run", ".").code, 3)
        self.assertEqual(self.listed(), [])

    # ---- words

    def test_wrong_words_name_the_nearest(self):
        for arguments, near in [(["rnu"], "'run'"), (["list", "--staus", "x"], "'--status'"),
                                (["list", "--status", "runing"], "'running'"), (["hello.lua"], "perilune run hello.lua")]:
            result = self.perilune(*arguments)
            self.assertEqual(result.code, 2, result.err)
            self.assertIn(near, result.err)
            self.assertIn("try: ", result.err)
        for arguments in [[], ["run"], ["list", "extra"], ["list", "--limit", "many"], ["list", "--since", "soon"],
                          ["show", "absent"], ["cancel", "absent"], ["run", "x.lua", "--id"]]:
            self.assertIn(self.perilune(*arguments).code, (2, 3), arguments)

    def test_a_limit_is_a_whole_number(self):
        for limit in ["abc", "-1", "1.5", "1e3", "9" * 30]:
            result = self.perilune("list", "--limit=" + limit)
            self.assertEqual(result.code, 2, limit)
            self.assertIn("a whole number from 1", result.err)
            self.assertLess(len(result.err), 200)

    # ---- settings, doctor, version, stores that can't be used

    def test_doctor_shows_settings_with_their_source(self):
        self.write("perilune.json", '{"limits": {"memory": "64MiB"}}')
        result = self.perilune("doctor", "--json", env={"PERILUNE_LIMITS_CPU": "3s"})
        found = {setting["name"]: setting for setting in result.json()["settings"]}
        self.assertEqual((found["limits.cpu"]["value"], found["limits.cpu"]["source"]), ("3s", "PERILUNE_LIMITS_CPU"))
        self.assertTrue(found["limits.memory"]["source"].endswith("perilune.json"))
        self.assertEqual(found["limits.payload"]["source"], "default")
        self.assertEqual(result.code, 0)
        self.assertIn("limits.memory", self.perilune("doctor").out)

    def test_a_wrong_setting_ends_with_2_and_names_the_nearest(self):
        self.write("perilune.json", '{"limits": {"memry": "64MiB"}}')
        result = self.perilune("run", self.write("hello.lua", HELLO))
        self.assertEqual(result.code, 2)
        self.assertIn("'memory'", result.err)

    def test_a_wrong_variable_ends_with_2_and_names_the_nearest(self):
        result = self.perilune("run", self.write("hello.lua", HELLO), env={"PERILUNE_STOER": "x.db"})
        self.assertEqual(result.code, 2)
        self.assertIn("did you mean 'PERILUNE_STORE'?", result.err)
        self.assertEqual(self.perilune("run", "hello.lua", env={"PERILUNE_SEED": "1", "PERILUNE": "x"}).code, 0)

    def test_version(self):
        self.assertEqual(set(self.perilune("version", "--json").json()), {"perilune", "lua", "libuv", "sqlite", "curl"})
        self.assertRegex(self.perilune("--version").out, r"^perilune \d+\.\d+\.\d+ \(lua 5\.4")

    def test_stores_that_cannot_be_used(self):
        script = self.write("hello.lua", HELLO)
        self.write("not.db", "this is no database, however long one looks at it. " * 100)
        for verb in [["run", script], ["list"], ["doctor"]]:
            self.assertEqual(self.perilune(*verb, "--store", "not.db").code, 65, verb)
        self.assertEqual(self.perilune("run", script, "--store", "absent/x.db").code, 74)
        self.assertEqual(self.perilune("run", script, "--store", "postgres://x").code, 2)
        self.assertEqual(self.perilune("run", script, "--store", "sqlite::memory:").code, 2)
        self.assertFalse(os.path.exists(self.path(":memory:")))
        self.perilune("run", script, "--store", "new.db")
        with sqlite3.connect(self.path("new.db")) as db:
            db.execute("pragma user_version = 999")
        for verb in [["run", script], ["list"], ["doctor"]]:
            self.assertEqual(self.perilune(*verb, "--store", "new.db").code, 78, verb)

    def test_a_damaged_journal_ends_with_65_and_nothing_runs(self):
        process, run = self.sleeping(3600)
        self.end(process)
        shutil.copytree(self.path(".perilune"), self.path("whole"))
        for damage, said in [("delete from records where seq = 2", "not whole"),
                             ("update records set kind = 999 where seq = 2", "unknown kind 999"),
                             ("delete from bundles", "the code"),
                             ("update bundles set content = x'78'", "the stored code")]:
            shutil.rmtree(self.path(".perilune"))
            shutil.copytree(self.path("whole"), self.path(".perilune"))
            with contextlib.closing(sqlite3.connect(self.path(".perilune/perilune.db"))) as db, db:
                db.execute(damage)
            resumed = self.perilune("resume", run)
            self.assertEqual(resumed.code, 65, damage + resumed.err)
            self.assertIn(said, resumed.err)
            self.assertEqual(self.listed()[0]["status"], "waiting")


if __name__ == "__main__":
    run_all()
