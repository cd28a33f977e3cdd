"""`approvals bypass`: an action that asks nobody for a while."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.kernel.errors import UsageError
from trueup.kernel.quantities import Period

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


@click.command()
@programme_argument
@click.argument("workflow")
@click.argument("action")
@click.option("--for", "lasts", metavar="SPAN", default="1h", show_default=True, help="For how long, at most 24h.")
@click.option("--end", is_flag=True, help="Instead: from now on a person is asked again.")
@click.option("--by", metavar="WHO", required=True, help="Who says so: a person's id in programme.yaml.")
@click.option("--because", metavar="WHY", required=True, help="The reason, for the record.")
@answering("approvals bypass")
def bypass(directory: Path, workflow: str, action: str, lasts: str, end: bool, by: str, because: str) -> Answer:
    """Let an action go on without its approval for a while, signed and recorded; everything else of the gate stays."""
    from trueup.enforce.standing.bypass import Wanted
    from trueup.sdk.deciding import bypassed
    from trueup.workspace import signer_for

    wanted = Wanted(workflow, action, None if end else _span(lasts), by, because)
    with progress_on_stderr() as progress:
        data = bypassed(directory, wanted, lambda bench: signer_for(bench, by), progress=progress)
    return Answer(data, _text)


def _span(text: str) -> timedelta:
    try:
        return Period.parse(text).delta()
    except ValueError as error:
        raise UsageError("bad-span", f"--for: {error}.", "Write 2h.") from None


def _text(data: Mapping[str, Any]) -> str:
    what = f"{data['workflow']}.{data['action']}"
    if data["until"] is None:
        return f"{what} asks a person again (entry {data['entry']})."
    end = f"    trueup approvals bypass DIR {data['workflow']} {data['action']} --end --by WHO --because WHY"
    return f"{what} asks nobody until {data['until']} (entry {data['entry']}). It ends by itself; earlier by:\n{end}"
