"""`baseline` and `measure`."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from trueup.loop.workbench import Workbench


PICTURE = click.Path(dir_okay=False, writable=True, path_type=pathlib.Path)


@click.command()
@programme_argument
@click.argument("workflow")
@click.option("--by", metavar="WHO", help="Who registers it; the business owner attests the assignment with it.")
@as_of_option
@click.option("--replace", is_flag=True, help="Replace a registration that exists, on the record.")
@click.option("--because", metavar="WHY", help="The reason for a replacement.")
@answering("baseline")
def baseline(  # noqa: D103 -- click shows the help of COMMANDS
    directory: Path,
    workflow: str,
    by: str | None,
    as_of: datetime | None,
    because: str | None,
    *,
    replace: bool,
) -> Answer:
    from trueup.cli.views.evidence import baseline_text
    from trueup.loop.baseline import Ask, register
    from trueup.workspace import opened

    with progress_on_stderr() as progress, opened(directory, progress, write=True, workflow=workflow) as bench:
        instant = as_of or bench.clock.now()
        data = register(bench, Ask(workflow, instant, by, replace, because))
        data |= _findings(_read_again(bench), instant, workflow)
    return Answer(data, baseline_text)


def _read_again(bench: Workbench) -> Workbench:
    """Return the programme with the registration that was just written."""
    from trueup.workspace import checked_programme

    return dataclasses.replace(bench, programme=checked_programme(bench.root, bench.clock).programme)


def _findings(bench: Workbench, instant: datetime, workflow: str | None) -> dict[str, Any]:
    """Return what data, ledger and calendar show. It stops nothing: where it cannot be had, it is unknown."""
    from trueup.kernel.errors import LedgerBrokenError
    from trueup.loop.findings.registry import findings_of
    from trueup.workspace import require_ledger

    bench.progress("looking for findings")
    try:
        require_ledger(bench.root, bench.programme.file.ledger, bench.ledger)
        found = findings_of(bench, instant, workflow)
    except LedgerBrokenError as error:
        return {"findings": [], "findings_unknown": error.message}
    return {"findings": [one.finding.to_json() for one in found], "findings_unknown": None}


def _people(bench: Workbench, instant: datetime, workflow: str | None) -> dict[str, Any]:
    """Return training and use beside plan and target; without a record that can be trusted they are not known."""
    from trueup.kernel.errors import LedgerBrokenError
    from trueup.loop.facts.people import people
    from trueup.workspace import require_ledger

    try:
        require_ledger(bench.root, bench.programme.file.ledger, bench.ledger)
        return {"people": [one.to_json() for one in people(bench, instant, workflow)]}
    except LedgerBrokenError:
        return {"people": None}


def _readiness(bench: Workbench, instant: datetime, workflow: str | None) -> list[dict[str, Any]]:
    """Return the readiness of every declared source, or of the one that a workflow reads."""
    from trueup.loop.facts.readiness import readiness

    declared = set(bench.programme.file.data)
    events = bench.programme.workflows[workflow].events if workflow else None
    names = declared if workflow is None else declared & {events.data if events else None}
    return [one.to_json() for one in readiness(bench.observations, names, instant).values()]


def _health(bench: Workbench, instant: datetime, workflow: str | None) -> dict[str, Any]:
    """Return the health of one workflow's model, or of all that declare it."""
    from trueup.loop.health.report import health

    return health(bench, workflow, instant)


@click.command()
@programme_argument
@click.argument("workflow", required=False)
@as_of_option
@click.option("--segments", is_flag=True, help="Also split every reading by segment and assigned unit.")
@click.option("--histograms", is_flag=True, help="Also show how the values of each week are spread.")
@click.option("--data", "ready", is_flag=True, help="Also show how ready each data source is, part by part.")
@click.option("--health", "healthy", is_flag=True, help="Also show drift, calibration and groups of the model.")
@click.option(
    "--chart", type=PICTURE, metavar="FILE", help="Draw the KPIs of WORKFLOW week by week: .svg, .png, .json."
)
@click.option("--map", "process", type=PICTURE, metavar="FILE", help="Draw the steps of WORKFLOW with their waiting.")
@click.option(
    "--picture",
    "pictures",
    type=(click.Choice(["watched", "placebo", "reliability"]), PICTURE),
    multiple=True,
    metavar="KIND FILE",
    help="Draw one more of WORKFLOW: watched, placebo or reliability.",
)
@answering("measure")
def measure(  # noqa: D103 -- help in COMMANDS
    directory: Path,
    workflow: str | None,
    as_of: datetime | None,
    chart: Path | None,
    process: Path | None,
    pictures: tuple[tuple[str, Path], ...],
    *,
    segments: bool,
    histograms: bool,
    ready: bool,
    healthy: bool,
) -> Answer:
    from trueup.cli.views.evidence import measured_text
    from trueup.loop.facts.money import money
    from trueup.loop.facts.quantiles import quantiles
    from trueup.loop.measure import measure as measured
    from trueup.loop.measure import spread
    from trueup.workspace import opened

    asked = [*([("kpis", chart)] if chart else []), *([("process", process)] if process else []), *pictures]
    _require_drawable(workflow, [file for _, file in asked])
    with (
        progress_on_stderr() as progress,
        opened(directory, progress, recorded=healthy or _labelled(pictures), workflow=workflow) as bench,
    ):
        instant = as_of or bench.clock.now()
        readings = measured(bench, workflow, instant, segments=segments)
        worth = money(bench, instant, workflow)
        data: dict[str, Any] = {
            "readings": [reading.to_json() for reading in readings],
            "money": [one.to_json() for one in worth],
            "currency": bench.programme.file.currency,
        }
        if histograms:
            data["histograms"] = spread(bench, workflow, instant)
            data["quantiles"] = quantiles(bench.programme, data["histograms"])
        if ready:
            data["readiness"] = _readiness(bench, instant, workflow)
        if healthy:
            data["health"] = _health(bench, instant, workflow)
        data |= _people(bench, instant, workflow)
        data |= _findings(bench, instant, workflow)
        if workflow is not None and asked:
            data["pictures"] = _pictures(bench, workflow, instant, asked)
    return Answer(data, measured_text)


def _labelled(pictures: tuple[tuple[str, Path], ...]) -> bool:
    return any(kind == "reliability" for kind, _ in pictures)


def _require_drawable(workflow: str | None, files: Sequence[Path]) -> None:
    """Refuse pictures that cannot be made, before anything is measured."""
    if not files:
        return
    from trueup.cli.charts.writing import require_form
    from trueup.kernel.errors import UsageError

    if workflow is None:
        raise UsageError(
            "no-workflow",
            "A picture shows one workflow, and none is named.",
            "Name it behind DIR:\n    trueup measure DIR WORKFLOW --chart FILE.svg",
        )
    for file in files:
        require_form(file)


def _pictures(
    bench: Workbench, workflow: str, instant: datetime, asked: Sequence[tuple[str, Path]]
) -> list[dict[str, str]]:
    """Draw what was asked for, and return what was written."""
    from trueup.cli.charts.writing import write_picture

    found = []
    for kind, file in asked:
        write_picture(_spec(bench, workflow, instant, kind), file)
        found.append({"shows": kind, "file": str(file)})
    return found


def _spec(bench: Workbench, workflow: str, instant: datetime, kind: str) -> dict[str, Any]:
    from trueup.cli.charts.placebo import placebo_spec
    from trueup.cli.charts.process import process_spec
    from trueup.cli.charts.reliability import reliability_spec
    from trueup.cli.charts.watched import watched_spec
    from trueup.cli.charts.weeks import weeks_spec
    from trueup.loop.facts.pictured import flow, pictured, placebo, watched

    match kind:
        case "watched":
            return watched_spec(watched(bench, workflow, instant))
        case "placebo":
            return placebo_spec(placebo(bench, workflow, instant))
        case "reliability":
            report = _health(bench, instant, workflow)[workflow]
            return reliability_spec(workflow, report.get("calibration", {"unknown": report["unknown"]}))
        case "process":
            return process_spec(workflow, flow(bench, workflow, instant))
    return weeks_spec(pictured(bench, workflow, instant))
