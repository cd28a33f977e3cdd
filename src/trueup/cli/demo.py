"""`demo`: a simulated programme with known truths, through twelve weeks, to its last review."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.progress import progress_on_stderr


@click.command()
@click.argument("path", metavar="[PATH]", required=False, default="northwind", type=click.Path(path_type=Path))
@click.option("--no-serve", is_flag=True, help="Do not start the console afterwards (there is none yet).")
@answering("demo")
def demo(path: Path, *, no_serve: bool) -> Answer:  # noqa: ARG001, D103 -- the console comes later; help in COMMANDS
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
    return Answer(data, partial(demo_text, folder=str(path)))
