"""The lives of one case: the real program, begun, stopped or killed, given its signals, and resumed until the run is over.

Two ways to interrupt a run:
 - "stopped": where the case says that an invocation ends and another one follows (InvocationCompleted), the process gets
   SIGINT, which leaves the run, and `perilune resume` goes on with it. This way the log is looked at too.
 - "killed": every life kills itself right after its first new record is on disk (PERILUNE_CRASH_AT), so that each record of
   the run is the last that some life has seen.
Callback actions of a case are signals: when a callback is open and the run waits, the process is stopped, the signal is
sent with `perilune signal`, and the run is resumed. {"payload": ..}, {"failure": {..}} or {"heartbeat": true}.
Nothing here waits for a time to pass: it looks until what it waits for is there.
"""
# SPDX-License-Identifier: MIT
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from events import History
from expect import Mismatch

RUN = "the-run"
PATIENCE_S = 120
LOOK_AGAIN_S = 0.01
LEFT = 4
ENDED = ("completed", "failed", "cancelled")


class Lives:
    def __init__(self, binary, case, handler, names, way):
        self.binary, self.case, self.handler, self.names, self.way = binary, case, handler, names, way
        self.stops, self.actions = list(case.stops) if way == "stopped" else [], list(case.actions)
        self.answered = set()   # ids of callbacks that got their answer
        self.log, self.count = "", 0
        self.run, self.children = {"records": [], "status": None}, {}

    def go(self):
        """Runs the case to its end: afterwards `run` is the run as `show --json` tells it, `children` are the runs that it
        began, by id, and `log` is its log."""
        with tempfile.TemporaryDirectory(prefix="perilune-conformance-") as directory:
            self.directory = directory
            os.mkdir(Path(directory) / ".perilune")   # else one above would be taken
            deadline = time.monotonic() + PATIENCE_S
            while not self._over():
                self._live(deadline)
                self._look()
                while self._act():
                    pass
            self.log = self._answer(["logs", RUN])[1]
            for record in self.run["records"]:
                if record["kind"] == "child_started":
                    id_ = record["data"]["value"]
                    self.children[id_] = json.loads(self._answer(["show", id_, "--json"])[1])

    def _over(self):
        if self.run["status"] in ENDED:
            return True
        # A case without a result ends while the run waits.
        return self.case.result is None and self.count > 0 and len(self._history().events) >= len(self.case.expected)

    def _history(self):
        """The history so far."""
        return History(self.run["records"])

    def _process(self, arguments, environment=None, out=subprocess.PIPE, err=subprocess.PIPE):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PERILUNE")}
        return subprocess.Popen([self.binary, *arguments], cwd=self.directory, text=True, stdin=subprocess.DEVNULL,
                                stdout=out, stderr=err, env={**clean, "LC_ALL": "C.UTF-8", **(environment or {})})

    def _answer(self, arguments):
        """Exit code, stdout and stderr of a verb that answers at once."""
        process = self._process(arguments)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Mismatch(f"{arguments[0]} did not answer within {PATIENCE_S} s") from None
        return process.returncode, out, err

    def _look(self):
        """Reads the run as it stands on disk."""
        code, out, _ = self._answer(["show", RUN, "--json"])
        if code == 0:
            self.run = json.loads(out)

    # ---- a life

    def _live(self, deadline):
        arguments = ["resume", RUN, "--json"]
        if not self.run["records"]:
            text = json.dumps(self.names.fill(self.case.data.get("Input")))
            arguments = ["run", str(self.handler), "--id", RUN, "--input", text, "--json"]
        crash = {"PERILUNE_CRASH_AT": str(len(self.run["records"]) + 1)} if self.way == "killed" else {}
        self.count += 1
        with tempfile.TemporaryFile("w+") as said:
            process = self._process(arguments, crash, subprocess.DEVNULL, said)
            try:
                self._watch(process, deadline)
            finally:
                process.kill()
                process.wait()
            said.seek(0)
            problem = said.read().strip()
        # SIGINT as such: it came before the process looked for it. SIGKILL: the case killed itself, or the crash point.
        if process.returncode not in (0, 1, LEFT, -signal.SIGINT, -signal.SIGKILL):
            raise Mismatch(f"{arguments[0]} ended with {process.returncode}: {problem}")

    def _watch(self, process, deadline):
        """Until the process has ended, by itself or because it is time to interrupt it."""
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise Mismatch(f"it is not over after {PATIENCE_S} s and {self.count} lives: the run is {self.run['status']}")
            self._look()
            if self._time_to_stop():
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(timeout=PATIENCE_S)
                except subprocess.TimeoutExpired:
                    raise Mismatch(f"SIGINT did not end the process within {PATIENCE_S} s") from None
                return
            time.sleep(LOOK_AGAIN_S)

    def _time_to_stop(self):
        if self.run["status"] in ENDED:
            return False
        seen = len(self._history().events)
        if self.stops and seen >= self.stops[0]:
            self.stops.pop(0)
            return True
        return self._over() or self._next_action() is not None

    # ---- signals

    def _next_action(self):
        """The next action and the callback that it is for, when the run waits for it; or None."""
        if not self.actions or self.run["status"] != "waiting":
            return None
        wanted = self.names.fill(self.actions[0]["CallbackName"])
        for id_, name in self._history().open_callbacks():
            if id_ not in self.answered and wanted in ("*", name):
                return self.actions[0], id_, name or "callback"
        return None

    def _act(self):
        """Between two lives: sends the signal that is due. False: there is none."""
        found = self._next_action()
        if found is None:
            return False
        action, id_, name = found
        self.actions.pop(0)
        payload = self.names.fill(action.get("Payload"))
        if action["Operation"] == "heartbeat":
            answer = {"heartbeat": True}
        elif action["Operation"] == "failure":
            answer = {"failure": {"type": payload["ErrorType"], "message": payload["ErrorMessage"]}}
        else:
            answer = {} if payload is None else {"payload": payload}
        code, _, problem = self._answer(["signal", RUN, name, json.dumps(answer)])
        if code != 0:
            raise Mismatch(f"signal ended with {code}: {problem.strip()}")
        if "heartbeat" in answer:
            return False   # the next one comes in another life
        self.answered.add(id_)
        self._look()
        return True
