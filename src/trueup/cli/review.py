"""`review`, `why` and `apply`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.kernel.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@click.command()
@programme_argument
@as_of_option
@click.option("--exit-code", is_flag=True, help="Exit with 5 when the review has changes.")
@answering("review")
def review(directory: Path, as_of: datetime | None, *, exit_code: bool) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.cli.views.review import review_text
    from trueup.loop.review import compute, save
    from trueup.workspace import opened

    with progress_on_stderr() as progress, opened(directory, progress) as bench:
        data = save(bench, compute(bench, as_of or bench.clock.now()))
    exit_as = Exit.CHANGES if exit_code and data["changes"] else Exit.DONE
    return Answer(data, partial(review_text, folder=str(directory)), exit_as)


@click.command()
@programme_argument
@click.argument("review_id", metavar="REVIEW")
@click.argument("number", metavar="N", type=int)
@answering("why")
def why(directory: Path, review_id: str, number: int) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.cli.views.review import chain_text
    from trueup.loop.why import why as opened_chain
    from trueup.workspace import opened

    with progress_on_stderr() as progress, opened(directory, progress) as bench:
        data = opened_chain(bench, review_id, number)
    return Answer(data, chain_text)


@click.command()
@programme_argument
@click.argument("review_id", metavar="REVIEW")
@click.option("--by", metavar="WHO", required=True, help="Who signs: an id under `people`.")
@as_of_option
@click.option("--only", metavar="N,..", help="Apply these changes and leave the rest open.")
@click.option("--decline", metavar="N,..", help="Decide against these changes; needs --because.")
@click.option("--waive", metavar="N:ITEM", multiple=True, help="Accept an obstacle by name; needs --because.")
@click.option("--because", metavar="WHY", help="The reason for what is declined or waived.")
@click.option("--note", "notes", metavar="TEXT", multiple=True, help="What moved, blockers, frictions; repeatable.")
@answering("apply")
def apply(  # noqa: D103 -- help in COMMANDS
    directory: Path,
    review_id: str,
    by: str,
    as_of: datetime | None,
    only: str | None,
    decline: str | None,
    waive: tuple[str, ...],
    because: str | None,
    notes: tuple[str, ...],
) -> Answer:
    from trueup.cli.views.review import applied_text
    from trueup.loop.apply import Ask
    from trueup.loop.apply import apply as applied
    from trueup.workspace import opened, signer_for

    with progress_on_stderr() as progress, opened(directory, progress, write=True) as bench:
        ask = Ask(
            review=review_id,
            by=by,
            as_of=as_of or bench.clock.now(),
            only=_numbers(only),
            decline=_numbers(decline),
            waive=_waivers(waive),
            because=because,
            notes=notes,
        )
        data = applied(bench, ask, signer_for(bench, by))
    return Answer(data, applied_text)


def _numbers(text: str | None) -> tuple[int, ...]:
    if not text:
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError("bad-number", f"{text!r} is not a list of change numbers.", "Write it as 1,3.") from None


def _waivers(texts: tuple[str, ...]) -> dict[int, tuple[str, ...]]:
    waivers: dict[int, tuple[str, ...]] = {}
    for text in texts:
        number, _, item = text.partition(":")
        if not number.isdigit() or not item:
            raise UsageError("bad-waiver", f"{text!r} is not N:ITEM.", "Write it as --waive 1:first_pass_quality.")
        waivers[int(number)] = (*waivers.get(int(number), ()), item)
    return waivers
