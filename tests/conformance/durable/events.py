"""The history of a run in the words of the durable-execution cases, made from the records of its journal.

The rules, which hold for every case (a record that stands in none of them makes no event):

| record of Perilune                          | event                                                                  |
|---|---|
| step_started, intent, or the first record   | StepStarted. Perilune notes the beginning of an attempt only when it   |
|   that ends an attempt                      |   lasts or is `once`; else it stands right before the attempt's end    |
| step_done                                   | StepSucceeded                                                          |
| attempt_failed, step_failed                 | StepFailed; the delay is `retry_at` less the time of the record        |
| timer_set, timer_fired (sleep)              | WaitStarted, WaitSucceeded; the duration is what was set               |
| scope_opened, branch_joined                 | ContextStarted, ContextSucceeded of a Parallel or Map. Also when the   |
|                                             |   join raises: there, an operation of this kind never fails by itself  |
| branch_started, branch_done of a branch     | ContextStarted, ContextSucceeded/Failed of ParallelBranch/MapIteration |
| branch_started, branch_done of a spawned    | the same of a RunInChildContext, or by the name of the task:           |
|   task                                      |   "wait_for_callback NAME" is a WaitForCallback, and "callback NAME" a |
|                                             |   Callback: CallbackStarted, then CallbackSucceeded, CallbackFailed,   |
|                                             |   or with the code `timeout` CallbackTimedOut                          |
| child_started, child_done                   | ChainedInvokeStarted, ChainedInvokeSucceeded/Failed. Its input and     |
|                                             |   version stand in the child's own run                                 |
| run_done                                    | ExecutionSucceeded, ExecutionFailed                                    |

 - A task or branch that ends by cancellation makes no event: the cases know no cancellation.
 - A receive has one kind of time-out: it is told as Timeout and as HeartbeatTimeout.
 - What a callback's task does beside, its receives, makes no events.
 - A `loop` is a WaitForCondition, and its steps are the polls: they have the loop's id and name, and the pause that follows
   is not a wait but the delay until the next poll.
 - Ids: "TASK#OP" of an operation, "TASK" of a task. The parent is the innermost context around.
"""
# SPDX-License-Identifier: MIT
import json
from datetime import datetime


def seconds_between(record, until_us):
    """Whole seconds from the record's time to a moment."""
    at = datetime.fromisoformat(record["at"].replace("Z", "+00:00"))
    return round(until_us / 1e6 - at.timestamp())


def parent_task(task):
    return task.rpartition(".")[0]


class History:
    """Reads records one after the other; `events` is what they come to."""

    def __init__(self, records, children=None):
        """`children`: the runs that it began, by id, as `show --json` tells them."""
        self.events = []
        self._children = children or {}
        self._calls = {}      # open calls by task and workflow, innermost last: the event
        self._contexts = {}   # spawned tasks and branches: (subtype, name, parent id)
        self._scopes = {}     # open and past scopes by id: (subtype, name, parent id)
        self._attempts = {}   # of a step: how many StepStarted, and whether the last is still open
        self._waits = {}      # timers that are set: the event
        self._loops = {}      # open loops of a task, innermost last: (id, name)
        self._polls = {}      # of a task: its last StepSucceeded in a loop
        for record in records:
            read = getattr(self, "_" + record["kind"], None)
            if read is not None:
                read(record, record["data"] if isinstance(record["data"], dict) else {})

    def open_callbacks(self):
        """Ids and names of callbacks that have begun and not ended, the oldest first."""
        ended = {e["Id"] for e in self.events if e["EventType"].startswith("Callback") and e["EventType"] != "CallbackStarted"}
        return [(e["Id"], e.get("Name")) for e in self.events if e["EventType"] == "CallbackStarted" and e["Id"] not in ended]

    # ---- events

    def _add(self, kind, subtype, id_, name, parent, details):
        event = {"EventType": kind, "SubType": subtype, "Id": id_, kind + "Details": details}
        if name:
            event["Name"] = name
        if parent:
            event["ParentId"] = parent
        self.events.append(event)
        return event

    def _context_of(self, task):
        """The id of the innermost context that code of the task is in."""
        return task if task in self._contexts else None

    def _in_callback(self, task):
        return self._contexts.get(task, ("",))[0] == "Callback"

    @staticmethod
    def _result(data):
        return {"Result": {"Payload": json.dumps(data["value"])}} if "value" in data else {}

    @staticmethod
    def _error(error):
        return {"Error": {"Payload": {"ErrorType": error.get("code"), "ErrorMessage": error.get("message")}}}

    # ---- steps

    def _step(self, record):
        """What a step's events have in common: subtype, id, name, parent."""
        task = record["task"]
        if self._loops.get(task):
            return ("WaitForCondition", *self._loops[task][-1], self._context_of(task))
        return "Step", f"{task}#{record['op']}", record["name"], self._context_of(task)

    def _step_started(self, record, _):
        key = (record["task"], record["op"])
        count, is_open = self._attempts.get(key, (0, False))
        if not is_open:
            self._add("StepStarted", *self._step(record), {})
            self._attempts[key] = (count + 1, True)

    _intent = _step_started

    def _attempt_ended(self, record):
        """The number of the attempt that ends here."""
        self._step_started(record, {})
        key = (record["task"], record["op"])
        self._attempts[key] = (self._attempts[key][0], False)
        return self._attempts[key][0]

    def _step_done(self, record, data):
        attempt = self._attempt_ended(record)
        details = {**self._result(data), "RetryDetails": {"CurrentAttempt": attempt}}
        event = self._add("StepSucceeded", *self._step(record), details)
        if self._loops.get(record["task"]):
            self._polls[record["task"]] = event

    def _step_failed(self, record, data):
        attempt = self._attempt_ended(record)
        details = {**self._error(data.get("error", {})), "RetryDetails": {"CurrentAttempt": attempt}}
        if data.get("retry_at"):
            details["RetryDetails"]["NextAttemptDelaySeconds"] = seconds_between(record, data["retry_at"])
        self._add("StepFailed", *self._step(record), details)

    _attempt_failed = _step_failed

    # ---- waits, loops

    def _timer_set(self, record, data):
        task, duration = record["task"], seconds_between(record, data["due"])
        if self._in_callback(task):
            started = next(e for e in self.events if e["EventType"] == "CallbackStarted" and e["Id"] == task)
            for name in ("Timeout", "HeartbeatTimeout"):
                started["CallbackStartedDetails"].setdefault(name, duration)
        elif self._loops.get(task):
            if task in self._polls:
                self._polls[task]["StepSucceededDetails"]["RetryDetails"]["NextAttemptDelaySeconds"] = duration
        else:
            name = "" if record["name"] == "sleep" else record["name"]
            id_ = f"{task}#{record['op']}"
            self._waits[id_] = self._add("WaitStarted", "Wait", id_, name, self._context_of(task), {"Duration": duration})

    def _timer_fired(self, record, _):
        started = self._waits.pop(f"{record['task']}#{record['op']}", None)
        if started is not None:
            self._add("WaitSucceeded", "Wait", started["Id"], started.get("Name"), started.get("ParentId"),
                      dict(started["WaitStartedDetails"]))

    def _loop_started(self, record, _):
        loop = (f"{record['task']}#{record['op']}", record["name"])
        self._loops.setdefault(record["task"], []).append(loop)

    def _loop_done(self, record, _):
        self._loops[record["task"]].pop()
        self._polls.pop(record["task"], None)

    # ---- contexts and callbacks

    def _scope_opened(self, record, data):
        subtype = "Map" if data["call"] == "map" else "Parallel"
        id_ = f"{record['task']}#{record['op']}"
        self._scopes[id_] = (subtype, record["name"], self._context_of(record["task"]))
        self._add("ContextStarted", subtype, id_, *self._scopes[id_][1:], {})

    def _branch_joined(self, record, data):
        id_ = f"{record['task']}#{record['op']}"
        subtype, name, parent = self._scopes[id_]
        self._add("ContextSucceeded", subtype, id_, name, parent, {"Result": {"Payload": json.dumps(data)}})

    def _branch_started(self, record, data):
        task, label = record["task"], json.loads(record["name"])
        above = parent_task(task)
        if "scope" in data:
            scope = f"{above}#{data['scope']}"
            subtype = "MapIteration" if self._scopes[scope][0] == "Map" else "ParallelBranch"
            context = (subtype, str(label), scope)
        else:
            first, _, rest = label.partition(" ")
            known = {"callback": "Callback", "wait_for_callback": "WaitForCallback"}.get(first)
            context = (known or "RunInChildContext", rest if known else label, self._context_of(above))
        self._contexts[task] = context
        callback = context[0] == "Callback"
        self._add("CallbackStarted" if callback else "ContextStarted", context[0], task, *context[1:],
                  {"CallbackId": task} if callback else {})

    def _branch_done(self, record, data):
        subtype, name, parent = self._contexts[record["task"]]
        what = "Callback" if subtype == "Callback" else "Context"
        error = data.get("error")
        if error is None:
            self._add(what + "Succeeded", subtype, record["task"], name, parent, self._result(data))
        elif data.get("cancelled"):
            return
        elif what == "Callback" and error.get("code") == "timeout":
            details = self._error({**error, "code": "Callback.Timeout"})
            self._add("CallbackTimedOut", subtype, record["task"], name, parent, details)
        else:
            self._add(what + "Failed", subtype, record["task"], name, parent, self._error(error))

    # ---- calls and the end

    def _child_started(self, record, data):
        child = self._children.get(data["value"], {})
        details = {"FunctionName": record["name"], "Input": {"Payload": json.dumps(child.get("input"))},
                   "ExecutedVersion": child.get("workflow_version"), "DurableExecutionArn": data["value"]}
        event = self._add("ChainedInvokeStarted", "ChainedInvoke", f"{record['task']}#{record['op']}", record["name"],
                          self._context_of(record["task"]), details)
        self._calls.setdefault((record["task"], record["name"]), []).append(event)

    def _child_done(self, record, data):
        started = self._calls[record["task"], record["name"]].pop()
        failed = "error" in data
        self._add("ChainedInvoke" + ("Failed" if failed else "Succeeded"), "ChainedInvoke", started["Id"], record["name"],
                  started.get("ParentId"), self._error(data["error"]) if failed else self._result(data))

    def _run_done(self, record, data):
        good = record["name"] == "completed"
        kind = "ExecutionSucceeded" if good else "ExecutionFailed"
        self._add(kind, "Execution", "", "", None, self._result(data) if good else self._error(data.get("error", {})))
