"""From a change to what it rests on: readings, formula with its numbers, events, the declared line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.declare.programme import PROGRAMME_FILE, workflow_file
from trueup.kernel.clock import parse_instant, start_of_day
from trueup.kernel.errors import UsageError
from trueup.kernel.finding import Span
from trueup.loop.review import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trueup.loop.workbench import Workbench
    from trueup.observe.tables import CaseVector

_SAMPLED = 3
# By the basis of a comparison that is analysed as a whole.
_DESIGNS = {
    "stable weeks": "change of weekly means against their own past, with the margin of so many weeks",
    "matched units": "change of the weekly difference between units, with the margin of so many weeks",
    "rollout order": "effects that other orders of the same launches do not explain as well (permutation)",
}


def why(bench: Workbench, review: str, n: int) -> dict[str, Any]:
    """Open change `n` of a saved review.

    Raises NotFoundError for an unknown review, UsageError for a number that it does not have.
    """
    return open_change(bench, load(bench, review), n)


def open_change(bench: Workbench, saved: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Open change `n` of a review, saved or not. Raises UsageError for a number that it does not have."""
    changes = saved["changes"]
    if not 1 <= n <= len(changes):
        raise UsageError("no-such-change", f"{saved['id']} has {len(changes)} changes; there is no {n}.", "")
    change, chain = changes[n - 1], saved["chains"][n - 1]
    opened: dict[str, Any] = {
        "review": saved["id"],
        "change": change,
        "readings": chain["readings"],
        "formula": chain.get("formula") or formula_of(change, chain["inputs"]),
        "events": _events(bench, change),
        "declared": _declared(bench, change, chain.get("declared")),
        "data": _source_of(bench, change, chain["inputs"], saved["data"]),
    }
    return opened


def _source_of(
    bench: Workbench, change: Mapping[str, Any], inputs: Mapping[str, Any], digests: Mapping[str, str]
) -> dict[str, str]:
    """Return the digest of the log that the change rests on, as it was when the review was made."""
    if change["kind"] == "gate":
        workflow = bench.programme.workflows.get(change["subject"])
        name = workflow.events.data if workflow and workflow.events else None
    else:
        name = inputs.get("data")
    return {name: digests[name]} if name is not None and name in digests else {}


def formula_of(change: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formula in words and symbols, with every number that went into it."""
    if change["kind"] == "assumption":
        return {
            "name": "measured against its bound",
            "expression": f"{change['measure']} {change['direction']} {change['bound']:g}",
            "inputs": dict(inputs),
        }
    if change["kind"] == "finding":
        return {"name": f"finding {change['code']}: {change['summary']}", "expression": change["detail"], "inputs": {}}
    return {"name": _name(change, inputs), "expression": _expression(change, inputs), "inputs": dict(inputs)}


def _name(change: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    if not inputs:
        return "none: the gate is unknown"
    if inputs["basis"] == "blocks":
        return "difference of weekly means, Student's t on weeks that may resemble their neighbours"
    if inputs["basis"] == "units":
        return "difference of unit means, Student's t on units"
    if inputs["basis"] in _DESIGNS:
        return _DESIGNS[inputs["basis"]]
    if change["unit"] == "share":
        return "difference of two shares, score interval (Miettinen and Nurminen 1985)"
    return "difference of two means, normal quantile on the arm means"


def _expression(change: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    if not inputs:
        return str(change["because"])
    bar = change.get("bar") or {"ratio": 1.0, "threshold": 0.0, "text": "any improvement"}
    return (
        f"mean(treated) - {bar['ratio']:g} x mean({inputs['control_is']}) against {bar['threshold']:g} "
        f"({bar['text']}), two-sided level {inputs['alpha']:.4f}"
    )


def _events(bench: Workbench, change: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many cases there are and a few of them with the events that the KPI saw."""
    if change["kind"] != "gate" or not change.get("kpi"):
        return {"cases": 0, "sample": []}
    name, kpi = change["subject"], change["kpi"]
    registration = bench.programme.registrations.get(name)
    if registration is None or kpi not in bench.programme.workflows[name].kpis:
        return {"cases": 0, "sample": []}
    due = parse_instant(change["due"])
    vector = bench.observations.observer().cases(
        name, kpi, since=start_of_day(registration.starts), until=due, mature_by=due
    )
    chosen = _spread(vector)
    traced = bench.observations.observer().trace(name, kpi, chosen, due)
    return {
        "cases": len(vector),
        "sample": [
            {
                "case": one.case,
                "arm": str(one.arm),
                "value": one.value,
                "capped": one.capped,
                "events": list(one.events),
            }
            for one in traced
        ],
    }


def _spread(vector: CaseVector) -> list[str]:
    """Choose the lowest, the middle and the highest value of every arm: what a doubter would look at first."""
    chosen: list[str] = []
    for arm in sorted({str(arm) for arm in vector.arm}):
        of_arm = vector.of(arm)
        order = of_arm.value.argsort(kind="stable")
        picks = {0, len(order) // 2, len(order) - 1}
        chosen += [str(of_arm.case[order[pick]]) for pick in sorted(picks)][:_SAMPLED]
    return chosen


def _declared(bench: Workbench, change: Mapping[str, Any], place: Sequence[str] | None) -> dict[str, Any]:
    if place:
        return _line(bench, place[0], *place[1:])
    if change["kind"] == "assumption":
        return _line(bench, PROGRAMME_FILE, "assumptions", change["id"])
    if change["kind"] == "finding":
        return _written(bench, Span(change["file"], change["line"], change["col"]))
    return _line(bench, workflow_file(change["subject"]), "pilot", "gates", change["gate"])


def _line(bench: Workbench, file: str, *path: str) -> dict[str, Any]:
    return _written(bench, bench.programme.places.of_key(file, *path))


def _written(bench: Workbench, span: Span) -> dict[str, Any]:
    try:
        text = (bench.root / span.file).read_text("utf-8").splitlines()[span.line - 1].strip()
    except (OSError, IndexError):
        text = ""
    return {"file": span.file, "line": span.line, "col": span.col, "text": text}
