"""`trueup ledger`: verify the record, prove, export, back up, bring back; erase texts that it names by digest."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.views import ledger as view
from trueup.kernel.errors import Exit, UsageError

_INDEX = click.argument("index", metavar="INDEX", type=click.IntRange(min=0))


@click.group()
def ledger() -> None:
    """Verify the record, open an entry, prove, export, back up, erase texts."""


@ledger.command()
@programme_argument
@click.option(
    "--witness",
    "kept",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint that somebody kept elsewhere; may be given several times.",
)
@answering("ledger verify")
def verify(directory: Path, kept: tuple[Path, ...]) -> Answer:
    """Find every flipped byte, dropped or moved entry, cut tail and replaced log. Changes nothing."""
    from trueup.workspace import verify_ledger

    with progress_on_stderr() as progress:
        report = verify_ledger(directory, progress, kept)
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
@click.argument("index", metavar="[INDEX]", required=False, type=click.IntRange(min=0))
@click.option("--from", "old", metavar="SIZE", type=click.IntRange(min=0), help="Prove continuity from this size on.")
@click.option("--out", "out", metavar="FILE", required=True, type=click.Path(path_type=Path), help="Where to write it.")
@answering("ledger prove")
def prove(directory: Path, index: int | None, old: int | None, out: Path) -> Answer:
    """Write a .tlog-proof of an entry, or a proof that the log continues its first SIZE entries.

    A checkpoint is signed first when none covers as much.
    """
    from trueup.kernel.files import write_durably
    from trueup.workspace import ledger_vkey, prove_continued, prove_entry

    if (index is None) == (old is None):
        raise UsageError(
            "usage", "Give either INDEX or --from SIZE.", "One entry:\n    trueup ledger prove DIR INDEX --out FILE"
        )
    proof = prove_entry(directory, index) if index is not None else prove_continued(directory, old or 0)
    write_durably(out, proof.text.encode())
    data: dict[str, Any] = {
        "index": index,
        "from": old,
        "file": str(out),
        "size": proof.size,
        "checkpoint": proof.checkpoint,
        "vkey": ledger_vkey(directory),
    }
    return Answer(data, view.prove)


@ledger.command()
@programme_argument
@click.argument("action", metavar="[ACTION]", required=False)
@click.option("--out", "out", metavar="FILE", type=click.Path(path_type=Path), help="Where to write that of ACTION.")
@click.option("--check", "file", metavar="FILE", type=click.Path(path_type=Path), help="Check a receipt instead.")
@answering("ledger receipt")
def receipt(directory: Path, action: str | None, out: Path | None, file: Path | None) -> Answer:
    """Get the receipt of an action again, or all of high impact: files that prove how it ended, offline."""
    from trueup.workspace import checked_receipt, ledger_vkey, receipts_of

    if (out is not None and action is None) or (file is not None and action is not None):
        raise UsageError("usage", "--out is for one ACTION, and --check for none.", "Give one of the two.")
    if file is not None:
        return Answer({"file": str(file), **checked_receipt(directory, file)}, view.checked)
    found = [made.to_json() for made in receipts_of(directory, action, out)]
    return Answer({"receipts": found, "vkey": ledger_vkey(directory) if found else None}, view.receipt)


@ledger.command()
@programme_argument
@click.option(
    "--out", "out", metavar="FOLDER", required=True, type=click.Path(path_type=Path), help="Where to write it."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["tiles", "jsonl"]),
    default="tiles",
    show_default=True,
    help="Static tiles (C2SP tlog-tiles), or one entry a line.",
)
@answering("ledger export")
def export(directory: Path, out: Path, form: str) -> Answer:
    """Write the log for other people's tools; the same folder again adds what is new."""
    from trueup.workspace import export_ledger

    return Answer(export_ledger(directory, out, form), view.export)


@ledger.command()
@programme_argument
@click.option("--out", "out", metavar="FILE", required=True, type=click.Path(path_type=Path), help="Where to write it.")
@answering("ledger backup")
def backup(directory: Path, out: Path) -> Answer:
    """Copy the ledger into one file while others write to it, and verify the copy. Key and texts are not in it."""
    from trueup.workspace import backup_ledger

    with progress_on_stderr() as progress:
        copied = backup_ledger(directory, out, progress)
    data = {"file": str(out), "entries": copied.entries, "verify": copied.report.to_json()}
    return Answer(data, view.backup, Exit.DONE if copied.report.ok else Exit.LEDGER_BROKEN)


@ledger.command()
@programme_argument
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@answering("ledger restore")
def restore(directory: Path, file: Path) -> Answer:
    """Bring a copy back where there is no ledger, into the folder or the database; verified before and after."""
    from trueup.workspace import restore_ledger

    with progress_on_stderr() as progress:
        copied = restore_ledger(directory, file, progress)
    data = {"file": str(file), "entries": copied.entries, "verify": copied.report.to_json()}
    return Answer(data, view.restore, Exit.DONE if copied.report.ok else Exit.LEDGER_BROKEN)


@ledger.command()
@programme_argument
@click.option("--erase", "erase_now", is_flag=True, help="Erase what is due; without it, nothing is.")
@click.option("--by", metavar="WHO", help="Who erases: a person's id in programme.yaml.")
@answering("ledger retain")
def retain(directory: Path, erase_now: bool, by: str | None) -> Answer:
    """Show the texts that the ledger names by digest, and which are kept too long; erase those when told to."""
    from trueup.workspace import erase_due, kept_bodies

    if erase_now and by is None:
        raise UsageError(
            "usage", "Erasing needs somebody who does it.", "Say who:\n    trueup ledger retain DIR --erase --by WHO"
        )
    with progress_on_stderr() as progress:
        erased = erase_due(directory, by or "", progress) if erase_now else []
        bodies = kept_bodies(directory, progress)
    return Answer({"bodies": bodies, "erased": erased}, view.retain)


@ledger.command()
@programme_argument
@click.argument("digest", metavar="DIGEST")
@click.option("--by", metavar="WHO", required=True, help="Who erases: a person's id in programme.yaml.")
@click.option("--because", metavar="WHY", required=True, help="The reason, for the record.")
@answering("ledger erase")
def erase(directory: Path, digest: str, by: str, because: str) -> Answer:
    """Erase a text that the ledger names by its digest, and record that it was erased. Proofs stay as they are."""
    from trueup.workspace import erase_body

    with progress_on_stderr() as progress:
        index = erase_body(directory, digest, by, because, progress)
    return Answer({"digest": digest, "tombstone": index}, view.erase)
