"""`assess`, `rank`, `roadmap` and `brief`: the strategy half. Nothing here writes to the programme."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from trueup.declare.read import Checked

# The codes of what could not be read or leads nowhere, before any rule is asked.
_READING = ("FILE", "YAML", "KEY", "TYPE", "REF")


def _checked(directory: Path, as_of: datetime | None) -> tuple[Checked, date]:
    """Read and check the files as of a day; data are not opened."""
    from trueup.declare.read import read_programme
    from trueup.workspace import SystemClock

    day = (as_of or SystemClock().now()).date()
    return read_programme(directory, day), day


def _sound(directory: Path, as_of: datetime | None) -> tuple[Checked, date]:
    """Read the files, and refuse errors in the programme's own and in those of use cases."""
    from trueup.declare.programme import PROGRAMME_FILE, use_case_file
    from trueup.declare.read import require_sound

    checked, day = _checked(directory, as_of)
    in_use_cases = {found.where.file for found in checked.findings if found.where.file.startswith("use-cases/")}
    require_sound(checked, {PROGRAMME_FILE, *map(use_case_file, checked.programme.use_cases), *in_use_cases})
    return checked, day


@click.command()
@programme_argument
@as_of_option
@answering("assess")
def assess(directory: Path, as_of: datetime | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.choose.assessment.answer import assess as assessed
    from trueup.cli.views.choose import assess_text
    from trueup.declare.programme import PROGRAMME_FILE
    from trueup.declare.read import require_sound

    checked, _ = _checked(directory, as_of)
    # What is missing is what an assessment is for: only what could not be read stops it.
    unread = tuple(found for found in checked.findings if found.code.startswith(_READING))
    require_sound(replace(checked, findings=unread), {PROGRAMME_FILE})
    return Answer(assessed(checked.programme), assess_text)


@click.command()
@programme_argument
@as_of_option
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the scenario draws.")
@answering("rank")
def rank(directory: Path, as_of: datetime | None, seed: int) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.choose.portfolio.answer import ranking
    from trueup.choose.portfolio.ranking import Question
    from trueup.cli.views.choose import rank_text

    with progress_on_stderr() as progress:
        progress("reading")
        checked, day = _sound(directory, as_of)
        progress(f"choosing among {len(checked.programme.use_cases):,} use cases")
        return Answer(ranking(checked.programme, Question(day, seed)), rank_text)


def _chosen(checked: Checked, day: date, seed: int) -> tuple[dict[str, Any] | None, str | None]:
    """Return the ranking, or why there is none: a plan is needed most where the portfolio is impossible."""
    from trueup.choose.portfolio.answer import ranking
    from trueup.choose.portfolio.ranking import Question
    from trueup.kernel.errors import ConflictError

    try:
        return ranking(checked.programme, Question(day, seed)), None
    except ConflictError as error:
        return None, error.message


def _planned(checked: Checked, day: date, ranked: dict[str, Any] | None, impossible: str | None) -> dict[str, Any]:
    from trueup.choose.roadmap.answer import roadmap as planned

    chosen = {case["id"] for case in ranked["use_cases"] if case["selected"]} if ranked else set()
    return planned(checked.programme, checked.findings, chosen, day, impossible)


@click.command()
@programme_argument
@as_of_option
@answering("roadmap")
def roadmap(directory: Path, as_of: datetime | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.cli.views.choose import roadmap_text

    checked, day = _sound(directory, as_of)
    return Answer(_planned(checked, day, *_chosen(checked, day, seed=1)), roadmap_text)


@click.command()
@programme_argument
@as_of_option
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the scenario draws.")
@click.option(
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Where to write: .md for Markdown, .html for a page that prints on one A4 sheet.",
)
@answering("brief")
def brief(directory: Path, as_of: datetime | None, seed: int, out: Path) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.choose.assessment.answer import assess as assessed
    from trueup.choose.brief.page import Sources, page
    from trueup.cli.views.choose import brief_text
    from trueup.kernel.files import write_durably

    checked, day = _sound(directory, as_of)
    form, written = _form(out)
    ranked, impossible = _chosen(checked, day, seed)
    plan = _planned(checked, day, ranked, impossible)
    said = page(Sources(checked.programme, assessed(checked.programme), ranked, impossible, plan))
    write_durably(out, written(said).encode())
    return Answer({"file": str(out), "format": form, "page": said}, brief_text)


def _form(out: Path) -> tuple[str, Callable[[Mapping[str, Any]], str]]:
    """Return how the page is written, by the file's ending."""
    from trueup.choose.brief.html import html
    from trueup.choose.brief.markdown import markdown

    forms = {".md": ("markdown", markdown), ".html": ("html", html)}
    found = forms.get(out.suffix.lower())
    if found is None:
        hint = "Write the file's name with .md or .html:\n    trueup brief DIR --out brief.html"
        raise UsageError("unknown-ending", f"{out.name!r} ends in neither .md nor .html.", hint)
    return found
