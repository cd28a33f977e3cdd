"""The programme's events, actuals and people, opened when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.workspace.settings import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trueup.backends.duckdb import DuckEngine
    from trueup.declare.programme import Programme
    from trueup.kernel.progress import Progress
    from trueup.ledger.entry import Recorded
    from trueup.observe.actuals import Actuals
    from trueup.observe.observer import Observer
    from trueup.observe.people import WorkflowPerson


class DeclaredData:
    """The programme's events and actuals, opened when they are first asked for."""

    def __init__(
        self, programme: Programme, progress: Progress, entries: Callable[[str], Iterable[Recorded]] = lambda _: ()
    ) -> None:
        from trueup.connectors.logs.declared import LogPaths

        self._programme = programme
        self._entries = entries
        self._paths = LogPaths(programme, progress, programme.root / STATE / "cache")
        self._engine: DuckEngine | None = None
        self._observer: Observer | None = None
        self._actuals: Actuals | None = None

    def observer(self) -> Observer:
        """Return the observer over every declared log."""
        if self._observer is None:
            from trueup.backends.duckdb import DuckEngine
            from trueup.enforce.router import drawn_arms
            from trueup.observe.observer import Observer

            self._engine = DuckEngine(self._paths)
            arms, since = drawn_arms(self._programme, lambda: self._entries("case.assigned"))
            self._observer = Observer(self._programme, self._engine, self._paths.digest, self.actuals, arms, since)
        return self._observer

    def actuals(self) -> Actuals:
        """Return spend and effort, of the declared files and of the ledger."""
        if self._actuals is None:
            from trueup.loop.facts.recorded import recorded_actuals
            from trueup.observe.actuals import read_actuals

            self._actuals = read_actuals(
                self._programme, lambda kind: recorded_actuals(self._entries(f"{kind}.recorded"), kind)
            )
        return self._actuals

    def people(self) -> Sequence[WorkflowPerson]:
        """Return who works in which workflow, by the declared people file."""
        from trueup.observe.people import read_people

        return read_people(self._programme)

    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 of every source that was read."""
        return self._paths.digests()

    def close(self) -> None:
        """Let go of the engine and of what it spilled."""
        if self._engine is not None:
            self._engine.close()
