"""`new`, `check`, `explain` and `schema`: what needs the declared files alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import as_of_option, programme_argument
from trueup.cli.views import programme as view
from trueup.kernel.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.declare.read import Checked
    from trueup.kernel.finding import Finding


@click.command()
@programme_argument
@as_of_option
@click.option("--with-data", is_flag=True, help="Also look at data, ledger and history.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="How to print: for people, for programs, for code hosts.",
)
@answering("check")
def check(directory: Path, as_of: datetime | None, *, with_data: bool, form: str) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.declare.read import read_programme
    from trueup.kernel.finding import Finding, Severity
    from trueup.workspace import SystemClock

    instant = as_of or SystemClock().now()
    checked = read_programme(directory, instant.date())
    further = _with_data(directory, checked, instant) if with_data else []
    found = sorted([*checked.findings, *_compiled(checked), *further], key=Finding.sort_key)
    data = {"findings": [finding.to_json() for finding in found]}
    errors = any(finding.severity is Severity.ERROR and finding.waived is None for finding in found)
    return Answer(data, _renderer(form, str(directory)), Exit.FINDINGS if errors else Exit.DONE)


def _compiled(checked: Checked) -> list[Finding]:
    """Return what only compiling policies shows; without actions, policies or scenarios nothing is imported."""
    found = []
    if any(workflow.actions for workflow in checked.programme.workflows.values()):
        from trueup.enforce.rehearsal.blocked import blocked_actions

        said = {finding.where for finding in checked.findings}
        found += [finding for finding in blocked_actions(checked.programme) if finding.where not in said]
    if (checked.programme.root / "policies").exists():
        from trueup.enforce.unusable import unusable_policies

        found += unusable_policies(checked.programme, checked.findings)
    if checked.programme.scenarios:
        from trueup.enforce.rehearsal.scenarios import broken_scenarios

        found += broken_scenarios(checked.programme)
    return found


def _with_data(directory: Path, checked: Checked, instant: datetime) -> list[Finding]:
    """Return what data, ledger and calendar show; nothing while errors stand in the files that say how to read them."""
    from trueup.cli.progress import progress_on_stderr
    from trueup.loop.findings.registry import findings_of
    from trueup.workspace import opened

    if checked.errors:
        click.echo("Data and ledger were not looked at: correct the errors in the files first.", err=True)
        return []
    with progress_on_stderr() as progress, opened(directory, progress) as bench:
        return [found.finding for found in findings_of(bench, instant)]


def _renderer(form: str, folder: str) -> Callable[[Mapping[str, Any]], str]:
    if form == "github":
        return partial(view.check_github, folder=folder)
    if form == "sarif":
        from trueup.declare.check.registry import PAGES

        return partial(view.check_sarif, folder=folder, pages={code: page.to_json() for code, page in PAGES.items()})
    return partial(view.check_text, folder=folder)


@click.command()
@click.argument("code", metavar="[CODE]", required=False)
@answering("explain")
def explain(code: str | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.declare.check.registry import PAGES
    from trueup.declare.check.registry import explain as page_of

    if code is None:
        pages = [PAGES[known].to_json() for known in sorted(PAGES)]
        return Answer({"codes": pages}, view.explain_text)
    return Answer(page_of(code).to_json(), view.explain_text)


@click.command()
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--out", metavar="FOLDER", type=click.Path(path_type=Path), help="Where to write; default: DIR/.trueup.")
@answering("schema")
def schema(directory: Path | None, out: Path | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.declare.reading.folder import require_programme
    from trueup.declare.schemas import schema_texts
    from trueup.kernel.files import write_durably

    if out is None and directory is None:
        hint = "Say where to write:\n    trueup schema --out schemas"
        raise UsageError("no-folder", "There is neither a programme nor a folder to write to.", hint)
    if directory is not None:
        require_programme(directory)
    folder = out or Path(directory or ".") / ".trueup" / "schemas"
    written = {folder / name: text for name, text in schema_texts().items()}
    for path, text in written.items():
        write_durably(path, text.encode())
    return Answer({"files": [str(path) for path in written]}, view.schema_text)


@click.command()
@programme_argument
@click.option("--answers", metavar="FILE", type=click.Path(path_type=Path), help="A YAML file with answers.")
@answering("new")
def new(directory: Path, answers: Path | None) -> Answer:  # noqa: D103 -- help in COMMANDS
    from trueup.declare.starter import read_answers, starter_files, write_new
    from trueup.workspace import SystemClock

    given = read_answers(answers, today=SystemClock().now().date())
    files = starter_files(given)
    write_new(directory, files)
    return Answer({"files": sorted(files)}, partial(view.new_text, folder=str(directory)))
