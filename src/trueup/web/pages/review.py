"""Review: what does the evidence change? Computed now or as it was saved; each line opens its chain."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import NotFoundError, UsageError
from trueup.loop.review import Review, chain_of, compute, load, to_json
from trueup.loop.why import open_change
from trueup.web.asof import Files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trueup.loop.workbench import Workbench
    from trueup.web.site import Look, Site

_INTERNAL = ("files", "data", "chains")
NOW = "now"
MOST_LISTED = 26


def current(site: Site, look: Look) -> Mapping[str, Any]:
    """Return the review computed at the look, with what opens its changes; computed once for all pages."""

    def compute_it() -> dict[str, Any]:
        with site.bench(look) as bench:
            return _whole(compute(bench, look.as_of))

    return site.kept("review", look, compute_it)


def review_now(site: Site, look: Look) -> dict[str, Any]:
    """Return the review at the look: what `trueup review` would save, of the files that the page looks at."""
    return _published(current(site, look)) | {
        "file": None,
        "files": look.files.to_json(),
        "saved": _saved_names(site, look),
    }


def saved_review(site: Site, look: Look, name: str) -> dict[str, Any]:
    """Return a saved review. Raises NotFoundError."""
    with site.bench(look) as bench:
        saved = _published(load(bench, name)) | {"applied": _applied(bench, name, look)}
    return saved | {"files": Files(site.root).to_json(), "saved": _saved_names(site, look)}


def chain_now(site: Site, look: Look, n: int) -> dict[str, Any]:
    """Open line `n` of the review computed now. Raises NotFoundError."""
    saved = _has(dict(current(site, look)), n)
    with site.bench(look) as bench:
        return open_change(bench, saved, n)


def saved_chain(site: Site, look: Look, name: str, n: int) -> dict[str, Any]:
    """Open line `n` of a saved review: what `trueup why` answers. Raises NotFoundError."""
    with site.bench(look) as bench:
        return open_change(bench, _has(load(bench, name), n), n)


def subject_of(change: Mapping[str, Any]) -> str:
    """Name what a change of any kind is about."""
    return str(change.get("subject") or change.get("id") or change.get("code") or change["kind"])


def _whole(review: Review) -> dict[str, Any]:
    """Return what a saved file would hold."""
    return {
        **to_json(review, NOW),
        "data": dict(review.data),
        "chains": [chain_of(change) for change in review.changes],
    }


def _published(saved: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in saved.items() if key not in _INTERNAL}


def _has(saved: dict[str, Any], n: int) -> dict[str, Any]:
    if 1 <= n <= len(saved["changes"]):
        return saved
    count = len(saved["changes"])
    raise NotFoundError(
        "no-such-change",
        f"This review has {count} change{'s' * (count != 1)}; there is no {n}.",
        "Its lines may have been decided since, or the review looks from another instant.",
    )


def _applied(bench: Workbench, name: str, look: Look) -> dict[str, Any] | None:
    """Return when a review was applied, by whom, and the entry that says so; None when it was not, by the look."""
    for item in bench.ledger.entries("review.applied"):
        entry = item.entry
        if entry.data.get("review") == name and entry.time <= look.as_of:
            on, claimed = format_instant(entry.time), "signature" not in entry.data
            return {"on": on, "by": entry.by, "claimed": claimed, "entry": item.index}
    return None


def _saved_names(site: Site, look: Look) -> list[dict[str, Any]]:
    """Return the newest saved reviews that look from an instant up to the page's, with how many changes each has."""
    until = f"{look.as_of:%Y-%m-%d}~"
    names = sorted((path for path in _folder(site).glob("*.json") if path.stem <= until), reverse=True)
    found = (_saved(path) for path in names[: 2 * MOST_LISTED])
    past = (row for row in found if row["as_of"] is None or parse_instant(row["as_of"]) <= look.as_of)
    return list(islice(past, MOST_LISTED))


def _folder(site: Site) -> Path:
    return site.root / ".trueup" / "reviews"


def _saved(path: Path) -> dict[str, Any]:
    """Return a row of the list; a damaged file is left to `load` to name."""
    try:
        content = json.loads(path.read_bytes())
        as_of = format_instant(parse_instant(str(content["as_of"])))
        return {"id": path.stem, "as_of": as_of, "changes": len(content["changes"])}
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return {"id": path.stem, "as_of": None, "changes": None}
