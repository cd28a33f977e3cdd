"""`kill` and `resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORKFLOW = click.argument("workflow", required=False)
_BY = click.option("--by", metavar="WHO", required=True, help="Who says so: a person's id in programme.yaml.")
_BECAUSE = click.option("--because", metavar="WHY", required=True, help="The reason, for the record.")


@click.command()
@programme_argument
@_WORKFLOW
@_BY
@_BECAUSE
@answering("kill")
def kill(directory: Path, workflow: str | None, by: str, because: str) -> Answer:
    """Stop a workflow, or all of them: no further action runs, in any process."""
    return _thrown("killed", directory, workflow, by, because)


@click.command()
@programme_argument
@_WORKFLOW
@_BY
@_BECAUSE
@answering("resume")
def resume(directory: Path, workflow: str | None, by: str, because: str) -> Answer:
    """Let what was stopped go on."""
    return _thrown("running", directory, workflow, by, because)


def _thrown(to: str, directory: Path, workflow: str | None, by: str, because: str) -> Answer:
    from trueup.enforce.standing.switch import Throw
    from trueup.workspace import throw_switch

    entry = throw_switch(directory, Throw(to, workflow, by, because))
    return Answer({"entry": entry, "workflow": workflow, "to": to}, _text)


def _text(data: Mapping[str, Any]) -> str:
    what = data["workflow"] or "The whole programme"
    if data["to"] == "killed":
        return f"{what} is stopped (entry {data['entry']}). What runs at this moment ends; nothing further begins."
    return f"{what} goes on (entry {data['entry']})."
