"""`assess`, `rank`, `roadmap` and `brief`: the strategy half. Nothing here writes to the programme."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

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

    checked, day = _sound(directory, as_of)
    return Answer(ranking(checked.programme, Question(day, seed)), rank_text)
