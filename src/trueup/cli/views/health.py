"""The health of a model as people read it: what moved, how sure it may be, whom it treats otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.views.figures import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAMES = {
    "selection": "selection rate",
    "error": "error rate",
    "escalation": "escalation rate",
    "false_positive": "false positive rate",
    "false_negative": "false negative rate",
}
_SHARED = "where weeks do not follow each other, 5% of reports claim a move of nothing at most"


def health_lines(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Render the health of each workflow, a block a workflow."""
    return [line for name, report in reports.items() for line in _workflow(name, report)]


def _workflow(name: str, report: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    if report["unknown"]:
        yield f"{name}, health"
        yield _unknown("not known", report)
        yield from gap_lines(report["gaps"])
        return
    then, now = report["reference"], report["recent"]
    yield f"{name}, health: {now['cases']} cases since {now['since'][:10]}, against {then['cases']} from"
    yield f"  {then['since'][:10]} to {then['until'][:10]}"
    if any(not one["unknown"] for one in report["fields"]):
        yield f"  {'drift':<24}{'index':>7}{'p':>8}{'adjusted':>10}  state"
    for one in report["fields"]:
        if not one["unknown"]:
            yield from _field(one)
    yield from _fields_unknown(report["fields"])
    yield from _joint(report["joint"])
    if any(not one["unknown"] for one in report["fields"]):
        yield wrapped(f"p: weeks in random order move as far; {_SHARED}. Drifted: sure, and index above .25.", 4)
    yield from _calibration(report["calibration"])
    yield from _groups(report["groups"])
    yield from gap_lines(report["gaps"])


def _unknown(what: str, part: Mapping[str, Any]) -> str:
    return wrapped(f"{what}: {part['unknown']['because']} ({part['unknown']['code']})", 2)


def _named(one: Mapping[str, Any]) -> str:
    return str(one["field"]) if one["role"] == "input" else f"{one['field']} ({one['role']})"


def _fields_unknown(fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Render fields that are unknown, those of one reason together."""
    together: dict[str, list[str]] = {}
    for one in fields:
        if one["unknown"]:
            together.setdefault(f"{one['unknown']['because']} ({one['unknown']['code']})", []).append(_named(one))
    for why, names in together.items():
        yield wrapped(f"{', '.join(names)}: unknown: {why}", 2)


def _field(one: Mapping[str, Any]) -> Iterator[str]:
    name = _named(one)
    yield f"  {name:<24}{one['index']:>7.2f}{one['p_value']:>8.4f}{one['adjusted']:>10.4f}  {one['state']}"
    most = one["moved_most"]
    if one["state"] != "steady":
        yield wrapped(f"{most['value']}: from {most['was']:.0%} to {most['now']:.0%}", 4)


def _joint(joint: Mapping[str, Any]) -> Iterator[str]:
    if joint["unknown"]:
        yield _unknown("all inputs together: unknown", joint)
        return
    yield f"  {'all inputs together':<24}{'':>7}{joint['p_value']:>8.4f}{joint['adjusted']:>10.4f}  {joint['state']}"
    yield wrapped(
        f"a classifier tells a recent case from an earlier one in {joint['auc']:.0%} of pairs (chance 50%)", 4
    )


def _calibration(found: Mapping[str, Any]) -> Iterator[str]:
    if found["unknown"]:
        yield _unknown("calibration: unknown", found)
        return
    right = found["accuracy"]
    yield wrapped(
        f"calibration: right in {right['estimate']:.1%} of {found['reviewed']} reviewed cases "
        f"[{right['lower']:.1%}, {right['upper']:.1%}], sure of {found['mean_confidence']:.1%}; expected calibration "
        f"error {found['expected_calibration_error']:.3f} (a calibrated model would show about "
        f"{found['expected_if_calibrated']:.3f} by chance): {found['state'].replace('-', ' ')}",
        2,
    )
    yield f"    {'confidence':<16}{'n':>6}{'sure':>8}{'right':>8}  {'all bins at once, 95%':<22}"
    for one in found["bins"]:
        share = one["right"]
        ends = f"[{share['lower']:.1%}, {share['upper']:.1%}]"
        span = f"{one['low']:.3f} to {one['high']:.3f}"
        off = "  off" if one["off"] else ""
        yield f"    {span:<16}{one['n']:>6}{one['confidence']:>8.1%}{share['estimate']:>8.1%}  {ends:<20}{off}"


def _groups(found: Mapping[str, Any]) -> Iterator[str]:
    if found["unknown"]:
        yield _unknown("groups: unknown", found)
        return
    for rate in found["rates"]:
        yield from _rate(found["field"], rate)
    for name in ("demographic_parity_difference", "equalized_odds_difference"):
        if found[name]:
            yield wrapped(f"{name.replace('_', ' ')}: {_points(found[name])}", 2)
    if found["demographic_parity_ratio"] is not None:
        yield wrapped(f"demographic parity ratio: {found['demographic_parity_ratio']:.2f}", 2)


def gap_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Render what was uncertain, topic by topic."""
    if found["unknown"]:
        yield _unknown("gaps: unknown", found)
        return
    yield wrapped(
        f"gaps: of {found['cases']} cases at the gate since {found['since'][:10]}, {found['low_confidence']} were not "
        f"sure enough and {found['unanswered']} rested on no source",
        2,
    )
    if found["topics"]:
        yield f"    {found['by']:<28}{'cases':>7}{'uncertain':>11}{'not sure':>10}{'no source':>11}"
    for one in found["topics"]:
        topic = "others" if one["topic"] is None else one["topic"]
        yield (
            f"    {topic:<28.28}{one['cases']:>7}{one['uncertain']:>11}{one['low_confidence']:>10}"
            f"{one['unanswered']:>11}"
        )


def _rate(field: str, rate: Mapping[str, Any]) -> Iterator[str]:
    name = _NAMES[rate["rate"]]
    if rate["unknown"] and not rate["groups"]:
        yield _unknown(f"{name}: unknown", rate)
        return
    yield f"  {name} by {field} ({rate['level']:.1%} each)"
    for one in rate["groups"]:
        small = "  too few to compare" if one["small"] else ""
        ends = f"[{one['lower']:.1%}, {one['upper']:.1%}]"
        yield f"    {one['group']:<22}{one['n']:>6}{one['estimate']:>8.1%}  {ends}{small}"
    if rate["unknown"]:
        yield _unknown("  not compared", rate)
    else:
        yield wrapped(f"most apart: {rate['high']} and {rate['low']}, {_points(rate['difference'])}", 4)


def _points(difference: Mapping[str, float]) -> str:
    lower, upper = difference["lower"] * 100, difference["upper"] * 100
    return f"{difference['estimate'] * 100:.1f} pp [{lower:.1f}, {upper:.1f}]"
