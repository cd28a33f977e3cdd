"""The ranks that were decided: for each use case, when a signed review moved it, from where to where, by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant
from trueup.workspace import reading_ledger

if TYPE_CHECKING:
    from trueup.web.site import Look, Site


def decided_ranks(site: Site, look: Look) -> dict[str, list[dict[str, Any]]]:
    """Return the decided places of every use case, the oldest first: only those at which its place was another.

    Raises what reading the ledger raises.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    before: dict[str, int] = {}
    with reading_ledger(site.root) as ledger:
        for item in ledger.entries("ranking.decided"):
            entry = item.entry
            if entry.time > look.as_of:
                continue
            places = {str(name): place for place, name in enumerate(_list(entry.data.get("order")), 1)}
            moved = {str(one["id"]): one for one in _list(entry.data.get("moved")) if isinstance(one, dict)}
            told = {"on": format_instant(entry.time), "by": entry.by, "entry": item.index}
            for name, place in places.items():
                was = moved.get(name, {}).get("from", before.get(name))
                if was != place:
                    selected = moved.get(name, {}).get("selected")
                    found.setdefault(name, []).append({**told, "from": was, "to": place, "selected": selected})
            before = places
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
