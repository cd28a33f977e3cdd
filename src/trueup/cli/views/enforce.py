"""How verdicts, approvals and arms read in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def verdict(data: Mapping[str, Any]) -> str:
    """Render a verdict with every rule that was considered; the decisive one is marked."""
    lines = [f"{data['verdict']}: {data['decisive']}"]
    for rule in data["rules"]:
        mark = ">" if rule["id"] == data["decisive"] else "*" if rule["applied"] else " "
        lines.append(f"  {mark} {rule['effect']:<7} {rule['id']}: {rule['says']}  ({rule['source']})")
    if len(data["rules"]) > 1:
        lines += ["", "> decided, * applied"]
    return "\n".join(lines)


def approvals(data: Mapping[str, Any]) -> str:
    """Render what waits, a line each."""
    if not data["approvals"]:
        return "Nothing waits for a person."
    rows = [
        f"{item['id']}  {item['workflow']}.{item['action']}  case {item['case'] or '-'}  until {item['expires_at']}  "
        f"{', '.join(item['approvers'])}"
        for item in data["approvals"]
    ]
    return "\n".join([*rows, "", "Open one with its arguments:", "    trueup approvals show DIR ID"])


def approval(data: Mapping[str, Any]) -> str:
    """Render one held step as an approver needs it."""
    item = data["approvals"][0]
    lines = [
        f"{item['id']} is {item['state']}: {item['workflow']}.{item['action']} calls {item['tool']}",
        f"  case        {item['case'] or '-'}",
        f"  arguments   {_arguments(item['arguments'])}",
        f"  held        {'; '.join(item['reasons'])}",
        f"  asked by    {item['requester'] or 'the workflow'}, {item['requested_at']}",
        f"  may decide  {', '.join(item['approvers']) or 'nobody'}",
        f"  expires     {item['expires_at']} (then it is a no)",
        f"  undone by   {item['reversible_by'] or 'nothing declared'}",
    ]
    if item["decided_by"]:
        why = f": {item['because']}" if item["because"] else ""
        lines.append(f"  decided by  {item['decided_by']}{why}")
    return "\n".join(lines)


def decided(data: Mapping[str, Any]) -> str:
    """Render what became of an approval."""
    item = data["approvals"][0]
    if data["denied"]:
        return f"{item['id']} stays {item['state']}. Not done:\n{verdict(data['denied'])}"
    line = f"{item['id']} is {item['state']} (entry {data['entry']})."
    if item["state"] in {"accepted", "edited"}:
        line += " The program that waits runs it."
    return line


def assignment(data: Mapping[str, Any]) -> str:
    """Render the arm of a case."""
    return f"{data['case']}: {data['arm']} (entry {data['entry']})"


def _arguments(arguments: Mapping[str, Any] | None) -> str:
    return "erased" if arguments is None else json.dumps(arguments, ensure_ascii=False, sort_keys=True)
