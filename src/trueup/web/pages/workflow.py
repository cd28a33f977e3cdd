"""Workflow: did it move the number, and may it do more? KPIs with their intervals, gates, segments, autonomy, money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.declare.model.kpi import KpiKind
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import DataError, DeclarationError, LedgerBrokenError
from trueup.loop.facts.money import money
from trueup.loop.facts.pictured import baseline_band, difference_of
from trueup.loop.measure import readings_of, require_workflow
from trueup.loop.standing import looks, primary_standing
from trueup.web.charts.watched import watched_chart
from trueup.web.charts.weeks import LARGE, MEDIUM, Band, small_chart, span_of, weeks_chart
from trueup.web.pages.ladder import ladder
from trueup.web.pages.review import current

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.registration import Registration
    from trueup.declare.model.workflow import Workflow
    from trueup.loop.workbench import Workbench
    from trueup.web.site import Look, Site

# Segments are shown by size; more than these are in the table of `measure --segments` only.
MOST_SEGMENTS = 8
_RECENT_WEEKS = 8
_EARLIER = ("baseline", "before")


def workflow(site: Site, look: Look, name: str) -> dict[str, Any]:
    """Return the page's model. Raises NotFoundError for a workflow that is not declared, or not any more."""
    require_workflow(site.checked(look).programme, name)
    changes = _changes(site, look)
    with site.bench(look, name) as bench:
        declared = bench.programme.workflows[name]
        registration = bench.programme.registrations.get(name)
        gates = _gates(declared)
        primary = declared.pilot.primary if declared.pilot else None
        standing = primary_standing(bench, name, primary, look.as_of) if primary else None
        rows = _readings(bench, name, declared, primary, look)
        watched = looks(bench, name, primary, look.as_of) if primary and standing and standing["measured"] else []
        return {
            "id": name,
            "name": declared.workflow,
            "programme": bench.programme.file.programme,
            "currency": bench.programme.file.currency,
            "files": look.files.to_json(),
            "use_case": declared.use_case,
            "owner": declared.owners.business,
            "autonomy": str(declared.autonomy.level) if declared.autonomy else None,
            "primary": primary,
            "standing": standing,
            "gates": gates,
            "waiting": [change for change in changes if change.get("subject") == name],
            "watched": _watched(watched, standing, registration, gates),
            "kpis": _kpis(declared, registration, rows, gates, look.as_of.date()),
            "segments": _segments(declared, primary, rows),
            "ladder": ladder(bench, name, changes, look.as_of),
            "exceptions": _exceptions(declared, rows),
            "money": _money(bench, name, look),
        }


def _changes(site: Site, look: Look) -> Sequence[Mapping[str, Any]]:
    """Return the open changes; none where errors in other files leave no review, which Today says."""
    try:
        changes: Sequence[Mapping[str, Any]] = current(site, look)["changes"]
    except DeclarationError:
        return ()
    return changes


def _readings(bench: Workbench, name: str, declared: Workflow, primary: str | None, look: Look) -> list[dict[str, Any]]:
    if declared.events is None or not declared.kpis:
        return []
    rows = [one.to_json() for one in readings_of(bench, name, look.as_of)]
    if primary and declared.events.segment:
        split = readings_of(bench, name, look.as_of, kpis=[primary], segments=True)
        rows += [one.to_json() for one in split if one.segment is not None]
    return rows


def _gates(declared: Workflow) -> list[dict[str, Any]]:
    pilot, found = declared.pilot, []
    for gate in pilot.gates if pilot else ():
        due, decided = pilot.due(gate) if pilot else None, pilot.decided.get(gate) if pilot else None
        if due is not None:
            outcome = {"outcome": decided.outcome, "on": decided.on.isoformat(), "by": decided.by} if decided else None
            found.append({"gate": gate, "due": format_instant(due), "decided": outcome})
    return found


def _days(gates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {gate["gate"]: gate["due"][:10] for gate in gates}


def _watched(
    rows: list[dict[str, Any]],
    standing: Mapping[str, Any] | None,
    registration: Registration | None,
    gates: Sequence[Mapping[str, Any]],
) -> dict[str, Any] | None:
    if not rows or standing is None or registration is None:
        return None
    bars = {"worth having": registration.worth_having, "target": registration.target}
    placed = {name: difference_of(text, standing["control"]) for name, text in bars.items() if text}
    shown = {name: value for name, value in placed.items() if value is not None}
    unit, kpi = standing["unit"], standing["kpi"]
    says = f"Measured difference of {kpi} at every weekly look, with its interval; the table below has the same values"
    return {
        "looks": rows,
        "bars": shown,
        "unit": unit,
        "chart": watched_chart(rows, shown, _days(gates), unit, says),
    }


def _kpis(
    declared: Workflow,
    registration: Registration | None,
    rows: Sequence[Mapping[str, Any]],
    gates: Sequence[Mapping[str, Any]],
    until: date,
) -> list[dict[str, Any]]:
    primary = declared.pilot.primary if declared.pilot else None
    rails = declared.pilot.guardrails if declared.pilot else {}
    found = []
    for kpi, meant in declared.kpis.items():
        own = [row for row in rows if row["kpi"] == kpi and row["segment"] is None]
        band = band_of(registration, kpi)
        frame = LARGE if kpi == primary else MEDIUM
        says = f"{kpi} by week of case start, with 95% intervals; the table below has the same values"
        found.append(
            {
                "kpi": kpi,
                "unit": meant.shown_unit,
                "about": meant.about,
                "better": meant.better,
                "role": "decides" if kpi == primary else "guardrail" if kpi in rails else None,
                "baseline": None if band is None else {"mean": band.mean, "low": band.low, "high": band.high},
                "readings": own,
                "chart": weeks_chart(own, _days(gates), meant.shown_unit, says, band, until, frame),
            }
        )
    return sorted(found, key=lambda one: ["decides", "guardrail", None].index(one["role"]))


def band_of(registration: Registration | None, kpi: str) -> Band | None:
    """Return the registered baseline of a KPI: its mean, and its lowest and highest week."""
    found = baseline_band(registration, kpi)
    return None if found is None else Band(**found)


def _segments(declared: Workflow, primary: str | None, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the primary KPI by segment, the largest first; one scale for all, so that they can be compared."""
    kpi = declared.kpis.get(primary or "")
    split: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["segment"] is not None and row["arm"] not in _EARLIER and row["value"] is not None:
            split.setdefault(str(row["segment"]), []).append(row)
    if kpi is None or not split:
        return None
    names = sorted(split, key=lambda name: (-sum(int(row["n"]) for row in split[name]), name))
    shown = names[:MOST_SEGMENTS]
    span = span_of([{**row, "lower": None, "upper": None} for name in shown for row in split[name]])
    if span is None:
        return None
    return {
        "kpi": primary,
        "unit": kpi.shown_unit,
        "more": names[MOST_SEGMENTS:],
        "parts": [
            {
                "segment": name,
                "cases": sum(int(row["n"]) for row in split[name]),
                "arms": _by_arm(split[name], kpi),
                "readings": split[name],
                "chart": small_chart(split[name], kpi.shown_unit, f"{primary} of {name} by week and arm", span),
            }
            for name in shown
        ],
    }


def _by_arm(rows: Sequence[Mapping[str, Any]], kpi: Kpi) -> dict[str, dict[str, Any]]:
    """Return cases and mean of each arm, over its weeks; weeks of quantiles and of ratios of sums make no mean."""
    found = {}
    for arm in sorted({str(row["arm"]) for row in rows}):
        own = [row for row in rows if row["arm"] == arm and row["n"]]
        cases = sum(int(row["n"]) for row in own)
        adds_up = cases and kpi.quantile is None and not kpi.paired
        mean = sum(row["value"] * int(row["n"]) for row in own) / cases if adds_up else None
        found[arm] = {"n": cases, "mean": mean}
    return found


def _exceptions(declared: Workflow, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the share of cases that left the normal path over the newest weeks with mature cases, beside its limit."""
    limit = declared.exceptions
    kpi = declared.kpis.get(limit.kpi or "") if limit else None
    found: dict[str, Any] = {"at_most": limit.at_most if limit else None, "kpi": limit.kpi if limit else None}
    own = [row for row in rows if limit and row["kpi"] == limit.kpi and row["segment"] is None and row["n"]]
    arms = {row["arm"] for row in own}
    own = [row for row in own if row["arm"] == ("treated" if "treated" in arms else row["arm"])]
    weeks = sorted({row["week"] for row in own})[-_RECENT_WEEKS:]
    own = [row for row in own if row["week"] in weeks]
    cases = sum(int(row["n"]) for row in own)
    if kpi is None or kpi.kind is not KpiKind.SHARE or not cases:
        return found | {"measured": None, "cases": None}
    share = sum(row["value"] * int(row["n"]) for row in own) / cases
    return found | {"measured": share if kpi.sign < 0 else 1 - share, "cases": cases}


def _money(bench: Workbench, name: str, look: Look) -> dict[str, Any] | None:
    try:
        found = money(bench, look.as_of, name)
    except (DataError, LedgerBrokenError):
        return None
    return found[0].to_json() if found else None
