"""The real logs, with every KPI that they have, each read once through the product's own observer."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from trueup.declare.model.kpi import Kpi
from trueup.declare.programme import Programme
from trueup.kernel.clock import start_of_day
from trueup.kernel.progress import silent
from trueup.observe.tables import CaseVector, Population
from trueup.workspace import DeclaredData, checked_programme

WEEK = timedelta(weeks=1)
EVER = datetime(1990, 1, 1, tzinfo=UTC)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Log:
    """Where a log lies, its columns, its KPIs as they are declared, and the column of units (None: it has none).

    `matures` are the days of follow-up, whole weeks.
    """

    file: str
    columns: str
    matures: int
    kpis: str
    unit: str | None = None
    extra: str = ""


XES = "case: 'case:concept:name', activity: 'concept:name', at: 'time:timestamp'"
LOGS: Mapping[str, Log] = {
    "declarations": Log(
        "bpic2020/DomesticDeclarations.xes.gz",
        XES,
        21,
        """
  cycle: {duration: {from: first Declaration SUBMITTED*, to: last Payment Handled}, unit: days, better: lower}
  approval: {duration: {from: first *SUBMITTED*, to: first *FINAL_APPROVED*}, unit: days, better: lower}
  steps: {count: {of: ['*']}, better: lower}
  unrejected: {share: {without: ['Declaration REJECTED*']}, better: higher}
  prompt: {share: {within: 7d, from: first Declaration SUBMITTED*, to: last Payment Handled}, better: higher}
""",
    ),
    "requests": Log(
        "bpic2020/RequestForPayment.xes.gz",
        XES,
        21,
        """
  cycle: {duration: {from: first Request For Payment SUBMITTED*, to: last Payment Handled}, unit: days, better: lower}
  approval: {duration: {from: first *SUBMITTED*, to: first *FINAL_APPROVED*}, unit: days, better: lower}
  steps: {count: {of: ['*']}, better: lower}
  unrejected: {share: {without: ['Request For Payment REJECTED*']}, better: higher}
  prompt: {share: {within: 7d, from: first Request For Payment SUBMITTED*, to: last Payment Handled}, better: higher}
""",
        unit="(case)_OrganizationalEntity",
    ),
    "helpdesk": Log(
        "helpdesk/helpdesk.xes.gz",
        XES,
        28,
        """
  response: {duration: {from: 'first *', to: first Take in charge ticket}, unit: days, better: lower}
  resolution: {duration: {from: 'first *', to: first Resolve ticket}, unit: days, better: lower}
  steps: {count: {of: ['*']}, better: lower}
  waited: {share: {with: ['Wait', 'Require upgrade']}, better: lower}
  prompt: {share: {within: 7d, from: 'first *', to: first Resolve ticket}, better: higher}
""",
        unit="product",
        extra=", duplicates: drop",
    ),
    "receipts": Log(
        "receipt/receipt.csv",
        XES,
        21,
        """
  cycle: {duration: {from: first Confirmation of receipt, to: last T10 *}, unit: days, better: lower}
  confirmation: {duration: {from: first Confirmation of receipt, to: first T05 *}, unit: days, better: lower}
  steps: {count: {of: ['*']}, better: lower}
  confirmed: {share: {with: ['T05 *']}, better: higher}
  prompt: {share: {within: 1d, from: first Confirmation of receipt, to: last T10 *}, better: higher}
""",
        unit="case:responsible",
    ),
    "incidents": Log(
        "servicenow/incident_event_log.zip",
        "case: number, activity: ident_state, at: sys_updated_at",
        14,
        """
  cycle: {duration: {from: 'first *', to: last Closed}, unit: days, better: lower}
  resolution: {duration: {from: 'first *', to: first Resolved}, unit: days, better: lower}
  steps: {count: {of: ['*']}, better: lower}
  waited: {share: {with: ['Awaiting *']}, better: lower}
  prompt: {share: {within: 1d, from: 'first *', to: first Resolved}, better: higher}
""",
        unit="assignment_group",
        extra=", dates: day-first, duplicates: drop",
    ),
}
# Every log has these shapes; which of them a KPI is follows from its declaration.
KPIS = {name: tuple(line.split(":")[0].strip() for line in log.kpis.strip().splitlines()) for name, log in LOGS.items()}


@dataclass(frozen=True, slots=True)
class Series:
    """One KPI of one log: all its cases with their units, the population that they are of, and its mix in each week.

    `begins` and `ends` are Mondays: the log's first full week, and the first instant that it no longer covers.
    """

    log: str
    name: str
    kpi: Kpi
    programme: Programme
    cases: CaseVector
    whole: Population
    mix: Callable[[date], Mapping[tuple[str, str | None], int]]
    matures: timedelta
    begins: datetime
    ends: datetime

    @property
    def started(self) -> Mapping[date, int]:
        """How many cases started in each week that the log covers."""
        count = int((self.ends - self.begins) / WEEK)
        weeks = [(self.begins + number * WEEK).date() for number in range(count)]
        return {week: self.whole.weeks.get(week, 0) for week in weeks}

    @property
    def has_units(self) -> bool:
        """Whether cases belong to units that could be treated one by one."""
        return LOGS[self.log].unit is not None

    def mondays(self, *, before: int, after: int) -> list[datetime]:
        """Return every Monday with so many weeks of log before it and after it."""
        first = self.begins + before * WEEK
        count = int((self.ends - after * WEEK - first) / WEEK) + 1
        return [first + week * WEEK for week in range(max(count, 0))]


@dataclass(slots=True)
class Logs:
    """Logs under a folder, read when they are first asked for; `work` keeps what was made of them."""

    folder: Path
    work: Path
    _read: dict[str, dict[str, Series]]

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.work, self._read = folder, work, {}

    def series(self, log: str, kpi: str) -> Series:
        """Return one KPI of one log."""
        if log not in self._read:
            self._read[log] = {one.name: one for one in _read(log, self.folder, self.work / log)}
        return self._read[log][kpi]


class _Fixed:
    """A clock that stands: nothing here depends on the day of the run."""

    def now(self) -> datetime:
        """Return the same instant always."""
        return datetime(2024, 1, 1, tzinfo=UTC)


def _read(name: str, folder: Path, root: Path) -> Iterator[Series]:
    log = LOGS[name]
    (root / "workflows").mkdir(parents=True, exist_ok=True)
    source = folder / "logs" / log.file
    (root / "programme.yaml").write_text(
        f"programme: {name}\ndata:\n  log: {{source: '{source}', zone: UTC{log.extra}}}\n", "utf-8"
    )
    unit = f"pilot: {{design: {{assigned: matched, unit: '{log.unit}', treated: ['-'], control: ['--']}}}}\n"
    (root / "workflows" / f"{name}.yaml").write_text(
        f"workflow: {name}\nevents: {{data: log, {log.columns}, matures_after: {log.matures}d}}\n"
        f"kpis:{log.kpis}" + (unit if log.unit else ""),
        "utf-8",
    )
    programme = checked_programme(root, _Fixed()).programme
    data = DeclaredData(programme, silent)
    observer = data.observer()
    whole = observer.population(name, since=EVER, until=NEVER, as_of=NEVER)
    weeks = _covered(whole.weeks)

    @functools.cache
    def mix(week: date) -> Mapping[tuple[str, str | None], int]:
        since = start_of_day(week)
        return observer.population(name, since=since, until=since + WEEK, as_of=NEVER).mix

    for kpi, declared in programme.workflows[name].kpis.items():
        cases = observer.cases(name, kpi, since=start_of_day(weeks[0]), until=NEVER, mature_by=NEVER)
        yield Series(
            name, kpi, declared, programme, cases, whole, mix,
            timedelta(days=log.matures), start_of_day(weeks[0]), start_of_day(weeks[-1]) + WEEK,
        )  # fmt: skip


def _covered(counts: Mapping[date, int]) -> list[date]:
    """Return the weeks from the first full one to the last with a case start."""
    first, last = sorted(counts)[1], max(counts)
    return [first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1)]


def added(parts: Iterator[Mapping[tuple[str, str | None], int]]) -> dict[tuple[str, str | None], int]:
    """Add up mixes."""
    total: Counter[tuple[str, str | None]] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)
