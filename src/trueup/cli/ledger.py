"""`trueup ledger`: verify the record, open an entry, show the key, export a proof."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.views import ledger as view
from trueup.kernel.errors import Exit

_INDEX = click.argument("index", metavar="INDEX", type=click.IntRange(min=0))


@click.group()
def ledger() -> None:
    """Verify the record, open an entry, show the key, export a proof."""


@ledger.command()
@programme_argument
@answering("ledger verify")
def verify(directory: Path) -> Answer:
    """Find every flipped byte, dropped or moved entry, cut tail and replaced log. Changes nothing."""
    from trueup.workspace import verify_ledger

    with progress_on_stderr() as progress:
        report = verify_ledger(directory, progress)
    return Answer(report.to_json(), view.verify, Exit.DONE if report.ok else Exit.LEDGER_BROKEN)


@ledger.command()
@programme_argument
@_INDEX
@answering("ledger entry")
def entry(directory: Path, index: int) -> Answer:
    """Print an entry and, in base64, the exact bytes that are hashed."""
    from trueup.workspace import reading_ledger

    with reading_ledger(directory) as opened:
        found = opened.entry(index)
    data = {"index": index, "leaf": base64.b64encode(found.leaf).decode(), "entry": found.to_json()}
    return Answer(data, view.entry)


@ledger.command()
@programme_argument
@answering("ledger key")
def key(directory: Path) -> Answer:
    """Print the log's public key, in the form of signed notes."""
    from trueup.workspace import ledger_vkey

    return Answer({"vkey": ledger_vkey(directory)}, view.key)


@ledger.command()
@programme_argument
@_INDEX
@click.option("--out", "out", metavar="FILE", required=True, type=click.Path(path_type=Path), help="Where to write it.")
@answering("ledger prove")
def prove(directory: Path, index: int, out: Path) -> Answer:
    """Write a .tlog-proof of an entry; sign a checkpoint first when none covers it."""
    from trueup.kernel.files import write_durably
    from trueup.workspace import ledger_vkey, prove_entry

    proof = prove_entry(directory, index)
    write_durably(out, proof.text.encode())
    data: dict[str, Any] = {
        "index": index,
        "file": str(out),
        "size": proof.size,
        "checkpoint": proof.checkpoint,
        "vkey": ledger_vkey(directory),
    }
    return Answer(data, view.prove)
