"""How people read the route, the ranked portfolio and the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.choose.amounts import between, middle
from trueup.cli.views.figures import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping


def assess_text(data: Mapping[str, Any]) -> str:
    """Render the assessment: the route first, then what stops it, what to do, what not, what would change it."""
    lines = [_route(data), ""]
    lines += [line for row in data["factors"] for line in _factor(row)]
    lines += [
        wrapped(f"BLOCKER  {row['factor'].replace('_', ' ')} is 0: {row['because']}", 0) for row in data["blockers"]
    ]
    lines += ["", "Next four weeks"]
    lines += [wrapped(_step(step), 2) for step in data["next"]]
    lines += ["", "Not now", *(wrapped(line, 2) for line in data["not_now"] or ["what that is follows from the route"])]
    lines += ["", *_entry(data["entry_point"]), "", *_model(data["operating_model"]), ""]
    lines += ["Who decides", *(_right(right) for right in data["decision_rights"])]
    lines += ["", "Another answer that would change the route"]
    lines += [f"  {_change(change)}" for change in data["would_change"]] or ["  none of them alone"]
    return "\n".join(lines)


def _route(data: Mapping[str, Any]) -> str:
    low, high = data["range"]
    if data["route"] is None:
        missing = ", ".join(name.replace("_", " ") for name in data["unanswered"])
        known = f"Route not known yet: {low} to {high} of 10, so {' or '.join(data['routes'])}."
        return f"{wrapped(known, 0)}\n{wrapped(f'Not answered: {missing}.', 0)}"
    score = f"{low} of 10" if data["score"] is not None else f"{low} to {high} of 10"
    return f"Route: {data['route']} ({score}): {data['meaning']}."


def _factor(row: Mapping[str, Any]) -> list[str]:
    score = "?" if row["score"] is None else row["score"]
    said = f"  {row['factor'].replace('_', ' '):<17}{score}  {row['because'] or 'no reason given'}"
    return [said] if row["measured"] is None else [said, wrapped(_evidence(row["measured"]), 22)]


def _evidence(found: Mapping[str, Any]) -> str:
    if found["measured"] is None:
        return f"{found['data']} was not measured: {found['because']}"
    holds = "bears it out" if found["holds"] else f"is nearer to {found['nearest']}"
    return f"{found['data']} is measured at {found['measured']:.2f} of 1, which {holds}: {found['because']}"


def _step(step: Mapping[str, Any]) -> str:
    first, last = step["weeks"]
    weeks = f"week {first}" if first == last else f"weeks {first}-{last}"
    return f"{weeks}: {step['what']} ({step['owner'] or 'nobody is named'})"


def _entry(entry: Mapping[str, Any] | None) -> list[str]:
    if entry is None:
        return ["Entry point not known: assessment.landscape is not answered."]
    weeks = f" ({entry['weeks'][0]} to {entry['weeks'][1]} weeks)" if entry["weeks"] else ""
    return [wrapped(f"Enter here: {entry['title']}{weeks}", 0), *(wrapped(step, 2) for step in entry["steps"])]


def _model(model: Mapping[str, Any]) -> list[str]:
    fitting = model["recommended"] or f"{' or '.join(model['possible'])}, depending on {', '.join(model['unknown'])}"
    lines = [wrapped(f"Operating model: {model['declared'] or 'not declared'}; recommended: {fitting}", 0)]
    lines += [wrapped(line, 2) for line in model["because"]]
    return [*lines, *(wrapped(f"known to fail when {mode}", 2) for mode in model["failure_modes"])]


def _right(right: Mapping[str, Any]) -> str:
    who = ", ".join(right["who"]) or "nobody is named"
    return wrapped(f"{right['decision']:<24}{who} ({right['by']})", 2)


def _change(change: Mapping[str, Any]) -> str:
    given = "not answered" if change["from"] is None else change["from"]
    blocked = "; and it blocks" if change["blockers"] else ""
    return f"{change['answer'].replace('_', ' ')} {given} -> {change['to']}: {change['route']}{blocked}"


def rank_text(data: Mapping[str, Any]) -> str:
    """Render the portfolio: a line a use case with its ranges, then why, then what the set takes of each limit."""
    if not data["use_cases"]:
        return "There are no use cases to rank. Each is a file in use-cases/."
    currency = data["currency"] or "no currency"
    lines = [f"Portfolio as of {data['as_of']} · {currency} over {data['horizon']['years']:g} years", ""]
    lines.append(f"     {'use case':<24}{'value p10..p90':>17}{'cost p50':>10}{'chance':>8}{'P(funded)':>11}")
    for case in data["use_cases"]:
        mark = "in " if case["selected"] else "out"
        lines.append(
            f"{mark}  {case['id'][:23]:<24}{between(case['value']):>17}{middle(case['cost']):>10}"
            f"{case['success']:>8.2f}{case['p_funded']:>11.2f}"
        )
        lines += [wrapped(reason, 5) for reason in case["because"]]
    lines += ["", "Taken of the limits:"]
    lines += [f"  {_limit(name, row)}" for name, row in data["limits"].items()] or ["  no limit is declared"]
    gap = "proven best" if data["gap"] == 0 else f"within {data['gap']:.2%} of the best possible"
    measured = [one for one in data.get("readiness", []) if one["score"] is not None]
    if measured:
        lines += ["", "Measured readiness of data, by which success is ranked:"]
        lines += [wrapped(f"data.{one['data']} {one['score']:.2f} of 1: {one['because']}", 2) for one in measured]
    lines += ["", f"Expected net value {data['expected_net']:,.0f}, {gap}; {data['draws']} draws, seed {data['seed']}."]
    lines += [wrapped(f"note: {note}", 0) for note in data["notes"]]
    return "\n".join(lines)


def _limit(name: str, row: Mapping[str, Any]) -> str:
    unknown = f", not known for {', '.join(row['unknown'])}" if row["unknown"] else ""
    return f"{name.replace('_', ' '):<16}{row['used']:>12,.0f} of {row['limit']:,.0f}{unknown}"


def roadmap_text(data: Mapping[str, Any]) -> str:
    """Render the plan: what falls due within 30, 60 and 90 days, then the weeks of every pilot with their gates."""
    lines = [f"Roadmap from {data['as_of']} · route {data['route'] or 'not known yet'}"]
    for days, rows in data["horizons"].items():
        lines += ["", f"Within {days} days", *([wrapped(_due(row), 2) for row in rows] or ["  nothing is due"])]
    lines += ["", "Weeks, from each pilot's start"]
    for week in data["weeks"]:
        if week["items"] or week["gates"]:
            lines.append(wrapped(f"week {week['week']:>2}  {week['phase']}: {_what(week)}", 2))
            lines += [f"           {_planned_gate(gate)}" for gate in week["gates"]]
    if not data["tracks"]:
        lines.append("  nothing is in pilot, and nothing is chosen to be")
    lines += [f"  {_starts(track)}" for track in data["tracks"]]
    if data["blockers"]:
        lines += ["", "In the way", *(wrapped(_in_the_way(blocker), 2) for blocker in data["blockers"])]
    return "\n".join(lines)


def _due(row: Mapping[str, Any]) -> str:
    late = " OVERDUE" if row["overdue"] else ""
    return f"{row['due']}{late}  {row['what']} ({row['owner'] or 'nobody is named'})"


def _what(week: Mapping[str, Any]) -> str:
    return str(week["items"][0]["what"]) if week["items"] else "a later gate"


def _planned_gate(gate: Mapping[str, Any]) -> str:
    said = gate["outcome"] or ("scale decision" if gate["scale"] else "open")
    about = " (assumed)" if gate["assumed"] else ""
    return f"{gate['due']}{about}  {gate['gate']:<8} {gate['use_case']}: {said}"


def _starts(track: Mapping[str, Any]) -> str:
    said = f"{track['starts']} at the earliest; pilot.starts is not declared" if track["assumed"] else track["starts"]
    return f"{track['use_case']} starts {said}"


def _in_the_way(blocker: Mapping[str, Any]) -> str:
    where = f" ({blocker['file']}:{blocker['line']})" if "file" in blocker else ""
    return f"{blocker['code'] or 'BLOCKER'} {blocker['what']}{where}"


def brief_text(data: Mapping[str, Any]) -> str:
    """Name the file, and what the page asks for."""
    asks = [wrapped(line, 2) for line in data["page"]["decision"]["rows"]]
    return "\n".join([f"wrote {data['file']}", "", "It asks for:", *asks])
