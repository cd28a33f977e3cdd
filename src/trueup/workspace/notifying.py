"""Who is told when a step is held: the addresses stand in the environment, because they hold passwords."""

from __future__ import annotations

import logging
import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trueup.connectors.notify import Notifier
    from trueup.declare.programme import Programme

_LOG = logging.getLogger("trueup.notify")
LOOK_EVERY = 30.0


def notifier_of(programme: Programme) -> Notifier | None:
    """Return what tells people; None where the programme names nobody, or the setting is not there (it is logged)."""
    if programme.file.notify is None:
        return None
    name = programme.file.notify.removeprefix("env:")
    addresses = os.environ.get(name, "").split()
    if not addresses:
        _LOG.warning("the setting %s is empty, so nobody is told of held steps", name)
        return None
    from trueup.connectors.notify import Notifier

    return Notifier(addresses, console_of(programme))


def console_of(programme: Programme) -> str | None:
    """Return where the console is reached from; None where nobody says, or the setting holds no plain address."""
    declared = programme.file.console
    if declared is None or not declared.startswith("env:"):
        return declared
    from trueup.declare.model.programme import CONSOLE_ADDRESS

    name = declared.removeprefix("env:")
    address = os.environ.get(name, "").strip()
    if re.fullmatch(CONSOLE_ADDRESS, address) is None:
        _LOG.warning("the setting %s holds no address of a console, so messages carry no link", name)
        return None
    return address


@contextmanager
def repeatedly(look: Callable[[], object], every: float = LOOK_EVERY) -> Iterator[None]:
    """Call something at once and every so many seconds, in a thread of its own; what it raises is logged."""
    over = threading.Event()

    def work() -> None:
        while True:
            try:
                look()
            except Exception as error:  # noqa: BLE001 -- whoever is not told now is told at the next look
                _LOG.warning("what waits could not be looked at: %s", getattr(error, "code", type(error).__name__))
            if over.wait(every):
                return

    thread = threading.Thread(target=work, name="trueup-remind", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
