"""The programme's events, actuals and people, opened when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.workspace.settings import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trueup.backends.duckdb import DuckEngine
    from trueup.backends.engines.routed import RoutedEngine
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
        from trueup.connectors.logs.answers import KeptAnswers, version_of_answers
        from trueup.connectors.logs.declared import LogPaths
        from trueup.workspace.databases import Databases

        self._programme = programme
        self._entries = entries
        folder = programme.root / STATE / "cache"
        self._paths = LogPaths(programme, progress, folder)
        self._answers = KeptAnswers(folder / "answers", self._paths, version_of_answers())
        self._databases = Databases(programme, progress)
        self._files: DuckEngine | None = None
        self._observer: Observer | None = None
        self._actuals: Actuals | None = None
        self._people: Sequence[WorkflowPerson] | None = None

    def observer(self) -> Observer:
        """Return the observer over every declared log."""
        if self._observer is None:
            from trueup.enforce.router import drawn_arms
            from trueup.observe.observer import Observer

            arms, since = drawn_arms(self._programme, lambda: self._entries("case.assigned"))
            self._observer = Observer(
                self._programme, self._engine(), self._digest, self.actuals, arms, since, answers=self._answers
            )
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

        if self._people is None:
            self._people = read_people(self._programme)
        return self._people

    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 of every source that was read."""
        return dict(sorted({**self._paths.digests(), **self._databases.digests()}.items()))

    def close(self) -> None:
        """Let go of the engines and of what they spilled."""
        if self._files is not None:
            self._files.close()
        self._databases.close()

    def _engine(self) -> DuckEngine | RoutedEngine:
        """Return what computes KPIs: DuckDB over files, and where events lie in databases, those."""
        if not self._databases:
            return self._over_files()
        from trueup.backends.engines.routed import RoutedEngine

        return RoutedEngine(
            lambda data: self._databases.engine(data) if data in self._databases else self._over_files()
        )

    def _over_files(self) -> DuckEngine:
        if self._files is None:
            from trueup.backends.duckdb import DuckEngine

            self._files = DuckEngine(self._paths)
        return self._files

    def _digest(self, data: str) -> str:
        return self._databases.digest(data) if data in self._databases else self._paths.digest(data)
