"""The control of the comparison: histories that are not what a case lists, made from one that is. Each must be found."""
# SPDX-License-Identifier: MIT
import copy

from expect import Mismatch


def doctored(case, events):
    """Pairs of what was done and the history then. Only what the case lists is touched."""
    listed = events[:len(case.expected)]
    for i, event in enumerate(listed):
        what = f"event {i + 1} ({event['EventType']})"
        yield f"{what} left out", events[:i] + events[i + 1:]
        if case.complete:   # else what follows is free
            yield f"{what} twice", events[:i + 1] + events[i:]
        if i + 1 < len(listed):
            yield f"{what} after the next", events[:i] + [events[i + 1], event] + events[i + 2:]
        if event["EventType"].startswith("Execution"):
            continue
        fields = ["ParentId"]
        if is_met_again(case, case.expected[i]["Id"]):   # an id that is met once may be any
            fields.append("Id")
        for field in fields:
            changed = copy.deepcopy(events)
            changed[i][field] = "another"
            yield f"{what} with another {field}", changed
        details = event["EventType"] + "Details"
        if "Payload" in str(case.expected[i].get(details)) and "'*'" not in str(case.expected[i][details]):
            changed = copy.deepcopy(events)
            changed[i][details] = {"Result": {"Payload": '"doctored"'}, "Error": {"Payload": {"ErrorType": "doctored"}}}
            yield f"{what} with another payload", changed


def is_met_again(case, id_):
    return sum(id_ in (event.get("Id"), event.get("ParentId")) for event in case.expected) > 1


def unnoticed(case, names, events):
    """(how many were made, those that the comparison takes for right)."""
    made, missed = 0, []
    for what, history in doctored(case, events):
        made += 1
        try:
            case.compare_history(names.copy(), history)
            missed.append(f"{case.title}: {what}")
        except Mismatch:
            pass
    return made, missed
