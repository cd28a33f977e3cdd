"""`record`: facts that no log tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import InstantType, as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_KINDS = ("spend", "effort", "training", "checklist", "incident", "outcome", "note")


@click.command()
@programme_argument
@click.argument("kind_of", metavar="KIND", type=click.Choice(_KINDS))
@click.option("--by", metavar="WHO", required=True, help="Who says so: an id under `people`.")
@as_of_option
@click.option("--use-case", metavar="ID", help="spend, effort: whose.")
@click.option("--kind", metavar="WORD", help="spend, effort: of which kind (build, run, labelling, engineering ...).")
@click.option("--amount", metavar="MONEY", type=float, help="spend: how much, in the programme's currency.")
@click.option("--hours", metavar="HOURS", type=float, help="effort: how many hours.")
@click.option("--workflow", metavar="ID", help="training, checklist, incident, outcome: of which workflow.")
@click.option("--person", metavar="WHO", help="training: who, as in `people` or in the people file.")
@click.option("--on", metavar="DAY", type=InstantType(), help="training: the day; default: that of --as-of.")
@click.option("--item", metavar="ITEM", help="checklist: which item of the pre-expansion checklist.")
@click.option("--evidence", metavar="TEXT", help="checklist: where it stands, or what was seen.")
@click.option("--incident", metavar="KIND", help="incident: its kind, as under `incidents`.")
@click.option("--severity", metavar="1-4", type=int, help="incident: how grave; default: as declared.")
@click.option("--what", metavar="TEXT", help="incident: what happened.")
@click.option("--case", metavar="CASE", help="outcome: of which case.")
@click.option("--wrong/--right", default=None, help="outcome: what the reviewer found.")
@click.option("--blind", metavar="SHARE", type=float, help="outcome: drawn at random with this share; reviewed blind.")
@click.option("--confidence", metavar="0-1", type=float, help="outcome: how sure the model said it was.")
@click.option("--about", metavar="ID", help="note: a use case or a workflow.")
@click.option("--text", metavar="TEXT", help="note: the note.")
@answering("record")
def record(  # noqa: D103 -- help in COMMANDS
    directory: Path, kind_of: str, by: str, as_of: datetime | None, on: datetime | None, **options: Any
) -> Answer:
    from trueup.cli.views.record import recorded_text
    from trueup.loop.facts.kinds import Said
    from trueup.loop.facts.recording import Ask
    from trueup.loop.facts.recording import record as recorded
    from trueup.workspace import opened, signer_for

    said = Said(**options, on=on.date() if on else None)
    workflow, use_case = said.workflow or said.about, said.use_case or said.about
    with (
        progress_on_stderr() as progress,
        opened(directory, progress, write=True, workflow=workflow, use_case=use_case) as bench,
    ):
        data = recorded(bench, Ask(kind_of, said, by, as_of or bench.clock.now()), signer_for(bench, by))
    return Answer(data, recorded_text)
