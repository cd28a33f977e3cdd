"""`serve`: the console, on this machine's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from trueup.web.serving import Told

PORT = 8377


@click.command()
@programme_argument
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@as_of_option
@answering("serve")
def serve(directory: Path, port: int, as_of: datetime | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.web.serving import serve as served
    from trueup.workspace import SystemClock

    links: list[str] = []

    def told(addresses: Told) -> None:
        links.append(addresses.link)
        say(addresses)

    served(directory, port, SystemClock(), as_of, told)
    return Answer({"link": links[0]}, _stopped)


def say(told: Told) -> None:
    """Tell where the console is, and whom the API answers, where anybody is declared who could call it."""
    click.echo(f"Open this once, within this browser: {told.link}\nCtrl-C stops the console.", err=True)
    if told.callers:
        click.echo(f"The API answers {', '.join(told.callers)} at {told.api}", err=True)
    for name, why in told.unusable.items():
        click.echo(f"The API does not answer {name}: {why}.", err=True)


def _stopped(data: Mapping[str, Any]) -> str:
    del data
    return "The console has stopped."
