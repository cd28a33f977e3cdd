"""Baselines and readings as people read them."""

from __future__ import annotations

import math
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any

from trueup.cli.views.figures import WIDTH, correlations, plain, wrapped
from trueup.cli.views.health import health_lines

if TYPE_CHECKING:
    from collections.abc import Mapping


def baseline_text(data: Mapping[str, Any]) -> str:
    """Render a registration: what was locked, and what it will be able to show."""
    late = " LATE: the pilot had begun" if data["registered_late"] else ""
    lines = [f"Registered {data['workflow']} at {data['registered']}.{late}", ""]
    lines.append(f"  {'KPI':<22}{'n':>7}  baseline (95%)")
    for row in data["summary"]:
        spread = ""
        if row["lower"] is not None:
            spread = f"  [{plain(row['lower'], row['unit'])}, {plain(row['upper'], row['unit'])}]"
        lines.append(f"  {row['kpi']:<22}{row['n']:>7}  {plain(row['value'], row['unit'])}{spread}")
    lines += ["", f"  Cases a week: {data['cases_a_week']:.1f} · evidence level {data['evidence_level']}"]
    lines += [f"  How weeks of the primary KPI hang together: {correlations(data['weeks'])}", ""]
    lines.append("  Smallest effect that each gate can show (80% power):")
    for row in data["detectable"]:
        lines.append(wrapped(f"{row['gate']:<9}{row['kpi']}: {_smallest(row)}", 4))
    lines += _ways(data["ways_to_decide"])
    lines += _admission(data["admission"])
    if data["rollout"]:
        lines += ["  Order of the rollout, drawn by chance:"]
        lines += [f"    {launch['on']}  {launch['unit']}" for launch in data["rollout"]]
    lines += [wrapped(f"note: {note}", 2) for note in data["notes"]]
    if data["because_of"]:
        lines += ["", wrapped(data["because_of"], 2)]
    lines += ["", f"Locked in {data['file']}; its hash is in the ledger."]
    lines += _findings(data)
    return "\n".join(lines)


def _ways(ways: list[Mapping[str, Any]]) -> list[str]:
    """Say what would make a pilot decide that is too small for what is worth having."""
    if not ways:
        return []
    head = "The last gate cannot show what is worth having. Each of these would make it:"
    return [wrapped(head, 2), *(wrapped(f"- {way['says']}", 4) for way in ways)]


def _admission(found: Mapping[str, Any] | None) -> list[str]:
    """Say before the launch whether weeks may be compared with weeks, and if not, what would help."""
    if found is None:
        return []
    compared = "before and after" if found["rule"] == "stable" else "treated and other units"
    said = f"Comparing {compared} is {'admitted' if found['admitted'] else 'refused'}: {found['because']}."
    lines = [wrapped(said, 2)]
    for key, words in (
        ("margin", "smallest change that it could show by the last gate"),
        ("promised", "promised"),
        ("drift", "this KPI moved by itself, three times in four, by at most"),
    ):
        if found[key] is not None:
            lines.append(wrapped(f"{words}: {_change(found[key], found['scale'])}", 4))
    if found["pre_trend"] is not None:
        trend = f"{found['pre_trend']:+.3g} a week (p {found['pre_trend_p']:.2f})"
        lines.append(wrapped(f"trend of the difference before the start: {trend}", 4))
    lines += [wrapped(f"way out: {way}", 4) for way in found["ways_out"]]
    return lines


def _change(change: float, scale: str) -> str:
    """Write a change on a scale: of logarithms as the relative fall that it is, of shares in percentage points."""
    return f"{100 * change:.1f} pp" if scale == "plain" else f"{-math.expm1(-change):.0%}"


def _smallest(row: Mapping[str, Any]) -> str:
    if row["smallest"] is None:
        return "none: too few mature cases or launched units by then, or nothing known of the spread"
    said = plain(row["smallest"], row["unit"])
    if row["decides"] is False:
        return f"{said}; the smallest lift worth having is less ({plain(row['worth_having'], row['unit'])})"
    return said


def measured_text(data: Mapping[str, Any]) -> str:
    """Render readings, and below them the money of each use case."""
    lines = [readings_text(data)]
    lines += _spreads(data.get("histograms", []))
    lines += _quantiles(data.get("quantiles", []))
    if data["money"]:
        currency = data["currency"] or "money"
        lines += ["", f"{currency:<22}{'promised/y':>13}{'measured/y':>13}{'realised':>13}{'spent':>13}"]
    for one in data["money"]:
        figures = (one[key] for key in ("promised", "measured", "realised", "spend"))
        lines.append(f"{one['use_case']:<22}" + "".join(f"{_money(figure):>13}" for figure in figures))
    lines += _people(data["people"] or [])
    lines += _ready(data.get("readiness", []))
    lines += health_lines(data.get("health", {}))
    drawn = [f"Drawn: {one['file']}" for one in data.get("pictures", [])]
    return "\n".join([*lines, *_findings(data), *([""] if drawn else []), *drawn])


def _people(rows: list[Mapping[str, Any]]) -> list[str]:
    """Render who is trained against the plan, and who uses it against the target, a block a workflow."""
    lines: list[str] = []
    for one in rows:
        plan = f"; planned: {one['plan']['text']}" if one["plan"] else "; no plan is declared"
        lines += ["", f"{one['workflow']}, people"]
        lines.append(wrapped(f"trained {_count(one['trained'])} of {_count(one['eligible'])} eligible{plan}", 2))
        lines += [wrapped(line, 2) for line in _use(one)]
        lines += [wrapped(f"not known: {why}", 2) for why in one["unknown"]]
    return lines


def _use(one: Mapping[str, Any]) -> list[str]:
    cases, users = one["among_cases"], one["among_people"]
    said = []
    if cases is not None:
        target = f"; target {cases['target']}" if cases["target"] else ""
        ends = f" [{cases['lower']:.1%}, {cases['upper']:.1%}]" if cases["lower"] is not None else ""
        value = "unknown" if cases["estimate"] is None else f"{cases['estimate']:.1%}"
        said.append(f"{cases['kpi']}: {value} of {cases['n']} treated cases{ends}{target}")
    if users is not None:
        target = f"; target {users['target']:.0%}" if users["target"] is not None else ""
        said.append(f"used by {users['users']} of {users['eligible']} eligible people{target}")
    return said


def _count(number: int | None) -> str:
    return "unknown" if number is None else str(number)


def _ready(sources: list[Mapping[str, Any]]) -> list[str]:
    """Render the readiness of data: a line a source, then its parts with their reasons."""
    lines: list[str] = []
    for one in sources:
        score = "unknown" if one["score"] is None else f"{one['score']:.2f} of 1"
        lines += ["", f"data.{one['data']}, readiness: {score}"]
        lines += [_part(part) for part in one["parts"]]
    return lines


# Where the reasons of readiness begin.
_REASONS = 35


def _part(part: Mapping[str, Any]) -> str:
    value = f"{part['value']:.3f}" if part["value"] is not None else "unknown" if part["needed"] else "-"
    n = "" if part["n"] is None else f"{part['n']:,}"
    said = textwrap.wrap(part["because"], WIDTH - _REASONS, break_long_words=False)
    return "\n".join(
        [f"  {part['part']:<13}{value:>8}{n:>10}  {said[0]}", *(f"{'':{_REASONS}}{line}" for line in said[1:])]
    )


def _findings(data: Mapping[str, Any]) -> list[str]:
    """Render what was found, each in a line or two; `trueup check DIR --with-data` shows them whole."""
    if data["findings_unknown"] is not None:
        return ["", wrapped(f"Findings are not known: {data['findings_unknown']}", 0)]
    found = [one for one in data["findings"] if "waived" not in one]
    if not found:
        return []
    lines = ["", f"Findings: {len(found)}. With what to do: trueup check DIR --with-data"]
    lines += [
        wrapped(f"{one['severity']} {one['code']} {one['file']}:{one['line']}  {one['detail']}", 2) for one in found
    ]
    return lines


_BARS = " ▁▂▃▄▅▆▇█"


def _spreads(histograms: list[Mapping[str, Any]]) -> list[str]:
    """Draw each week's spread as a row of bars, lowest bucket first."""
    lines: list[str] = []
    for (workflow, kpi), rows in groupby(histograms, key=lambda row: (row["workflow"], row["kpi"])):
        listed = list(rows)
        edges = listed[0]["edges"]
        ends = f"{plain(edges[0], listed[0]['unit'])} to {plain(edges[-1], listed[0]['unit'])} and more"
        lines += ["", f"{workflow}.{kpi}, spread: {len(edges)} buckets from {ends}"]
        lines += [f"  {row['week']:<11} {row['arm']:<10} |{_bars(row['counts'])}|" for row in listed]
    return lines


def _quantiles(rows: list[Mapping[str, Any]]) -> list[str]:
    """Render medians and 90th percentiles, a block a KPI."""
    lines: list[str] = []
    for (workflow, kpi), found in groupby(rows, key=lambda row: (row["workflow"], row["kpi"])):
        lines += ["", f"{workflow}.{kpi}, quantiles (95% at any time, cases taken as independent)"]
        for row in found:
            name = "median" if row["quantile"] == 0.5 else f"p{100 * row['quantile']:.0f}"
            upper = "and more" if row["upper"] is None else plain(row["upper"], row["unit"])
            ends = f"[{plain(row['lower'], row['unit'])}, {upper}]"
            lines.append(f"  {row['arm']:<10} {name:<7} {row['n']:>6}  {plain(row['value'], row['unit']):>10}  {ends}")
    return lines


def _bars(counts: list[int]) -> str:
    most = max(counts) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _money(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:,.0f}"


def readings_text(data: Mapping[str, Any]) -> str:
    """Render weekly readings, a block a KPI, and below it one for each segment that was asked for."""
    if not data["readings"]:
        return "There are no readings: no case has matured yet, or no workflow declares KPIs."
    blocks: dict[tuple[str, str], dict[str | None, list[Mapping[str, Any]]]] = {}
    for row in data["readings"]:
        blocks.setdefault((row["workflow"], row["kpi"]), {None: []}).setdefault(row["segment"], []).append(row)
    lines: list[str] = []
    for (workflow, kpi), by_segment in blocks.items():
        for segment, rows in by_segment.items():
            lines += _block(f"{workflow}.{kpi}{f'  {segment}' if segment else ''}", rows)
    return "\n".join(lines[1:])


def _block(title: str, rows: list[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"{title}  (level {rows[0]['evidence_level']})"]
    lines.append(f"  {'week':<11} {'arm':<10} {'n':>6}  {'value':>10}  {'95% of the week':<22} immature capped")
    lines += [_row(row) for row in rows]
    missing = sum(row.get("without_value") or 0 for row in rows)
    # Shown and not counted: a mean over the others alone is not that of all.
    return [*lines, f"  without a value, and not counted: {missing}"] if missing else lines


def _row(row: Mapping[str, Any]) -> str:
    interval = ""
    if row["lower"] is not None:
        interval = f"[{plain(row['lower'], row['unit'])}, {plain(row['upper'], row['unit'])}]"
    value = plain(row["value"], row["unit"])
    return (
        f"  {row['week'] or '':<11} {row['arm']:<10} {row['n']:>6}  {value:>10}  {interval:<22} "
        f"{row['immature']:>8} {row['capped']:>6}"
    )
