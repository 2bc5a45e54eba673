#!/usr/bin/env python3
"""Questions through the program: a run asks, somebody answers with `perilune answer`, the run goes on; also over kills.

Each test has a directory of its own. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

DEPLOY = """
step("build", function() file.append("did", "build\\n") end)
local answer, by = ask("Deploy to production?", { choices = { "yes", "no" }, to = "ops", timeout = "1h", default = "no" })
if answer == "yes" then step("deploy", function() file.append("did", "deploy\\n") end) end
return { answer = answer, by = by }
"""
TWO = """
return parallel {
  who  = function() return (ask("Who?")) end,
  much = function() return (ask("How much?", { choices = { 1, 2.5 } })) end,
}
"""


class Asking(CliWorld):
    def asked(self, script, *names):
        """A run that stands waiting for answers, left by its process."""
        process = self.begin("run", self.write("ask.lua", script), "--id", "a")
        self.until("its questions", lambda: sorted(names) == sorted(self.questions()))
        process.terminate()
        _, err = process.communicate()
        self.assertEqual(process.returncode, 4)
        return err

    def questions(self):
        result = self.perilune("status", "a", "--json")
        waits = result.json()["waits"] if result.code == 0 else []
        return {wait["name"]: wait["question"] for wait in waits if wait["for"] == "answer"}

    def did(self):
        with open(self.path("did")) as lines:
            return lines.read().split()

    def test_the_command_that_answers_is_shown_and_works(self):
        err = self.asked(DEPLOY, "Deploy to production?")
        number = self.questions()["Deploy to production?"]
        command = f"perilune answer a --question {number} yes"
        self.assertEqual(err.count(command), 2, err)   # when it was asked, and when the run was left
        shown = self.perilune("status", "a").out
        self.assertIn(command, shown)
        self.assertIn("asks ops: 'Deploy to production?'", shown)
        self.assertIn("Deploy to production?", self.perilune("show", "a").out)
        done = self.perilune(*command.split()[1:], "--by", "ana@desk")
        self.assertEqual((done.code, done.out), (0, ""), done.err)
        self.assertIn("perilune resume a", done.err)
        self.assertEqual(self.questions(), {})
        done = self.perilune("resume", "a")
        self.assertEqual(done.json(), {"answer": "yes", "by": "ana@desk"}, done.err)
        self.assertEqual(self.did(), ["build", "deploy"])

    def test_a_wrong_answer_is_refused_and_says_what_would_be_right(self):
        self.asked(DEPLOY, "Deploy to production?")
        for words, code, said in ((["a", "maybe"], 3, 'none of the choices: "yes", "no"'),
                                  (["a", "--question", "99", "yes"], 2, "has no question 99; open: question"),
                                  (["nobody", "yes"], 2, "no run 'nobody'")):
            refused = self.perilune("answer", *words)
            self.assertEqual(refused.code, code, refused.err)
            self.assertIn(said, refused.err)
        self.assertEqual(self.perilune("answer", "a", "no", "--json", "--by", "ben").json(),
                         {"run": "a", "question": 3, "value": "no", "by": "ben"})
        again = self.perilune("answer", "a", "--question", "3", "yes")
        self.assertEqual(again.code, 2)
        self.assertIn("was answered already, by ben", again.err)
        self.assertEqual(self.perilune("resume", "a").json(), {"answer": "no", "by": "ben"})
        over = self.perilune("answer", "a", "--question", "3", "yes")
        self.assertEqual(over.code, 2)

    def test_several_questions_and_json_values(self):
        self.asked(TWO, "Who?", "How much?")
        several = self.perilune("answer", "a", "1")
        self.assertEqual(several.code, 2)
        self.assertIn("'How much?'", several.err)
        numbers = self.questions()
        text = self.perilune("answer", "a", "--question", str(numbers["Who?"]), "ana")
        self.assertEqual(text.code, 3)
        self.assertIn("'\"ana\"'", text.err)
        self.assertEqual(self.perilune("answer", "a", "--question", str(numbers["Who?"]), '{"name": "ana"}').code, 0)
        self.assertEqual(self.perilune("answer", "a", "2.5").code, 0)
        self.assertEqual(self.perilune("resume", "a").json(), {"who": {"name": "ana"}, "much": 2.5})

    def test_a_run_is_answered_while_its_process_lives(self):
        process = self.begin("run", self.write("ask.lua", DEPLOY), "--id", "a", "--json")
        self.until("its question", self.questions)
        refused = self.perilune("answer", "a", "--question", "99", "yes")
        self.assertEqual(refused.code, 2)
        self.assertEqual(self.perilune("answer", "a", "yes", "--by", "ana").code, 0)
        out, err = process.communicate()
        self.assertEqual(process.returncode, 0, err)
        self.assertIn('"answer":"yes"', out)
        self.assertIn("by ana", err)

    def test_killed_at_each_record_of_asking_and_of_going_on(self):
        script = self.write("ask.lua", DEPLOY)
        for asking in (1, 2, 3):          # run_started, step_done build, ask_opened
            for going_on in (5, 6):       # 4 is the answer; step_done deploy, run_done
                run = f"killed-{asking}-{going_on}"
                self.write("did", "")
                killed = self.perilune("run", script, "--id", run, env={"PERILUNE_CRASH_AT": str(asking)})
                self.assertNotIn(killed.code, (0, 4))
                self.perilune("resume", run, env={"PERILUNE_CRASH_AT": "3"}) if asking < 3 else None
                self.assertEqual(self.perilune("answer", run, "yes", "--by", "ana").code, 0)
                self.perilune("resume", run, env={"PERILUNE_CRASH_AT": str(going_on)})
                if going_on < 6:
                    done = self.perilune("resume", run)
                    self.assertEqual(done.json(), {"answer": "yes", "by": "ana"}, done.err)
                shown = self.perilune("show", run, "--json").json()
                self.assertEqual((shown["status"], shown["output"]), ("completed", {"answer": "yes", "by": "ana"}))
                self.assertEqual([r["kind"] for r in shown["records"]],
                                 ["run_started", "step_done", "ask_opened", "ask_answered", "step_done", "run_done"])
                self.assertEqual(self.did()[-1], "deploy")


if __name__ == "__main__":
    run_all()
