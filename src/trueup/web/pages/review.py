"""Review: what does the evidence change? Computed now or as it was saved; each line opens its chain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import NotFoundError
from trueup.loop.review import Review, chain_of, compute, load, to_json
from trueup.loop.why import open_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.web.site import Look, Site

_INTERNAL = ("files", "data", "chains")
NOW = "now"
MOST_LISTED = 26


def review_now(site: Site, look: Look) -> dict[str, Any]:
    """Compute the review at the instant; the same that `trueup review` would save."""
    return _published(_computed(site, look)) | {"file": None, "saved": _saved_names(site)}


def saved_review(site: Site, name: str) -> dict[str, Any]:
    """Return a saved review. Raises NotFoundError."""
    with site.bench() as bench:
        return _published(load(bench, name)) | {"saved": _saved_names(site)}


def chain_now(site: Site, look: Look, n: int) -> dict[str, Any]:
    """Open line `n` of the review computed now. Raises NotFoundError."""
    saved = _computed(site, look)
    with site.bench() as bench:
        return open_change(bench, _has(saved, n), n)


def saved_chain(site: Site, name: str, n: int) -> dict[str, Any]:
    """Open line `n` of a saved review: what `trueup why` answers. Raises NotFoundError."""
    with site.bench() as bench:
        return open_change(bench, _has(load(bench, name), n), n)


def subject_of(change: Mapping[str, Any]) -> str:
    """Name what a change of any kind is about."""
    return str(change.get("subject") or change.get("id") or change.get("code") or change["kind"])


def _computed(site: Site, look: Look) -> dict[str, Any]:
    def compute_it() -> dict[str, Any]:
        with site.bench() as bench:
            return _whole(compute(bench, look.as_of))

    return site.kept("review", look, compute_it)


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


def _saved_names(site: Site) -> list[dict[str, Any]]:
    """Return the newest saved reviews with how many changes each has; damaged files are left to `load` to name."""
    found = []
    for path in sorted((site.root / ".trueup" / "reviews").glob("*.json"), reverse=True)[:MOST_LISTED]:
        try:
            content = json.loads(path.read_bytes())
            found.append({"id": path.stem, "as_of": str(content["as_of"]), "changes": len(content["changes"])})
        except (OSError, ValueError, KeyError, TypeError):
            found.append({"id": path.stem, "as_of": None, "changes": None})
    return found
