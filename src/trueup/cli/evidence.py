"""`baseline` and `measure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


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
    return Answer(data, baseline_text)


@click.command()
@programme_argument
@click.argument("workflow", required=False)
@as_of_option
@click.option("--segments", is_flag=True, help="Also split every reading by segment and assigned unit.")
@click.option("--histograms", is_flag=True, help="Also show how the values of each week are spread.")
@answering("measure")
def measure(  # noqa: D103 -- help in COMMANDS
    directory: Path, workflow: str | None, as_of: datetime | None, *, segments: bool, histograms: bool
) -> Answer:
    from trueup.cli.views.evidence import measured_text
    from trueup.loop.facts.money import money
    from trueup.loop.measure import measure as measured
    from trueup.loop.measure import spread
    from trueup.workspace import opened

    with progress_on_stderr() as progress, opened(directory, progress, recorded=False, workflow=workflow) as bench:
        instant = as_of or bench.clock.now()
        readings = measured(bench, workflow, instant, segments=segments)
        worth = money(bench, instant, workflow)
        spreads = spread(bench, workflow, instant) if histograms else []
    data: dict[str, Any] = {
        "readings": [reading.to_json() for reading in readings],
        "money": [one.to_json() for one in worth],
        "currency": bench.programme.file.currency,
    }
    if histograms:
        data["histograms"] = spreads
    return Answer(data, measured_text)
