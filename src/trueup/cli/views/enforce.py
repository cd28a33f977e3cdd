"""How verdicts, approvals and arms read in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trueup.kernel.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping


def verdict(data: Mapping[str, Any]) -> str:
    """Render a verdict with every rule that was considered; the decisive one is marked."""
    lines = [f"{data['verdict']}: {data['decisive']}"]
    for rule in data["rules"]:
        mark = ">" if rule["id"] == data["decisive"] else "*" if rule["applied"] else " "
        lines.append(f"  {mark} {rule['effect']:<7} {rule['id']}: {visible(rule['says'])}  ({rule['source']})")
    if len(data["rules"]) > 1:
        lines += ["", "> decided, * applied"]
    return "\n".join(lines)


def recorded(data: Mapping[str, Any]) -> str:
    """Render a verdict that stands in the ledger."""
    head = f"entry {data['entry']}  {data['at']}  {data['action'] or '-'}  step {visible(data['step'])}"
    why = "The policy is another one by now: of its rules those that applied are on record, by name."
    return "\n".join([head, verdict(data), *([] if data["complete"] else ["", why])])


_MOST_SHOWN = 20


def replay(data: Mapping[str, Any]) -> str:
    """Render how many recorded requests would get which answer, and which of them another one."""
    lines = [f"{data['n']} recorded requests of {data['workflow']!r}, judged again at the level {data['level']}:"]
    lines += [f"  {item['was']:>5} -> {item['would']:<7}  {item['n']}" for item in data["counts"]]
    shown = [f"  {_asked(item)}  {item['was']} -> {item['would']}: {item['decisive']}" for item in data["changed"]]
    none = "None of which it can be known would get another answer." if data["unknown"] else "None gets another answer."
    lines += ["", "Another answer:" if shown else none, *_cut(shown)]
    lines += [f"    {item['assumed']}" for item in data["changed"] if "assumed" in item][:1]
    unknown = [f"  {_asked(item)}  was {item['was']}: {item['because']}" for item in data["unknown"]]
    lines += ["", "Nobody can know:", *_cut(unknown)] if unknown else []
    if any("not kept" in item["because"] for item in data["unknown"]):
        lines += ["", "From now on arguments are kept where the workflow says `keep_requests: true`."]
    return "\n".join(lines)


def _asked(item: Mapping[str, Any]) -> str:
    return f"entry {item['entry']}  {item['at']}  {item['action'] or visible(item['tool'])}  {visible(item['step'])}"


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_SHOWN
    return [*lines[:_MOST_SHOWN], f"  ... and {more} more: add --json"] if more > 0 else lines


def approvals(data: Mapping[str, Any]) -> str:
    """Render what waits, a line each, and first what asks nobody for now."""
    passed = [
        f"{item['workflow']}.{item['action']} asks nobody until {item['until']}: "
        f"{item['by']}, {visible(item['because'])}"
        for item in data["bypasses"]
    ]
    head = [*passed, ""] if passed else []
    if not data["approvals"]:
        return "\n".join([*head, "Nothing waits for a person."])
    rows = [
        f"{item['id']}  {item['workflow']}.{item['action']}  {item['risk']}  case {visible(item['case'] or '-')}  "
        f"{_age(item['age_seconds'])} old, until {item['expires_at']}  {', '.join(item['approvers'])}{_yeses(item)}"
        f"{_stale(item)}"
        for item in data["approvals"]
    ]
    return "\n".join([*head, *rows, "", "Open one with its arguments:", "    trueup approvals show DIR ID"])


def approval(data: Mapping[str, Any]) -> str:
    """Render one held step as an approver needs it."""
    item, beside = data["approvals"][0], data["beside"]
    lines = [
        f"{item['id']} is {item['state']}: {item['workflow']}.{item['action']} calls {visible(item['tool'])}",
        f"  case        {visible(item['case'] or '-')}",
        f"  arguments   {_arguments(item['arguments'])}",
        *_no_yes(item),
        f"  held        {visible('; '.join(item['reasons']))}",
        f"  sure        {visible(_sure(item))}",
        f"  asked by    {visible(item['requester'] or 'the workflow')}, {item['requested_at']}",
        f"  may decide  {', '.join(item['approvers']) or 'nobody'}",
        f"  changes     {_changes(item, beside)}",
        f"  undone by   {item['reversible_by'] or 'nothing declared'}",
        "  on a no     nothing runs, and whoever asked is told so",
        f"  expires     {item['expires_at']} (then it is a no)",
        f"  like it     {went(beside['before'])}",
    ]
    if item["approvers_needed"] > 1:
        lines.append(f"  yes so far  {', '.join(item['seconded_by']) or 'nobody'}, of {item['approvers_needed']}")
    if item["escalates_at"]:
        lines.append(f"  handed on   {item['escalates_at']}, if nobody has decided")
    if item["decided_by"]:
        why = f": {visible(item['because'])}" if item["because"] else ""
        lines.append(f"  decided by  {item['decided_by']}{why}")
    return "\n".join(lines)


def _changes(item: Mapping[str, Any], beside: Mapping[str, Any]) -> str:
    """Say what is declared of what it does to the world."""
    out = f"; sends out {', '.join(beside['egress'])}" if beside["egress"] else ""
    return f"impact {item['risk']}{out}"


def went(before: Mapping[str, Any]) -> str:
    """Say how the last held steps of an action went."""
    if not before["n"]:
        return "none was decided before"
    said = [f"{before[word]} {word}" for word in ("accepted", "edited", "rejected", "expired") if before[word]]
    ended = [f"{before[word]} {word}" for word in ("done", "failed", "unknown") if before[word]]
    return f"of the last {before['n']}: {', '.join(said)}{'; of these ran: ' if ended else ''}{', '.join(ended)}"


def _sure(item: Mapping[str, Any]) -> str:
    """Say how sure the model was, and on what it rests, as far as it said so."""
    sure = "it does not say" if item["confidence"] is None else f"{item['confidence']:.0%}"
    return f"{sure}; rests on {', '.join(item['sources']) or 'no source that it names'}"


def decided(data: Mapping[str, Any]) -> str:
    """Render what became of approvals."""
    if data["denied"]:
        item = data["approvals"][0]
        return f"{item['id']} stays {item['state']}. Not done:\n{verdict(data['denied'])}"
    lines = [_became(item) for item in data["approvals"]]
    lines[-1] = lines[-1].replace(".", f" (entry {data['entry']}).", 1)
    return "\n".join(lines)


def reversal(data: Mapping[str, Any]) -> str:
    """Render what became of a reversal."""
    item = data["reversal"]
    call = f"{visible(item['tool'])} {_arguments(item['arguments'])}"
    if data["state"] == "done":
        return f"{item['of']} ({item['undoes']}) is undone: {call} (entry {data['entry']})."
    if data["state"] == "held":
        hint = "Somebody else decides, then ask for it again:"
        decide = f"    trueup approvals accept DIR {data['approval']} --by WHO"
        return f"{item['of']} is not undone yet: {call} waits for a person ({data['approval']}).\n{hint}\n{decide}"
    said = (
        verdict(data["verdict"])
        if data["verdict"]
        else "Nobody knows whether it happened: trueup approvals unknown DIR"
    )
    return f"{item['of']} is not undone ({data['state']}): {call}\n{said}"


def _became(item: Mapping[str, Any]) -> str:
    line = f"{item['id']} is {item['state']}."
    if item["state"] in {"accepted", "edited"}:
        return f"{line} The program that waits runs it."
    if item["seconded_by"] and item["state"] in {"open", "escalated"}:
        return f"{line} {len(item['seconded_by'])} of {item['approvers_needed']} people have said yes."
    return line


def _yeses(item: Mapping[str, Any]) -> str:
    return f"  {len(item['seconded_by'])} of {item['approvers_needed']} yes" if item["approvers_needed"] > 1 else ""


def _stale(item: Mapping[str, Any]) -> str:
    return f"  STALE: {visible(item['stale']['says'])}" if item["stale"] else ""


def _no_yes(item: Mapping[str, Any]) -> list[str]:
    """Say that no yes counts any more, and what to do about it."""
    if not item["stale"]:
        return []
    todo = "resume it first, or say no" if item["stale"]["code"] == "killed" else "reject it, and let it be asked again"
    return [f"  STALE       a yes does not count any more: {visible(item['stale']['says'])}", f"              {todo}"]


def _age(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def assignment(data: Mapping[str, Any]) -> str:
    """Render the arm of a case."""
    return f"{data['case']}: {data['arm']} (entry {data['entry']})"


def _arguments(arguments: Mapping[str, Any] | None) -> str:
    return "erased" if arguments is None else visible(json.dumps(arguments, ensure_ascii=False, sort_keys=True))
