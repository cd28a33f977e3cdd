"""The pre-expansion checklist: which items have evidence in the ledger, and in which entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.decide.gate import CHECKLIST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.ledger.log import Ledger


def checklist_of(ledger: Ledger, workflow: str, at: datetime) -> Mapping[str, int | None]:
    """Return, for every item, the index of the newest evidence that is about `at` or earlier; None without any."""
    found: dict[str, int | None] = dict.fromkeys(CHECKLIST)
    for recorded in ledger.entries("checklist.recorded"):
        data = recorded.entry.data
        item = str(data.get("item"))
        if data.get("workflow") == workflow and recorded.entry.time <= at and item in found:
            found[item] = recorded.index
    return found
