"""Ledger: can I trust this record? Its state, its newest checkpoint, its entries; readable while files are broken."""

from __future__ import annotations

import base64
from collections import deque
from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant
from trueup.kernel.errors import NotFoundError, TrueupError, UsageError
from trueup.kernel.progress import silent
from trueup.kernel.text import did_you_mean
from trueup.ledger.event_types import EVENT_TYPES
from trueup.workspace import reading_ledger, verify_ledger

if TYPE_CHECKING:
    from trueup.ledger.entry import Recorded
    from trueup.web.site import Look, Site

PAGE = 100
_ABOUT = ("workflow", "subject", "gate", "review", "outcome", "decision")


def ledger(site: Site, look: Look, event_type: str | None, before: int | None) -> dict[str, Any]:
    """Return the newest entries about instants up to the look, of one type where given, and whether all is sound.

    Raises UsageError for a type that there is not.
    """
    if event_type is not None and event_type not in EVENT_TYPES:
        raise UsageError(
            "unknown-event-type",
            f"{event_type!r} is not a type of entry.{did_you_mean(event_type, EVENT_TYPES)}",
            "Leave the type out to see all entries.",
        )
    verified = verify_ledger(site.root, silent).to_json()
    model: dict[str, Any] = {
        "verify": verified,
        "checkpoint": None,
        "types": list(EVENT_TYPES),
        "type": event_type,
        "entries": [],
        "earlier": None,
        "held": None,
        "as_of": format_instant(look.as_of),
    }
    try:
        with reading_ledger(site.root) as opened:
            model["checkpoint"] = opened.checkpoint()
            # Streamed: of a long log only a page and one more is held.
            found = deque(
                (
                    item
                    for item in opened.entries(event_type)
                    if item.entry.time <= look.as_of and (before is None or item.index < before)
                ),
                maxlen=PAGE + 1,
            )
    except TrueupError as error:
        return model | {"held": error.to_json()}
    shown = list(found)[-PAGE:]
    earlier = shown[0].index if len(found) > PAGE else None
    return model | {"entries": [_row(item) for item in reversed(shown)], "earlier": earlier}


def entry(site: Site, index: int) -> dict[str, Any]:
    """Return one entry as `trueup ledger entry` does, and how many there are. Raises NotFoundError."""
    with reading_ledger(site.root) as opened:
        size = opened.size()
        if not 0 <= index < size:
            raise NotFoundError(
                "no-such-entry",
                f"There is no entry {index}; the ledger has {size}.",
                "Its entries are numbered from 0, on the page Ledger.",
            )
        found = opened.entry(index)
        return {
            "index": found.index,
            "leaf": base64.b64encode(found.leaf).decode(),
            "entry": found.to_json(),
            "size": size,
            "covered": opened.covered() > index,
        }


def _row(item: Recorded) -> dict[str, Any]:
    data = item.entry.data
    about = [str(data[key]) for key in _ABOUT if data.get(key)]
    return {
        "index": item.index,
        "type": item.entry.type,
        "id": item.entry.id,
        "time": format_instant(item.entry.time),
        "recorded": format_instant(item.recorded),
        "by": item.entry.by,
        "about": " · ".join(about),
    }
