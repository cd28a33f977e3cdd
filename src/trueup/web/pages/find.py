"""Find: jump to anything by a part of its name. One hit opens at once, several are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.web.site import Look, Site

MOST = 50
_PAGES = ("Today", "Portfolio", "Workflows", "Review", "Ledger", "Help")


def find(site: Site, look: Look, asked: str) -> dict[str, Any]:
    """Return what has all asked words in its id or name: pages, workflows, KPIs, use cases, saved reviews."""
    words = asked.casefold().split()
    hits = [
        {"kind": kind, "id": name, "name": shown, "to": to}
        for kind, name, shown, to in _everything(site, look)
        if words and all(word in f"{name} {shown}".casefold() for word in words)
    ]
    wanted = asked.casefold().strip()
    hits.sort(key=lambda hit: (hit["id"].casefold() != wanted, len(hit["id"])))
    exact = sum(hit["id"].casefold() == wanted for hit in hits)
    return {
        "asked": asked,
        "hits": hits[:MOST],
        "more": max(len(hits) - MOST, 0),
        "only": len(hits) == 1 or exact == 1,
    }


def _everything(site: Site, look: Look) -> Iterator[tuple[str, str, str, str]]:
    for page in _PAGES:
        yield "page", page, "", "/" if page == "Today" else f"/{page.lower()}"
    programme = site.checked(look).programme
    for name, workflow in programme.workflows.items():
        yield "workflow", name, workflow.workflow, f"/workflows/{name}"
        for kpi in workflow.kpis:
            yield "KPI", f"{name}.{kpi}", "", f"/workflows/{name}/{kpi}"
    for name, case in programme.use_cases.items():
        yield "use case", name, case.use_case, f"/portfolio/{name}"
    for path in sorted((site.root / ".trueup" / "reviews").glob("*.json"), reverse=True):
        yield "review", path.stem, "", f"/reviews/{path.stem}"
