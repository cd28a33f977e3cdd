"""People are told that a step waits: by mail or chat, beside the gate, which neither waits for it nor learns of it.

A message holds what was declared and the approval's id, and the command that shows the rest: no arguments, no case, no
names. Whoever reads it has to come and look, under their own rights: a link leads to the page, and opens nothing.
"""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trueup.enforce.attempt import Held

_LOG = logging.getLogger("trueup.notify")
_MOST_WAITING = 1000
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    title: str
    body: str


def message_of(held: Held, console: str | None = None) -> Message:
    """Return what people are told about a held step; with the address of a console, where its page is."""
    what = f"{held.workflow}.{held.action}"
    old = held.since == "escalated"
    says = "has become old: whom the workflow escalates to may decide too" if old else "waits for a person"
    link = f"{console.rstrip('/')}/approvals/{held.approval}\n" if console else ""
    body = (
        f"{held.approval} {says}: {what}, impact {held.impact}, until {format_instant(held.expires_at)}; "
        f"then it is a no.\n\n{link}trueup approvals show DIR {held.approval}"
    )
    return Message(f"Trueup: {what} {'still waits' if old else 'waits for a person'}", body)


class Notifier:
    """Sends messages to addresses of Apprise, from a thread of its own. What cannot be sent is logged."""

    def __init__(self, addresses: Sequence[str], console: str | None = None) -> None:
        self._addresses = tuple(addresses)
        self._console = console
        self._waiting: Queue[Message] = Queue(_MOST_WAITING)
        self._closing = Event()
        self._thread: Thread | None = None
        # Apprise needs it, and it cannot be loaded any more once the interpreter ends.
        importlib.import_module("concurrent.futures.thread")

    def told(self, held: Held) -> None:
        """Have a message sent; returns at once, and raises nothing that has to do with sending."""
        try:
            self._waiting.put_nowait(message_of(held, self._console))
        except Full:
            _LOG.warning("too many messages wait; nobody is told of %s", held.approval)
            return
        if self._thread is None:
            # It ends with the program: a mail server that does not answer keeps nobody from leaving.
            self._thread = Thread(target=self._work, name="trueup-notify", daemon=True)
            self._thread.start()

    def close(self, patience: float = 5.0) -> None:
        """Wait until what was told is sent, and no longer than `patience` seconds."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _work(self) -> None:
        while True:
            try:
                message = self._waiting.get(timeout=_LOOK_SECONDS)
            except Empty:
                if self._closing.is_set():
                    return
                continue
            self._send(message)

    def _send(self, message: Message) -> None:
        """Send one message to all. An address is a secret: no error may repeat it."""
        try:
            from apprise import Apprise

            logging.getLogger("apprise").setLevel(logging.CRITICAL)
            # One by one, and here: Apprise's own threads are none any more when a program of one call ends.
            sent = [_sent(Apprise, address, message) for address in self._addresses]
            if not all(sent):
                _LOG.warning("not everybody could be told: %s", message.title)
        except Exception as error:  # noqa: BLE001 -- whatever a library of a hundred services raises, the gate goes on
            _LOG.warning("nobody could be told (%s): %s", type(error).__name__, message.title)


def _sent(apprise: Any, address: str, message: Message) -> bool:
    """Send a message to one address; what breaks there keeps nobody else from being told."""
    try:
        one = apprise.instantiate(address)
        return one is not None and bool(one.notify(title=message.title, body=message.body))
    except Exception as error:  # noqa: BLE001 -- whatever a library of a hundred services raises, the others are told
        _LOG.warning("one address broke (%s): %s", type(error).__name__, message.title)
        return False
