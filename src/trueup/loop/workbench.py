"""What the loop works with: one programme, its events, its record, its git, the present instant.

`workspace` makes one of these; nothing in `loop` opens a file, a database or a clock by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from trueup.decide.beside import Weigher
    from trueup.declare.programme import Programme
    from trueup.kernel.clock import Clock
    from trueup.kernel.progress import Progress
    from trueup.ledger.log import Ledger
    from trueup.observe.actuals import Actuals
    from trueup.observe.observer import Observer
    from trueup.observe.people import WorkflowPerson


_Answer = TypeVar("_Answer")


class Repository(Protocol):
    """The git repository that holds the programme, if there is one."""

    def present(self) -> bool:
        """Tell whether the programme lies in a work tree that does not ignore it."""
        ...

    def commit(
        self,
        paths: Sequence[str],
        message: str,
        author_name: str,
        author_email: str,
        at: datetime | None = None,
    ) -> str | None:
        """Commit exactly these paths (relative to the programme); None when nothing changed."""
        ...


class Observations(Protocol):
    """Events of the declared data, opened when they are first asked for."""

    def observer(self) -> Observer:
        """Return the observer over every declared log."""
        ...

    def actuals(self) -> Actuals:
        """Return recorded spend and effort."""
        ...

    def people(self) -> Sequence[WorkflowPerson]:
        """Return who works in which workflow, by the declared people file. Raises DataError."""
        ...

    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 of every data file that can be found, by the name of its source."""
        ...


@dataclass(frozen=True, slots=True)
class Workbench:
    """The things that a verb of the loop needs, wired together by the workspace; `weigher` where it is installed."""

    root: Path
    programme: Programme
    observations: Observations
    ledger: Ledger
    vkey: str | None
    repository: Repository
    clock: Clock
    progress: Progress
    weigher: Weigher | None = None
    _answers: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, question: Hashable, answer: Callable[[], _Answer]) -> _Answer:
        """Return an answer that was found before, or find it: for what several rules of one command ask.

        A workbench sees files and data as they were when it first read them, whatever happens to them then. What may
        still change is the record, and that only grows: an answer holds for one length of it. Whoever asks must not
        change what is returned.
        """
        key = (question, self.ledger.size())
        if key not in self._answers:
            self._answers[key] = answer()
        found: _Answer = self._answers[key]
        return found

    @property
    def state(self) -> Path:
        """The folder of everything that is not declared."""
        return self.root / ".trueup"
