"""Portfolio: what next, and how sure are we? The ranking of `trueup rank`, its map, its past, and what-if limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trueup.choose.portfolio.answer import ranking
from trueup.choose.portfolio.ranking import Question
from trueup.declare.model.programme import Limits
from trueup.declare.programme import PROGRAMME_FILE, use_case_file
from trueup.declare.read import require_sound
from trueup.kernel.errors import ConflictError, TrueupError
from trueup.kernel.progress import silent
from trueup.loop.facts.readiness import ranked_by, readiness, scores
from trueup.web.charts.worth import worth_chart
from trueup.web.pages.decided_ranks import decided_ranks
from trueup.workspace import DeclaredData

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.declare.programme import Programme
    from trueup.observe.readiness.record import Readiness
    from trueup.web.site import Look, Site

SEED = 1
_MAP = (
    "Map of the portfolio: value across, probability that it works upwards, one dot for each use case; "
    "the table below has the same values"
)


def portfolio(site: Site, look: Look, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return what `rank` answers with the map and the past of each use case; under other `limits` where any is given.

    Raises DeclarationError when the programme's file or a use case has errors, ConflictError as `rank` does.
    """
    checked = site.checked(look)
    programme = checked.programme
    in_use_cases = {found.where.file for found in checked.findings if found.where.file.startswith("use-cases/")}
    require_sound(checked, {PROGRAMME_FILE, *map(use_case_file, programme.use_cases), *in_use_cases})
    declared = _answer(site, look, programme)
    asked, tried = declared, None
    if limits:
        asked, tried = _tried(site, look, _with(programme, limits), declared)
    past = _past(site, look)
    rows = [one | {"decided": past.get(one["id"], [])} for one in asked["use_cases"]]
    order = programme.file.ranking.decided if programme.file.ranking else ()
    return {
        **asked,
        "use_cases": rows,
        "programme": programme.file.programme,
        "files": look.files.to_json(),
        "what_if": {"limits": dict(limits), **tried} if tried else None,
        "declared_limits": _declared(programme),
        "decided_order": list(order),
        "chart": worth_chart(rows, asked["currency"] or "declared currency", _MAP),
    }


def _answer(site: Site, look: Look, programme: Programme) -> Mapping[str, Any]:
    measured = site.kept("readiness", look, lambda: _readiness(programme, look))
    known = scores(measured)
    # Digests and not times: whatever else has changed, the same declarations under the same limits rank the same.
    key = (tuple(sorted(programme.digests.items())), programme.file.limits, tuple(sorted(known.items())))

    def rank() -> dict[str, Any]:
        return ranking(programme, Question(look.as_of.date(), SEED, readiness=known))

    answer = site.remembered(("ranking", look.as_of.date(), key), rank)
    unknown = [one for one in measured.values() if one.score is None]
    return {
        **answer,
        "readiness": [{"data": one.data, "score": one.score, "because": one.because} for one in measured.values()],
        "notes": [*answer["notes"], *(f"readiness of data.{one.data} is not known: {one.because}" for one in unknown)],
    }


def _readiness(programme: Programme, look: Look) -> Mapping[str, Readiness]:
    names = ranked_by(programme)
    if not names:
        return {}
    data = DeclaredData(programme, silent)
    try:
        return readiness(data, names, look.as_of)
    finally:
        data.close()


def _with(programme: Programme, limits: Mapping[str, float]) -> Programme:
    other = (programme.file.limits or Limits()).model_copy(update=dict(limits))
    return replace(programme, file=programme.file.model_copy(update={"limits": other}))


def _tried(
    site: Site, look: Look, programme: Programme, declared: Mapping[str, Any]
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Rank under other limits; where they leave no portfolio, show the declared one and say why."""
    try:
        asked = _answer(site, look, programme)
    except ConflictError as error:
        return declared, {"conflict": error.message, "enters": [], "leaves": []}
    before, after = (_selected(answer) for answer in (declared, asked))
    return asked, {"conflict": None, "enters": sorted(after - before), "leaves": sorted(before - after)}


def _selected(answer: Mapping[str, Any]) -> set[str]:
    return {one["id"] for one in answer["use_cases"] if one["selected"]}


def _declared(programme: Programme) -> dict[str, float | None]:
    given = programme.file.limits or Limits()
    return {name: getattr(given, name) for name in ("budget", "engineering", "change", "parallel_pilots")}


def _past(site: Site, look: Look) -> Mapping[str, list[dict[str, Any]]]:
    try:
        return site.kept("ranks", look, lambda: decided_ranks(site, look))
    except TrueupError:
        # A record that cannot be read is told on the page Ledger; the ranking does not rest on it.
        return {}
