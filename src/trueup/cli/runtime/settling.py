"""`approvals unknown`, `approvals settle` and `approvals remind`."""

from __future__ import annotations

from pathlib import Path

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.views import runtime as view


@click.command()
@programme_argument
@answering("approvals unknown")
def unknown(directory: Path) -> Answer:
    """List what was allowed and has no outcome: nobody knows whether it happened."""
    from trueup.sdk.deciding import unknown as unknown_steps

    with progress_on_stderr() as progress:
        found = unknown_steps(directory, progress=progress)
    return Answer({"steps": [step.to_json() for step in found]}, view.unknown)


@click.command()
@programme_argument
@click.argument("step", metavar="ID")
@click.option(
    "--happened", type=click.Choice(["yes", "no"]), required=True, help="Whether it took effect where it acts."
)
@click.option("--by", metavar="WHO", required=True, help="Who looked: a person's id in programme.yaml.")
@click.option("--because", metavar="WHY", required=True, help="What they saw, for the record.")
@answering("approvals settle")
def settle(directory: Path, step: str, happened: str, by: str, because: str) -> Answer:
    """Say what became of a step that nobody knew about. It is not run again either way."""
    from trueup.sdk.deciding import Seen, settled_json
    from trueup.sdk.deciding import settle as settled
    from trueup.workspace import signer_for

    seen = Seen(step, happened == "yes", by, because)
    with progress_on_stderr() as progress:
        found, entry = settled(directory, seen, lambda bench: signer_for(bench, by), progress=progress)
    return Answer(settled_json(found, entry, happened=seen.happened), view.settled)


@click.command()
@programme_argument
@answering("approvals remind")
def remind(directory: Path) -> Answer:
    """Tell people, once each, of held steps that have become old; for a timer, where no gate or console is open."""
    from trueup.sdk.reminding import remind as reminded

    return Answer({"told": reminded(directory)}, view.reminded)
