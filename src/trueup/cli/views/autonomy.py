"""How thresholds and blind reviews read in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.views.health import gap_lines

if TYPE_CHECKING:
    from collections.abc import Mapping


def threshold(data: Mapping[str, Any]) -> str:
    """Render a threshold: from where on, how much that automates, on how many outcomes, within which limit."""
    found, held = data["threshold"], data["in_force"]
    limit = f"at most {data['wrong_at_most'] * 100:g}% wrong, {data['sure'] * 100:g}% sure"
    if found is None:
        lines = [f"{data['workflow']}: no threshold ({limit}).", f"  {data['because']}."]
    else:
        lines = [
            f"{data['workflow']}: from a confidence of {found['at']:g} on ({limit})",
            f"  automated   {found['automated']:.1%}, {found['accepted']:,} of {data['reviewed']:,} reviewed",
            f"  wrong       {found['wrong']:,} of these {found['accepted']:,}, p = {found['p_value']:.2g}",
        ]
    if "entry" in data:
        return "\n".join(
            [*lines, f"  on record   entry {data['entry']}, by {data['by']}; the next action is held to it"]
        )
    lines.append(f"  in force    {'none' if held is None else f'{held:g}'}")
    if found is not None:
        lines += ["", "Put it on record:", f"    trueup autonomy threshold DIR {data['workflow']} --register --by WHO"]
    return "\n".join(lines)


def gaps(data: Mapping[str, Any]) -> str:
    """Render what was uncertain, a block a workflow."""
    if not data["gaps"]:
        return "No workflow asks its model for a confidence or for sources."
    return "\n".join(line for name, found in data["gaps"].items() for line in (name, *gap_lines(found)))


def reviews(data: Mapping[str, Any]) -> str:
    """Render the list, a line each."""
    if not data["reviews"]:
        return "No case waits for a blind review."
    rows = [
        f"{one['id']}  {one['workflow']}.{'+'.join(one['actions'])}  case {one['case']}  due {one['due'][:10]}"
        f"{'  OVERDUE' if one['overdue'] else ''}"
        for one in data["reviews"]
    ]
    total = f"{len(rows)} to look at, {data['overdue']} overdue."
    hint = ["", total, "Decide each as if it were yours, without looking at what became of it. Then:"]
    return "\n".join([*rows, *hint, "    trueup autonomy label DIR ID --by WHO --answer FILE"])


def labelled(data: Mapping[str, Any]) -> str:
    """Render a label, and the level when it fell by it."""
    found = "differs from what was done" if data["how"] == "answer" else "is wrong"
    said = found if data["wrong"] else "is what was done" if data["how"] == "answer" else "is right"
    subject = "Your answer" if data["how"] == "answer" else "It"
    line = f"{data['id']}, case {data['case']}: {subject} {said} (entry {data['entry']})."
    if "fell" not in data:
        return line
    fell = data["fell"]
    return f"{line}\n{data['workflow']} falls to {fell['to']}: {fell['because']} (entry {fell['entry']})."
