"""A first programme, from a few answers: it can be checked at once, and what nobody answered yet is a finding."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from trueup.declare import templates
from trueup.declare.editing.emit import inline, key_text
from trueup.declare.model.answers import Answers
from trueup.declare.programme import PROGRAMME_FILE, use_case_file, workflow_file
from trueup.declare.reading.source import read_source
from trueup.declare.reading.typed import typed
from trueup.declare.reading.yaml_tree import parse_tree
from trueup.kernel.errors import ConflictError, DeclarationError, NotFoundError, StorageError
from trueup.kernel.files import write_durably
from trueup.kernel.finding import Finding


def starter_files(answers: Answers) -> dict[str, str]:
    """Return the files of a starter programme, by relative path. Pure: the same answers give the same text."""
    return {
        PROGRAMME_FILE: _programme(answers),
        use_case_file(answers.use_case.id): _use_case(answers),
        workflow_file(answers.use_case.id): _workflow(answers),
        "knowledge/README.md": templates.KNOWLEDGE,
        ".gitignore": templates.IGNORED,
    }


def read_answers(path: Path | None, today: date) -> Answers:
    """Return the answers of a file (None: all open), adopted today unless it says otherwise.

    Raises NotFoundError when there is no such file, DeclarationError with what is wrong in it.
    """
    answers = Answers() if path is None else _read(path)
    return answers if answers.adopted else answers.model_copy(update={"adopted": today})


def _read(path: Path) -> Answers:
    if not path.exists():
        hint = "Leave --answers away to start without; the keys stand in docs/reference/answers.md."
        raise NotFoundError("no-answers", f"There is no file {str(path)!r}.", hint)
    source = read_source(path.parent, path.name)
    if isinstance(source, Finding):
        raise _wrong([source])
    tree = parse_tree(path.name, source.text)
    answers, findings = typed(Answers, tree)
    if answers is None or tree.findings or findings:
        raise _wrong([*tree.findings, *findings])
    return answers


def _wrong(findings: list[Finding]) -> DeclarationError:
    hint = "Nothing was written. The keys stand in docs/reference/answers.md."
    return DeclarationError("bad-answers", "The answers cannot be used as they are.", hint, findings)


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files into a folder that is empty or not there yet: all of them, or none.

    Raises ConflictError for a folder that holds anything (a fresh git repository may), StorageError.
    """
    target = folder.resolve()
    partial = target.with_name(f".{target.name}.partial")
    try:
        if target.exists() and (not target.is_dir() or {path.name for path in target.iterdir()} - {".git"}):
            hint = "Nothing was written. Name a folder that does not exist yet:\n    trueup new OTHER"
            raise ConflictError("not-empty", f"{str(folder)!r} is not an empty folder.", hint)
        shutil.rmtree(partial, ignore_errors=True)
        for name, text in files.items():
            write_durably(partial / name, text.encode())
        _move(partial, target)
    except OSError as error:
        raise StorageError(
            "cannot-write", f"{str(folder)!r} could not be written: {error.strerror or error}.", "Nothing was written."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    # The folder is there, and may be where somebody stands: its entries move, the one that makes it a programme last.
    for path in sorted(partial.iterdir(), key=lambda path: path.name == PROGRAMME_FILE):
        path.rename(target / path.name)


def default_origin(name: str) -> str:
    """Return the origin line of a ledger that nobody named: the programme's name, as an address without a scheme."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "programme"
    return f"{slug}/trueup"


def _line(key: str, value: object, todo: str, indent: int = 0) -> str:
    """Return `key: value`; without an answer the key stands empty, with what is to be written there."""
    text = f"{key}:  # TODO: {todo}" if value is None else f"{key}: {inline(value)}"
    return " " * indent + text


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return textwrap.dedent(template).lstrip("\n").format_map(values)


def _people(answers: Answers) -> str:
    if not answers.people:
        return "people: {}  # TODO: ID: {name: ..., email: ..., roles: [owner]}; every name below is one of these ids"
    lines = ["people:"]
    for name, person in answers.people.items():
        said = person.model_dump(mode="json", exclude_none=True, exclude_unset=True)
        lines.append(f"  {key_text(name)}: {inline(said)}")
    return "\n".join(lines)


def _programme(answers: Answers) -> str:
    objective, data = answers.objective, answers.data
    reach = None if objective.reach is None else objective.reach.text
    return _filled(
        templates.PROGRAMME,
        {
            "programme": inline(answers.programme),
            "sponsor": _line("sponsor", answers.sponsor, "the id of the person who pays and decides"),
            "currency": inline(answers.currency),
            "adopted": _line("adopted", answers.adopted, "the day on which the strategy was adopted"),
            "origin": inline(answers.origin or default_origin(answers.programme)),
            "people": _people(answers),
            "objective": objective.id,
            "outcome": _line("outcome", objective.outcome, "what is better for whom, in one sentence", 4),
            "kpi": f"{answers.use_case.id}.cycle_time",
            "by": _line("by", objective.by, "a date", 8).strip(),
            "reach": _line("reach", reach, "a change against the baseline, such as -30%", 8),
            "owner": _line("owner", answers.owner, "the id of one person", 4),
            "coordination": _line("coordination", answers.sponsor, "the id of one person", 2),
            "decides": inline([answers.sponsor] if answers.sponsor else []),
            "data": data.id,
            "source": _line("source", data.source, "a csv, parquet or xes file, relative to this folder", 4),
            "zone": inline(data.zone),
            "tell": inline([answers.sponsor] if answers.sponsor else []),
        },
    )


def _use_case(answers: Answers) -> str:
    return _filled(
        templates.USE_CASE,
        {
            "name": inline(answers.use_case.name),
            "objective": answers.objective.id,
            "owner": _line("owner", answers.owner, "the id of one person, who answers for the outcome"),
            "data": f"data.{answers.data.id}",
        },
    )


def _workflow(answers: Answers) -> str:
    data, pilot = answers.data, answers.pilot
    window = None if pilot.baseline is None else {"from": pilot.baseline.start, "to": pilot.baseline.end}
    matures = None if data.matures_after is None else data.matures_after.text
    reach = answers.objective.reach
    wrong = list(answers.measure.wrong) or ["*REJECTED*"]
    return _filled(
        templates.WORKFLOW,
        {
            "name": inline(answers.use_case.name),
            "use_case": answers.use_case.id,
            "business": _line("business", answers.owner, "the id of one person, who answers for the outcome", 2),
            "data": data.id,
            "case": _line("case", data.case, "the column that says which case", 2),
            "activity": _line("activity", data.activity, "the column that says what happened", 2),
            "at": _line("at", data.at, "the column that says when", 2),
            "complete": "  complete: []  # TODO: the activities that end a case, [A, B]"
            if not data.complete
            else _line("complete", list(data.complete), "", 2),
            "matures": _line("matures_after", matures, "how long a case may take, such as 21d", 2),
            "from": inline(str(answers.measure.start or "first *")),
            "to": inline(str(answers.measure.end or "last *")),
            "target": inline("-20%" if reach is None else reach.text),
            "wrong": inline(wrong),
            "starts": _line("starts", pilot.starts, "a date, after the baseline was registered", 2),
            "baseline": _line("baseline", window, "{from: DATE, to: DATE}, before the start", 2),
            "share": inline(f"{pilot.share * 100:g}%"),
        },
    )
