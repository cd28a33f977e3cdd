"""How pinned tools and unknown steps read in a terminal."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from trueup.kernel.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping


def draft(data: Mapping[str, Any]) -> str:
    """Render a draft of `actions` as what stands in the workflow's file."""
    return str(data["yaml"]).rstrip("\n")


def tools(data: Mapping[str, Any]) -> str:
    """Render the pins, a line each; where another definition is offered, what differs."""
    if not data["tools"]:
        return "No server has offered a tool yet. The gateway pins what it meets first."
    lines = []
    for item in data["tools"]:
        state = "CHANGED, denied" if item["offered"] else "pinned"
        lines.append(f"{item['tool']}  {state}  {item['definition'][:19]}  by {item['by'] or 'first use'}")
        if item["offered"]:
            lines += [f"    {line}" for line in _difference(item)]
    if any(item["offered"] for item in data["tools"]):
        lines += ["", "If that is meant, pin it:", "    trueup tools pin DIR WORKFLOW TOOL --by WHO --because WHY"]
    return "\n".join(lines)


def pinned(data: Mapping[str, Any]) -> str:
    """Render a definition that was pinned."""
    item = data["tools"][0]
    return f"{item['tool']} is pinned as {item['definition'][:19]} (entry {data['entry']})."


def unknown(data: Mapping[str, Any]) -> str:
    """Render the steps that nobody knows about, a line each."""
    if not data["steps"]:
        return "Every step that was allowed has an outcome."
    rows = [
        f"{item['id']}  {item['workflow']}.{item['action']}  {visible(item['tool'])}  "
        f"case {visible(item['case'] or '-')}  since "
        f"{item['since']}"
        for item in data["steps"]
    ]
    hint = ["", "One that is under way just now is among them. Look where it acts, then say what you found:"]
    return "\n".join([*rows, *hint, "    trueup approvals settle DIR ID --happened yes --by WHO --because WHY"])


def settled(data: Mapping[str, Any]) -> str:
    """Render a step that was settled."""
    item = data["steps"][0]
    said = "took effect" if data["happened"] else "did not take effect"
    return f"{item['id']} {said} (entry {data['entry']}). It is not run again; a new call is a new step."


def _difference(item: Mapping[str, Any]) -> list[str]:
    before, after = (
        json.dumps(item[key], indent=1, ensure_ascii=False).splitlines() for key in ("text", "offered_text")
    )
    return [line for line in unified_diff(before, after, lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))]


def reminded(data: Mapping[str, Any]) -> str:
    """Render what people were told of."""
    if not data["told"]:
        return "Nothing has become old that people were not told of."
    return f"Told: {', '.join(data['told'])}."
