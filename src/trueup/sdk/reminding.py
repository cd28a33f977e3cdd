"""Who looks after held steps that get old: the gate while it is open, the console while it runs, or a command."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from trueup.connectors.notify import Notifier
    from trueup.enforce.approvals import Desk
    from trueup.enforce.attempt import Held
    from trueup.enforce.standing.ageing import Ageing
    from trueup.kernel.clock import Clock


def reminding(desk: Desk, clock: Clock, notifier: Notifier | None) -> AbstractContextManager[None]:
    """Keep telling what gets old, through a desk whose ledger is open for writing; nothing where nobody is told."""
    from trueup.enforce.standing.ageing import Ageing
    from trueup.workspace import repeatedly, runner_name

    if notifier is None:
        return nullcontext()
    ageing, runner = Ageing(), runner_name()
    return repeatedly(lambda: ageing.tell(desk, clock.now(), runner, notifier.told))


@contextmanager
def reminded(root: Path, clock: Clock) -> Iterator[None]:
    """Keep telling what gets old in a programme that nobody else holds open. Raises NotFoundError."""
    from trueup.enforce.standing.ageing import Ageing
    from trueup.workspace import checked_programme, notifier_of, repeatedly

    notifier = notifier_of(checked_programme(root, clock).programme)
    if notifier is None:
        yield
        return
    ageing = Ageing()
    try:
        with repeatedly(lambda: _look(root, clock, ageing, notifier.told)):
            yield
    finally:
        notifier.close()


def remind(root: Path, clock: Clock | None = None) -> list[str]:
    """Tell once what has got old and was not told yet; return the approvals.

    Raises UsageError where nobody is named who is told, NotFoundError, LedgerBrokenError, StorageError.
    """
    from trueup.enforce.standing.ageing import Ageing
    from trueup.workspace import SystemClock, checked_programme, notifier_of

    clock = clock or SystemClock()
    notifier = notifier_of(checked_programme(root, clock).programme)
    if notifier is None:
        raise UsageError(
            "nobody-to-tell",
            "There is nobody to tell: programme.yaml names no `notify`, or its setting is empty.",
            "Write `notify: env:NAME`, and set NAME to addresses of Apprise.",
        )
    try:
        return _look(root, clock, Ageing(), notifier.told)
    finally:
        notifier.close()


def _look(root: Path, clock: Clock, ageing: Ageing, told: Callable[[Held], None]) -> list[str]:
    """Look without writing; the ledger is opened for writing only when there is something to tell."""
    from trueup.enforce.approvals import Desk
    from trueup.workspace import (
        bodies_of,
        checked_programme,
        open_ledger,
        reading_ledger,
        require_ledger,
        runner_name,
    )

    programme, bodies, now = checked_programme(root, clock).programme, bodies_of(root), clock.now()
    with reading_ledger(root) as ledger:
        if not ageing.due(Desk(programme, ledger, bodies), now):
            return []
    ledger, _ = open_ledger(root, programme.file.ledger, clock, write=True)
    try:
        require_ledger(root, programme.file.ledger, ledger)
        return ageing.tell(Desk(programme, ledger, bodies), now, runner_name(), told)
    finally:
        ledger.close()
