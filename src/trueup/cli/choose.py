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
    from datetime import datetime

    from trueup.declare.read import Checked
    from trueup.kernel.progress import Progress
    from trueup.loop.facts.readiness import Against
    from trueup.observe.readiness.record import Readiness

# The codes of what could not be read or leads nowhere, before any rule is asked.
_READING = ("FILE", "YAML", "KEY", "TYPE", "REF")


def _checked(directory: Path, as_of: datetime | None) -> tuple[Checked, datetime]:
    """Read and check the files as of an instant; data are not opened."""
    from trueup.declare.read import read_programme
    from trueup.workspace import SystemClock

    instant = as_of or SystemClock().now()
    return read_programme(directory, instant.date()), instant


def _sound(directory: Path, as_of: datetime | None) -> tuple[Checked, datetime]:
    """Read the files, and refuse errors in the programme's own and in those of use cases."""
    from trueup.declare.programme import PROGRAMME_FILE, use_case_file
    from trueup.declare.read import require_sound

    checked, instant = _checked(directory, as_of)
    in_use_cases = {found.where.file for found in checked.findings if found.where.file.startswith("use-cases/")}
    require_sound(checked, {PROGRAMME_FILE, *map(use_case_file, checked.programme.use_cases), *in_use_cases})
    return checked, instant


def _readiness(checked: Checked, instant: datetime, progress: Progress) -> dict[str, Readiness]:
    """Measure the data that use cases are ranked by; data that nobody names are not opened."""
    from trueup.loop.facts.readiness import ranked_by, readiness
    from trueup.workspace import DeclaredData

    names = ranked_by(checked.programme)
    if not names:
        return {}
    data = DeclaredData(checked.programme, progress)
    try:
        return readiness(data, names, instant)
    finally:
        data.close()


def _evidence(checked: Checked, instant: datetime, progress: Progress) -> dict[str, Against]:
    """Measure the data that answers of the assessment name as their evidence."""
    from trueup.loop.facts.readiness import assessed, evidence_of
    from trueup.workspace import DeclaredData

    if not evidence_of(checked.programme):
        return {}
    data = DeclaredData(checked.programme, progress)
    try:
        return assessed(checked.programme, data, instant)
    finally:
        data.close()


@click.command()
@programme_argument
@as_of_option
@answering("assess")
def assess(directory: Path, as_of: datetime | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.choose.assessment.answer import assess as assessed
    from trueup.cli.views.choose import assess_text
    from trueup.declare.programme import PROGRAMME_FILE
    from trueup.declare.read import require_sound

    checked, instant = _checked(directory, as_of)
    # What is missing is what an assessment is for: only what could not be read stops it.
    unread = tuple(found for found in checked.findings if found.code.startswith(_READING))
    require_sound(replace(checked, findings=unread), {PROGRAMME_FILE})
    with progress_on_stderr() as progress:
        measured = {factor: one.to_json() for factor, one in _evidence(checked, instant, progress).items()}
    return Answer(assessed(checked.programme, measured), assess_text)


@click.command()
@programme_argument
@as_of_option
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the scenario draws.")
@answering("rank")
def rank(directory: Path, as_of: datetime | None, seed: int) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.cli.views.choose import rank_text

    with progress_on_stderr() as progress:
        progress("reading")
        checked, instant = _sound(directory, as_of)
        return Answer(_ranked(checked, instant, seed, progress), rank_text)


def _ranked(checked: Checked, instant: datetime, seed: int, progress: Progress) -> dict[str, Any]:
    """Rank by what the data say as far as they can be read; what cannot be is unknown, and a note says so."""
    from trueup.choose.portfolio.answer import ranking
    from trueup.choose.portfolio.ranking import Question
    from trueup.loop.facts.readiness import scores

    measured = _readiness(checked, instant, progress)
    progress(f"choosing among {len(checked.programme.use_cases):,} use cases")
    answer = ranking(checked.programme, Question(instant.date(), seed, readiness=scores(measured)))
    unknown = [one for one in measured.values() if one.score is None]
    return {
        **answer,
        "readiness": [{"data": one.data, "score": one.score, "because": one.because} for one in measured.values()],
        "notes": [*answer["notes"], *(f"readiness of data.{one.data} is not known: {one.because}" for one in unknown)],
    }


def _chosen(checked: Checked, instant: datetime, seed: int) -> tuple[dict[str, Any] | None, str | None]:
    """Return the ranking, or why there is none: a plan is needed most where the portfolio is impossible."""
    from trueup.kernel.errors import ConflictError

    with progress_on_stderr() as progress:
        try:
            return _ranked(checked, instant, seed, progress), None
        except ConflictError as error:
            return None, error.message


def _planned(
    checked: Checked, instant: datetime, ranked: dict[str, Any] | None, impossible: str | None
) -> dict[str, Any]:
    from trueup.choose.roadmap.answer import roadmap as planned

    chosen = {case["id"] for case in ranked["use_cases"] if case["selected"]} if ranked else set()
    return planned(checked.programme, checked.findings, chosen, instant.date(), impossible)


@click.command()
@programme_argument
@as_of_option
@answering("roadmap")
def roadmap(directory: Path, as_of: datetime | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.cli.views.choose import roadmap_text

    checked, instant = _sound(directory, as_of)
    return Answer(_planned(checked, instant, *_chosen(checked, instant, seed=1)), roadmap_text)


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

    checked, instant = _sound(directory, as_of)
    form, written = _form(out)
    ranked, impossible = _chosen(checked, instant, seed)
    plan = _planned(checked, instant, ranked, impossible)
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
