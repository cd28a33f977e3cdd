"""A recorded fact as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.views.figures import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping


def recorded_text(data: Mapping[str, Any]) -> str:
    """Say what was recorded, where, in whose name."""
    standing = "signed" if data["signed"] else "claimed, not signed"
    lines = [f"Recorded as ledger entry {data['entry']}: {data['type']}, by {data['by']} ({standing})."]
    lines += [wrapped(f"{key}: {value}", 2) for key, value in data["data"].items()]
    if data.get("fell"):
        lines.append(wrapped(f"The level fell to {data['fell']['to']}: {data['fell']['because']}", 2))
    return "\n".join(lines)
