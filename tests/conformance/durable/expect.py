"""What a case expects, and the comparison with what happened.

 - `${GEN_STR:n}` in Variables is n letters and digits, made anew for each life of a case. Other `${NAMES}` take the value
   that they first meet; two names never stand for one value. `${/re/}` is a pattern, '*' is anything that is there.
 - The events are compared in order, one to one. EventId, EventTimestamp and InvocationCompleted are not compared, and
   fields that the case does not list are free; but an event without ParentId must have no parent.
 - A list that ends with InvocationCompleted or an Execution... event is complete: nothing but the execution's end may
   follow. Of another list (8-11 and 9-11 say so in words) what follows is free.
 - Payloads are compared as JSON.
"""
# SPDX-License-Identifier: MIT
import json
import re
import string

FREE_FIELDS = ("EventId", "EventTimestamp")
PATTERN = re.compile(r"^\$\{/(.*)/\}$")
VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
GENERATED = re.compile(r"^\$\{GEN_STR:(\d+)\}$")


class Mismatch(Exception):
    """What differs, and where."""


class Names:
    """The variables of a case and what they stand for."""

    def __init__(self, variables, random):
        self.values, self._met = {}, set()
        for name, text in (variables or {}).items():
            generated = GENERATED.match(text)
            letters = string.ascii_lowercase + string.digits
            self.values[name] = "".join(random.choices(letters, k=int(generated[1]))) if generated else text

    def copy(self):
        other = Names({}, None)
        other.values, other._met = dict(self.values), set(self._met)
        return other

    def fill(self, value):
        """The value with all variables replaced. Raises KeyError for one that stands for nothing yet."""
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: self.values[found[1]], value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return value

    def meet(self, name, actual, where):
        """A variable alone: bound at its first meeting."""
        if name not in self.values:
            if not isinstance(actual, str) or not actual or actual in self._met:
                raise Mismatch(f"{where}: ${{{name}}} cannot stand for {actual!r}")
            self.values[name] = actual
            self._met.add(actual)
        if self.values[name] != actual:
            raise Mismatch(f"{where}: {actual!r} in place of ${{{name}}} = {self.values[name]!r}")


def same_json(expected, actual):
    try:
        return json.loads(expected) == json.loads(actual)
    except (TypeError, ValueError):
        return expected == actual


def match(names, expected, actual, where):
    """Raises Mismatch unless `actual` is what is expected."""
    if expected == "*":
        if actual is None:
            raise Mismatch(f"{where}: is not there")
    elif isinstance(expected, dict):
        if not isinstance(actual, dict):
            raise Mismatch(f"{where}: {actual!r} in place of an object")
        for key, value in expected.items():
            if key not in FREE_FIELDS:
                match(names, value, actual.get(key), f"{where}.{key}")
    elif isinstance(expected, str):
        match_text(names, expected, actual, where)
    elif expected != actual:
        raise Mismatch(f"{where}: {actual!r} in place of {expected!r}")


def match_text(names, expected, actual, where):
    pattern, alone = PATTERN.match(expected), VARIABLE.fullmatch(expected)
    if pattern:
        if actual is None or not re.search(pattern[1], str(actual)):
            raise Mismatch(f"{where}: {actual!r} is not like /{pattern[1]}/")
    elif alone:
        names.meet(alone[1], actual, where)
    else:
        filled = names.fill(expected)
        if filled != actual and not (where.endswith(".Payload") and same_json(filled, actual)):
            raise Mismatch(f"{where}: {actual!r} in place of {filled!r}")


def is_end(event):
    return event["EventType"].startswith("Execution")


class Case:
    """A case as its file has it."""

    def __init__(self, category, name, data):
        self.category, self.name, self.data = category, name, data
        self.title = f"{category}/{name}"
        listed = data["ExpectedExecutionHistory"]
        self.expected = [event for event in listed if event["EventType"] != "InvocationCompleted"]
        self.complete = listed[-1]["EventType"] == "InvocationCompleted" or is_end(listed[-1])
        self.result = data.get("ExpectedResult")   # None: the case ends while the run waits
        self.stops = self._stops(listed)
        actions = data.get("CallbackActions", [])
        self.actions = sorted(actions, key=lambda action: action.get("Delay", 0))

    def _stops(self, listed):
        """After how many events an invocation ends and another one follows. None of those that end by a crash of their own."""
        stops, seen = [], 0
        for event in listed:
            if event["EventType"] != "InvocationCompleted":
                seen += 1
            elif "Error" not in (event.get("InvocationCompletedDetails") or {}):
                stops.append(seen)
        to_come = [i for i, event in enumerate(self.expected) if not is_end(event)]
        return [stop for stop in stops if self.result is None or (to_come and stop <= to_come[-1])]

    def compare_history(self, names, events):
        """Raises Mismatch unless these are the events that the case lists."""
        if self.complete and not any(is_end(event) for event in self.expected):
            events = [event for event in events if not is_end(event)]
        for i, expected in enumerate(self.expected):
            where = f"event {i + 1} ({expected['EventType']})"
            if i >= len(events):
                raise Mismatch(f"{where}: there is none")
            actual = events[i]
            if actual["EventType"] != expected["EventType"]:
                raise Mismatch(f"{where}: it is {actual['EventType']}")
            if "ParentId" in actual and "ParentId" not in expected:
                raise Mismatch(f"{where}: it has the parent {actual['ParentId']!r}")
            match(names, expected, actual, where)
        if self.complete and len(events) > len(self.expected):
            raise Mismatch(f"{events[len(self.expected)]['EventType']} follows the {len(self.expected)} events expected")

    def compare_result(self, names, run):
        """Raises Mismatch unless the run (of `show --json`) ended as the case says."""
        if self.result is None:
            expected = "waiting"
        else:
            expected = {"SUCCEEDED": "completed", "FAILED": "failed"}[self.result["ExecutionStatus"]]
        if run["status"] != expected:
            raise Mismatch(f"the run is {run['status']} in place of {expected}: {run.get('error')}")
        if self.result is not None and "Result" in self.result:
            output = names.fill(self.result["Result"])
            if run["output"] != output:
                raise Mismatch(f"the result is {run['output']!r} in place of {output!r}")

    def compare_logs(self, names, log, seen_again):
        """Raises Mismatch unless the log has the lines that the case counts. `seen_again`: it counts those of a replay too,
        which Perilune does not write."""
        for rule in self.data.get("ExpectedLogs", []):
            pattern = names.fill(rule["match"]["message"])[1:-1]
            count = sum(1 for line in log.splitlines() if re.search(pattern, line))
            expected = 1 if seen_again else rule["count"]
            if count != expected:
                raise Mismatch(f"{count} lines of the log are like /{pattern}/, in place of {expected}")
