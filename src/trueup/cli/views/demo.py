"""The end of the demo as people read it: the last review, what applying it did, what to try next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.views.figures import wrapped
from trueup.cli.views.review import review_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def demo_text(data: Mapping[str, Any], folder: str) -> str:
    """Render the demo: everything that is said here is read from the data."""
    lines = ["Northwind (simulated): fifteen weeks of made-up events with known truths.", ""]
    lines += [*_on_the_way(data), ""]
    lines += [review_text(data, folder, next_steps=False), ""]
    lines += [*_applied(data), "", *_after(data), *_ledger(data), "", *_next(data, folder)]
    return "\n".join(lines)


def _on_the_way(data: Mapping[str, Any]) -> list[str]:
    """Tell the earlier reviews, of which most found nothing to decide."""
    earlier = data["weeks"][:-1]
    quiet = [week["week"] for week in earlier if not week["applied"]]
    lines = [f"Reviewed and applied every week; in {len(quiet)} of the first {len(earlier)} nothing was to decide."]
    for week in earlier:
        said = [" ".join(filter(None, (done["subject"], done["gate"], done["outcome"]))) for done in week["applied"]]
        if said:
            lines.append(wrapped(f"week {week['week']}: {', '.join(said)}", 2))
    return lines


def _applied(data: Mapping[str, Any]) -> list[str]:
    how = "signed" if data["signed"] else "claimed: the demo has no signing keys"
    lines = [f"Applied {data['id']} by {data['applied_by']} ({how}):"]
    lines.append(wrapped(f"files {', '.join(data['files'])}", 2))
    lines.append(wrapped(f"ledger entries {_span(data['entries'])}, git commit {(data['commit'] or 'none')[:10]}", 2))
    return lines


def _span(entries: list[int]) -> str:
    return f"{entries[0]} to {entries[-1]}" if len(entries) > 1 else ", ".join(map(str, entries))


def _after(data: Mapping[str, Any]) -> list[str]:
    left = len(data["after"])
    return ["Reviewed again: nothing is left to decide." if not left else f"Reviewed again: {left} changes are open."]


def _ledger(data: Mapping[str, Any]) -> list[str]:
    ledger = data["ledger"]
    if not ledger["ok"]:
        return [f"Ledger BROKEN: {len(ledger['problems'])} problems."]
    return [f"Ledger verified: {ledger['size']} entries, nobody changed the record."]


def _next(data: Mapping[str, Any], folder: str) -> list[str]:
    return [
        "To open a number down to its events, look at the record, and at the files:",
        f"    trueup why {folder} {data['id']} 1",
        f"    trueup ledger verify {folder}",
        f"    trueup check {folder}",
        f"    git -C {folder} log --stat",
    ]
