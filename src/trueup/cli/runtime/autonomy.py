"""`autonomy`: the threshold of confidence, and the blind reviews that keep a level honest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.runtime import given
from trueup.cli.views import autonomy as view
from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime


@click.group()
def autonomy() -> None:
    """Choose the confidence that is enough, and review blind what was done alone."""


@autonomy.command()
@programme_argument
@click.argument("workflow")
@click.option("--register", is_flag=True, help="Put it on record: every gate keeps it from its next action on.")
@click.option("--by", metavar="WHO", help="Who registers it: whoever may give more autonomy.")
@as_of_option
@answering("autonomy threshold")
def threshold(directory: Path, workflow: str, register: bool, by: str | None, as_of: datetime | None) -> Answer:
    """Choose the confidence from which on answers may be taken, on what reviewers found (Learn then Test).

    Without --register nothing is recorded.
    """
    from trueup.loop.autonomy import threshold as learned
    from trueup.workspace import opened, signer_for

    if register and by is None:
        raise UsageError("option-missing", "To register a threshold, --by WHO is needed.", "Add --by WHO.")
    with progress_on_stderr() as progress, opened(directory, progress, write=register, workflow=workflow) as bench:
        at = as_of or bench.clock.now()
        if register and by is not None:
            data = learned.register(bench, workflow, by, at, signer_for(bench, by))
        else:
            found = learned.choice(bench, workflow, at)
            data = {**found.to_json(), "because": learned.why_none(found) if found.found is None else None}
    return Answer(data, view.threshold)


@autonomy.command()
@programme_argument
@click.option("--workflow", metavar="ID", help="Of one workflow only.")
@as_of_option
@answering("autonomy reviews")
def reviews(directory: Path, workflow: str | None, as_of: datetime | None) -> Answer:
    """List the cases that somebody has to look at blind, by the time that they are due."""
    from trueup.sdk.reviewing import waiting

    with progress_on_stderr() as progress:
        found = waiting(directory, as_of, workflow=workflow, progress=progress)
    return Answer({"reviews": found, "overdue": sum(one["overdue"] for one in found)}, view.reviews)


@autonomy.command()
@programme_argument
@click.argument("review", metavar="ID")
@click.option("--by", metavar="WHO", required=True, help="Who looked: a person's id in programme.yaml.")
@click.option(
    "--answer",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The arguments that you would have given, as a JSON object (- reads standard input); what you leave out is "
    "not compared.",
)
@click.option("--right/--wrong", default=None, help="What you found where it acts, having looked at what was done.")
@as_of_option
@answering("autonomy label")
def label(
    directory: Path, review: str, by: str, answer: Path | None, right: bool | None, as_of: datetime | None
) -> Answer:
    """Label one case of the list, once: by an answer of your own, or by right or wrong."""
    from trueup.loop.autonomy.labels import Label
    from trueup.sdk.reviewing import label as labelled
    from trueup.workspace import SystemClock, signer_for

    own = given.arguments(answer) if answer is not None else None
    said = Label(review, by, as_of or SystemClock().now(), None if right is None else not right, own)
    with progress_on_stderr() as progress:
        data = labelled(directory, said, lambda bench: signer_for(bench, by), progress=progress)
    return Answer(data, view.labelled)


@autonomy.command()
@programme_argument
@click.option("--workflow", metavar="ID", help="Of one workflow only.")
@as_of_option
@answering("autonomy gaps")
def gaps(directory: Path, workflow: str | None, as_of: datetime | None) -> Answer:
    """Show what the model was not sure of, or had no source for, in eight weeks, by what it was about."""
    from trueup.loop.health.gaps import asks
    from trueup.loop.health.gaps import gaps as uncertain
    from trueup.loop.measure import require_workflow
    from trueup.workspace import opened

    with progress_on_stderr() as progress, opened(directory, progress, workflow=workflow) as bench:
        workflows = bench.programme.workflows
        names = sorted(name for name, declared in workflows.items() if asks(declared))
        if workflow is not None:
            names = [require_workflow(bench.programme, workflow)]
        found = {name: uncertain(bench, name, as_of or bench.clock.now()) for name in names}
    return Answer({"gaps": found}, view.gaps)
