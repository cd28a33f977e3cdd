"""The ranking that a signed review decides: the order in the files, and what it rests on in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.errors import UsageError
from trueup.loop.changes.assumption import AssumptionChange
from trueup.loop.changes.rank import RankChange

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trueup.loop.changes import Change
    from trueup.loop.changes.change import Edit


def require_grounds(changes: Sequence[Change], accepted: Collection[int]) -> None:
    """Raise UsageError where a ranking is taken and the assumption that it follows from, of the same review, is not."""
    found = {change.id: n for n, change in enumerate(changes, 1) if isinstance(change, AssumptionChange)}
    for n, change in enumerate(changes, 1):
        if n not in accepted or not isinstance(change, RankChange):
            continue
        without = [belief for belief in change.rests_on if found.get(belief) not in accepted]
        if without:
            numbers = ", ".join(f"{found[belief]} ({belief})" for belief in without if belief in found)
            raise UsageError(
                "ranking-without-ground",
                f"Change {n} (rank of {change.id}) follows from change {numbers}, which is not applied with it.",
                f"Apply both, or leave change {n} out as well with --only or --decline.",
            )


def settled(changes: Sequence[Change], accepted: Collection[int], declined: Collection[int]) -> dict[str, Any] | None:
    """Return what is decided about the ranking; None where no change of it was accepted.

    `order` is what the files get; `open` names what the review asked and nobody decided. As long as something is open,
    later reviews compare with the ranking before.
    """
    ranks = {n: change for n, change in enumerate(changes, 1) if isinstance(change, RankChange)}
    taken = {n: change for n, change in ranks.items() if n in accepted}
    if not taken:
        return None
    whole = next(iter(taken.values())).whole
    everything = len(taken) == len(ranks)
    return {
        "order": whole.order(None if everything else [change.id for change in taken.values()]),
        "moved": [
            {"id": change.id, "from": change.was.place, "to": change.now.place, "selected": change.now.selected}
            for change in taken.values()
        ],
        "open": [change.id for n, change in ranks.items() if n not in accepted and n not in declined],
        "evidence": whole.present.to_json(),
    }


def order_edit(decided: dict[str, Any]) -> Edit:
    """Return the edit that writes the decided order into the programme's file."""
    return (PROGRAMME_FILE, ("ranking", "decided"), list(decided["order"]))
