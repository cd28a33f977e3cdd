"""A review, a chain and an applied review as people read them: 80 columns, no colour needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.views.figures import WIDTH, correlations, difference, plain, signed, unit_word, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_FORETOLD = 104


def review_text(data: Mapping[str, Any], folder: str = "DIR", *, next_steps: bool = True) -> str:
    """Render a review: one line of verdict a change, what it rests on below it, what to type next."""
    instant = data["as_of"].replace("T", " ").replace(":00Z", "Z")
    pilots = data["pilots"]
    lines = [f"Review {data['as_of'][:10]} · {pilots} pilot{'s' * (pilots != 1)} · as of {instant}", ""]
    changes = data["changes"]
    for change in changes:
        lines += _change_lines(change)
    if not changes:
        lines.append("  Nothing is left to decide.")
    if next_steps:
        lines += ["", *_next(data, folder)]
    return "\n".join(lines)


def _next(data: Mapping[str, Any], folder: str) -> list[str]:
    count = len(data["changes"])
    if not count:
        return ["To hold the weekly checkpoint:", f"    trueup apply {folder} {data['id']} --by WHO"]
    return [
        f"{count} change{'s' * (count != 1)}. To see why one was proposed:",
        f"    trueup why {folder} {data['id']} 1",
        "To sign and apply exactly these:",
        f"    trueup apply {folder} {data['id']} --by WHO",
    ]


def _change_lines(change: Mapping[str, Any]) -> list[str]:
    return _LINES.get(change["kind"], _other_lines)(change)


def _other_lines(change: Mapping[str, Any]) -> list[str]:
    """Write a kind that has no form of its own: a review made by a later version opens, too."""
    return [wrapped(f"{change['kind'].upper()} {change['subject']}", 2), wrapped(str(change["because"]))]


def _head(outcome: str, subject: str, about: str) -> str:
    return f"  {outcome.upper():<5} {subject:<18} {about:<9} "


def _gate_lines(change: Mapping[str, Any]) -> list[str]:
    head = _head(change["outcome"], change["subject"], change["gate"])
    design = change["code"] if change["outcome"] == "unknown" else f"{change['design']} · {change['evidence_level']}"
    figures = f"{change['kpi']:<13}{difference(change, change['unit'])}" if change["estimate"] is not None else ""
    lines = [f"{head}{figures}  {design}" if figures else f"{head}{design}"]
    if len(lines[0]) > WIDTH:
        lines = [f"{head}{design}", f"        {change['kpi']} {difference(change, change['unit'])}"]
    lines += [
        wrapped(f"guardrail {rail['kpi']} {difference(rail, rail['unit'])}: {rail['state']}")
        for rail in change["guardrails"]
    ]
    lines += _beside_raw(change.get("adjusted"), change["unit"])
    lines.append(wrapped(_because(change)))
    lines += [wrapped(_downstream(one)) for one in change.get("downstream", ()) if one["state"] == "worse"]
    if (change.get("checks") or {}).get("says"):
        lines.append(wrapped(f"beside it: {change['checks']['says']}"))
    if (change.get("portfolio") or {}).get("e_value"):
        lines.append(wrapped(f"portfolio: {change['portfolio']['because']}"))
    return lines + [wrapped(f"note: {note}") for note in change["notes"]]


def _beside_raw(beside: Mapping[str, Any] | None, unit: str) -> list[str]:
    """Write what was known beforehand beside the raw figure, and which of them decides."""
    if beside is None:
        return []
    decides = {which: " (decides)" if beside["decides"] == which else "" for which in ("raw", "adjusted")}
    said = [f"raw {difference(beside['raw'], unit)}{decides['raw']}"] if beside["raw"] else []
    if beside["adjusted"]:
        at = ", ".join(beside["covariates"])
        said.append(f"at equal {at} {difference(beside['adjusted'], unit)}{decides['adjusted']}")
    if beside["standardised"]:
        turned = ": the mix decides the sign" if beside["reversed"] else ""
        said.append(f"at equal mix of {', '.join(beside['strata'])} {difference(beside['standardised'], unit)}{turned}")
    if beside["because"]:
        said.append(f"not adjusted: {beside['because']}")
    return [wrapped(line) for line in said]


def _downstream(one: Mapping[str, Any]) -> str:
    eats = "" if one["eats"] is None else f", {one['eats']:.0%} of the gain"
    figures = f"{one['workflow']}.{one['kpi']} {difference(one, one['unit'])} ({one['evidence_level']})"
    return f"downstream {figures}: worse{eats}{'; too little is left' if one['eaten'] and eats else ''}"


def _because(change: Mapping[str, Any]) -> str:
    weeks = change.get("forecast_weeks")
    # Beyond two years the count promises a precision that the estimate has not.
    about = f"about {weeks} more week{'s' * (weeks != 1)}" if (weeks or 0) <= _FORETOLD else "more than two more years"
    forecast = f"; {about} at this volume" if weeks else ""
    waive = f"; may be waived by name: {', '.join(change['waivable'])}" if change["waivable"] else ""
    return f"{change['because']}{forecast}{waive}"


def _assumption_lines(change: Mapping[str, Any]) -> list[str]:
    measured = f"{change['measured']:.3g} measured, {change['direction']} {change['bound']:.3g} assumed"
    lines = [wrapped(f"{'HOLDS' if change['holds'] else 'FALSE':<6}assumption {change['id']}   {measured}", 2)]
    if change["supports"]:
        lines.append(wrapped(f"supports {', '.join(change['supports'])}"))
    return lines


def _autonomy_lines(change: Mapping[str, Any]) -> list[str]:
    lines = [f"{_head(change['move'], change['subject'], 'autonomy')}{change['from']} -> {change['to']}"]
    waive = f"; may be waived by name: {', '.join(change['waivable'])}" if change["waivable"] else ""
    return [*lines, wrapped(f"{change['because']}{waive}")]


def _rank_lines(change: Mapping[str, Any]) -> list[str]:
    places = f"{change['from']} -> {change['to']}"
    funded = f"P(funded) {change['p_funded_from']:.2f} -> {change['p_funded']:.2f}"
    head = f"  RANK  {change['id']:<18} {places}  {funded}"
    above = f"{head}  because of the above"
    lines = [above if change["rests_on"] and len(above) <= WIDTH else head]
    if change["selected"] != change["selected_from"]:
        lines.append(wrapped("now in the funded set" if change["selected"] else "no longer in the funded set"))
    return [*lines, wrapped(change["because"])]


def _expand_lines(change: Mapping[str, Any]) -> list[str]:
    word = "EXPAND" if change["outcome"] == "expand" else "HOLD"
    lines = [wrapped(f"{word:<7}{change['subject']} to {change['next']}", 2), wrapped(change["because"])]
    if change["waivable"]:
        return [*lines, wrapped(f"may be waived by name: {', '.join(change['waivable'])}")]
    return [*lines, wrapped(f"writes {change['file']}, in shadow; left open there: {', '.join(change['left_open'])}")]


def _finding_lines(change: Mapping[str, Any]) -> list[str]:
    head = f"{change['severity'].upper():<8}{change['code']} {change['summary']}"
    body, _, command = change["fix"].partition("\n")
    lines = [wrapped(head, 2), wrapped(change["detail"]), wrapped(f"-> {body}")]
    return [*lines, f"            {command.strip()}"] if command else lines


_LINES: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "gate": _gate_lines,
    "assumption": _assumption_lines,
    "autonomy": _autonomy_lines,
    "rank": _rank_lines,
    "expand": _expand_lines,
    "finding": _finding_lines,
}


def applied_text(data: Mapping[str, Any]) -> str:
    """Render what an apply did."""
    lines = [f"Applied {data['review']} by {data['by']} ({'signed' if data['signed'] else 'claimed, not signed'})."]
    lines += [f"  {done['outcome']:<8} {done['subject']} {done['gate'] or ''}".rstrip() for done in data["applied"]]
    lines += [f"  declined {done['subject']} {done['gate'] or ''}".rstrip() for done in data["declined"]]
    if data["left"]:
        numbers = ", ".join(str(n) for n in data["left"])
        lines.append(f"  left open (findings that {data['by']} may not sign): {numbers}")
    lines.append(f"Files: {', '.join(data['files'])}")
    lines.append(f"Ledger entries: {', '.join(str(index) for index in data['entries'])}")
    lines.append(f"Commit: {data['commit'] or 'none (the programme is not in a git work tree)'}")
    return "\n".join(lines)


def chain_text(data: Mapping[str, Any]) -> str:
    """Render the chain behind a change, from the verdict down to events and the declared line."""
    change = data["change"]
    lines = _change_lines(change)
    formula = data["formula"]
    lines += ["", "Formula", wrapped(formula["name"], 2), wrapped(formula["expression"], 2)]
    lines += _inputs(formula["inputs"], change.get("unit"))
    lines += _bar(change)
    lines += _overturning(change.get("sensitivity"), change.get("unit"))
    lines += _beside(change)
    lines += _portfolio(change.get("portfolio"))
    lines += _readings(data["readings"])
    lines += _events(data["events"], change.get("unit"))
    declared = data["declared"]
    lines += ["", "Declared", f"  {declared['file']}:{declared['line']}:{declared['col']}"]
    lines.append(wrapped(declared["text"], 4))
    for name, digest in data["data"].items():
        lines += [f"  data {name}, SHA-256", f"    {digest.removeprefix('sha256:')}"]
    return "\n".join(lines)


def _bar(change: Mapping[str, Any]) -> list[str]:
    bar = change.get("bar")
    if not bar or bar["estimate"] is None:
        return []
    text = f"bar {bar['text']}: {difference(bar, change['unit'])} against {bar['threshold']:+g}: {bar['side']}"
    lines = [wrapped(text, 2)]
    if change.get("watched"):
        lines.append(wrapped(f"watched every week: {difference(change['watched'], change['unit'])}", 2))
    return lines


def _overturning(found: Mapping[str, Any] | None, unit: str | None) -> list[str]:
    """Say which week or unit alone carries the verdict, and what bias would take the claim back."""
    if not found:
        return []
    lines = []
    for kind in ("week", "unit"):
        count, turning = found[f"{kind}s"], found[f"turning_{kind}s"]
        said = (
            "the side of the bar stays"
            if not turning
            else f"without {', '.join(turning)} it is another side of the bar"
        )
        lines += [wrapped(f"each of {count} {kind}s left out in turn: {said}", 2)] if count else []
    if found["bias"] is not None:
        size = signed(found["bias"], unit).lstrip("+")
        lines.append(wrapped(f"a bias of {size} {unit_word(unit)} in the treated would bring it back to the bar", 2))
    return lines and ["", "What would overturn it", *lines]


def _beside(change: Mapping[str, Any]) -> list[str]:
    """Render what stands beside a comparison: checks of its design, and what comes after it."""
    checks, downstream = change.get("checks") or {}, change.get("downstream") or ()
    lines = ["", "Beside it"] if checks or downstream else []
    placebo, synthetic = checks.get("placebo"), checks.get("synthetic")
    if placebo:
        said = f"placebo: {placebo['as_large']} of {placebo['groups']} groups of untouched units changed as much"
        lines.append(wrapped(said, 2))
    for control in checks.get("negative_controls", ()):
        moved = "moved" if control["moved"] else "stayed"
        lines.append(wrapped(f"negative control {control['kpi']} {difference(control, control['unit'])}: {moved}", 2))
    if synthetic:
        mixed = ", ".join(f"{unit} {part:.2f}" for unit, part in synthetic["weights"].items() if part >= 0.005)
        said = f"synthetic control {synthetic['estimate']:+.3g} {change['unit']}, mixed of {mixed}"
        lines.append(wrapped(f"{said}; {synthetic['as_large']} of {synthetic['groups']} others departed as far", 2))
    for one in downstream:
        figures = difference(one, one["unit"]) if one["estimate"] is not None else one["because"]
        lines.append(wrapped(f"downstream {one['workflow']}.{one['kpi']}: {figures}: {one['state']}", 2))
    return lines


def _portfolio(view: Mapping[str, Any] | None) -> list[str]:
    """Render the pilots of a cycle with what each has gathered, most first."""
    if not view:
        return []
    lines = ["", f"Portfolio (cycle {view['cycle']}; at most 5% of what it supports is false, on average)"]
    for one in view["members"]:
        gathered = "none" if one["e_value"] is None else f"{one['e_value']:.3g}"
        kept = {"signed": f"kept from ledger entry {one['entry']}", "gate": "at its gate", "watched": "watched"}
        came = f"{kept[one['from']]}, {one['on'][:10]}" if one["from"] else "nothing, stopped or below level C"
        lines.append(f"  {one['workflow']:<22} e-value {gathered:>9}  {came}")
    return lines


def _inputs(inputs: Mapping[str, Any], unit: str | None) -> list[str]:
    arms = [arm for arm in ("treated", "control") if isinstance(inputs.get(arm), dict)]
    if not arms:
        return _plain_inputs(inputs)
    lines = [f"  {arm:<8} {_arm(inputs[arm], inputs, unit)}" for arm in arms]
    if not any("icc" in inputs[arm] for arm in arms):
        # A chain that an earlier version wrote.
        return lines
    return [*lines, wrapped(f"weeks: {'; '.join(f'{arm} {correlations(inputs[arm])}' for arm in arms)}", 2)]


def _arm(side: Mapping[str, Any], inputs: Mapping[str, Any], unit: str | None) -> str:
    """Write what the formula took from an arm: its cases, or the means of its weeks or units."""
    if inputs["basis"] == "cases":
        variance = "unknown" if side["variance"] is None else f"{side['variance']:.4g}"
        return f"n {side['n']:>6}  mean {plain(side['mean'], unit)}  variance {variance}"
    blocks = side["blocks"]
    word = "unit" if inputs["basis"] == "units" else "week"
    word += "s" * (len(blocks) != 1)
    if inputs.get("scale", "plain") != "plain":
        return f"{len(blocks)} {word} ({side['n']} cases)  geometric mean of the cases {plain(side['mean'], unit)}"
    mean = sum(blocks) / len(blocks) if blocks else None
    return f"{len(blocks)} {word} ({side['n']} cases)  mean of their means {plain(mean, unit)}"


def _plain_inputs(inputs: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in inputs.items():
        if isinstance(value, dict):
            lines += [f"  {key} {name}: {_listed(one)}" for name, one in value.items()]
        elif key != "digest":
            lines.append(f"  {key}: {_listed(value)}")
    return lines


def _listed(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_listed(one)}" for name, one in value.items()) or "none"
    if value is None:
        return "unknown"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _readings(readings: list[Mapping[str, Any]]) -> list[str]:
    if not readings:
        return []
    lines = ["", "Readings (week of case start; n mature, value, 95% of that week alone)"]
    lines += [
        f"  {reading['id']}  {reading['week']}  {reading['arm']:<9} {reading['n']:>5}  "
        f"{plain(reading['value'], reading['unit'])}"
        for reading in readings[-24:]
    ]
    if len(readings) > 24:
        lines.append(f"  ... and {len(readings) - 24} earlier ones (--json prints all)")
    return lines


def _events(events: Mapping[str, Any], unit: str | None) -> list[str]:
    if not events["sample"]:
        return []
    lines = ["", f"Events ({events['cases']} cases; lowest, middle and highest of each arm)"]
    for case in events["sample"]:
        capped = " (capped)" if case["capped"] else ""
        lines.append(f"  {case['case']}  {case['arm']}  {plain(case['value'], unit)}{capped}")
        lines += [f"      {event.get('at')}  {event.get('activity')}" for event in case["events"][:8]]
    return lines
