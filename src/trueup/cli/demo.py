"""`demo`: a simulated programme with known truths, through fifteen weeks, to its last review."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.progress import progress_on_stderr


@click.command()
@click.argument("path", metavar="[PATH]", required=False, default="northwind", type=click.Path(path_type=Path))
@click.option("--no-serve", is_flag=True, help="Do not open the console afterwards.")
@answering("demo")
def demo(path: Path, *, no_serve: bool) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.cli.views.demo import demo_text
    from trueup.demo.play import play

    with progress_on_stderr() as progress:
        played = play(path, progress)
    data: dict[str, Any] = {
        **played.review,
        "path": str(path),
        "simulated": True,
        "applied": played.applied["applied"],
        "applied_by": played.applied["by"],
        "signed": played.applied["signed"],
        "files": played.applied["files"],
        "entries": played.applied["entries"],
        "commit": played.applied["commit"],
        "after": played.after,
        "ledger": played.ledger,
        "weeks": list(played.weeks),
    }
    # Only before a terminal: a script that runs the demo wants it to end.
    looking = not no_serve and sys.stdout.isatty()
    return Answer(data, partial(demo_text, folder=str(path)), then=partial(_look, path) if looking else None)


def _look(path: Path) -> None:
    """Open the console on the demo's last day."""
    from trueup.cli.serve import say
    from trueup.demo.calendar import LOG_ENDS
    from trueup.web.serving import serve
    from trueup.workspace import SystemClock

    serve(path, 0, SystemClock(), LOG_ENDS, say)
