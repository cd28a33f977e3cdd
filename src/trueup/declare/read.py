"""A folder -> a checked, typed programme. One bad value hides nothing else, one bad file nothing of the others."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from trueup.declare.check import registry, waivers
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.registration import Registration
from trueup.declare.model.scenario import Scenarios
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import PROGRAMME_FILE, Places, Programme
from trueup.declare.reading.folder import declared_files, misplaced, require_programme
from trueup.declare.reading.marks import Spans
from trueup.declare.reading.references import Known, reference_findings
from trueup.declare.reading.source import open_questions, read_source
from trueup.declare.reading.typed import typed
from trueup.declare.reading.units import unit_findings
from trueup.declare.reading.yaml_tree import Tree, parse_tree
from trueup.kernel.errors import DeclarationError
from trueup.kernel.finding import Finding, Severity, Span

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a folder declares, and everything that is wrong with it; waived findings stay, marked."""

    programme: Programme
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop: of severity error, and not waived."""
        return tuple(found for found in self.findings if found.severity is Severity.ERROR and found.waived is None)


def read_programme(root: Path, today: date) -> Checked:
    """Read, type and check all declared files of a programme, as of a day.

    Raises NotFoundError, code `not-a-programme`; whatever is wrong inside a programme is a finding.
    """
    require_programme(root)
    reading = _Reading(root)
    reading.findings.extend(misplaced(root))
    file = reading.read(PROGRAMME_FILE, ProgrammeFile)
    programme = Programme(
        root=root,
        file=file or ProgrammeFile(programme=""),
        use_cases=reading.read_folder("use-cases", UseCase),
        workflows=reading.read_folder("workflows", Workflow),
        registrations=reading.read_folder("registrations", Registration),
        scenarios=reading.read_folder("scenarios", Scenarios),
        places=reading.places(),
        digests=reading.digests,
    )
    reading.findings.extend(reference_findings(programme, reading.known()))
    reading.findings.extend(unit_findings(programme))
    findings = [*reading.findings, *reading.not_said(registry.run(programme, today))]
    return Checked(programme, tuple(dict.fromkeys(waivers.apply(programme, findings, today))))


def require_sound(checked: Checked, files: Iterable[str] | None = None) -> None:
    """Raise DeclarationError with its findings when errors that nobody waived stand in the files (None: in any)."""
    wanted = None if files is None else set(files)
    errors = [found for found in checked.errors if wanted is None or found.where.file in wanted]
    if errors:
        count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        message = f"The files that this needs have {count}."
        hint = f"Each is explained, with its fix, by:\n    trueup check {shlex.quote(str(checked.programme.root))}"
        raise DeclarationError("unsound", message, hint, sorted(errors, key=Finding.sort_key))


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    root: Path
    trees: dict[str, Tree] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def read(self, file: str, model: type[Model]) -> Model | None:
        """Read one file; None when nothing of it can be used."""
        source = read_source(self.root, file)
        if isinstance(source, Finding):
            self.findings.append(source)
            self.trees[file] = Tree(file)
            return None
        self.digests[file] = source.digest
        tree = parse_tree(file, source.text)
        self.trees[file] = tree
        value, findings = typed(model, tree)
        self.findings += [*tree.findings, *findings, *open_questions(source)]
        return value

    def read_folder(self, folder: str, model: type[Model]) -> dict[str, Model]:
        """Read the files of a folder, by id."""
        read = {_id(file): self.read(file, model) for file in declared_files(self.root, folder)}
        return {name: value for name, value in read.items() if value is not None}

    def places(self) -> Places:
        """Return where everything stands."""
        values = {file: tree.values for file, tree in self.trees.items()}
        return Places(Spans(values), Spans({file: tree.keys for file, tree in self.trees.items()}))

    def not_said(self, later: Iterable[Finding]) -> Iterator[Finding]:
        """Leave out what rules find at a value that could not be read: what is wrong there has been said."""
        roots = {Span(file, *tree.values[()]) for file, tree in self.trees.items() if tree.read}
        said = {found.where for found in self.findings} - roots
        return (found for found in later if found.where not in said)

    def known(self) -> Known:
        """Return every id that stands in the files, also of what could not be typed."""
        raw: dict[str, Any] = self.trees[PROGRAMME_FILE].value or {}
        use_cases = [_id(file) for file in self.trees if file.startswith("use-cases/")]
        workflows = {_id(file): tree.value for file, tree in self.trees.items() if file.startswith("workflows/")}
        return Known.of(raw, use_cases, workflows)


def _id(file: str) -> str:
    return Path(file).stem
