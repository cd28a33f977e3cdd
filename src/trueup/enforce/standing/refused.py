"""What a door turned away before the gate leaves a trace: how often, why, and a digest, never what it was.

Somebody who tries keys, or sends what has two meanings, is seen afterwards. A flood must not fill the disk: of each
reason the 1st, the 10th, the 100th ... refusal of a day (UTC) is written, and how many there were when the day or the
door ends. Writing a trace that fails changes nothing: what was refused stays refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from trueup.kernel.clock import Clock
    from trueup.kernel.errors import TrueupError

_LOG = logging.getLogger("trueup.refused")
# Reasons are words of ours; if there should ever be more of them, the rest is counted as one.
MOST_REASONS = 32
OTHER = "other"


class Appends(Protocol):
    """What can be added to: a ledger, or whatever opens one when something is to be written."""

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Append entries, durably."""
        ...


@dataclass(slots=True)
class _Tally:
    """How often something was refused on a day, how much of that is on record, and the digest of the newest."""

    count: int = 0
    written: int = 0
    digest: str | None = None


class Refusals:
    """What one door of one process refused today. `runner` names the process, and is used by no other.

    `digest` is keyed, as that of arguments is: who has the ledger alone cannot find out what was sent by trying.
    """

    def __init__(
        self,
        ledger: Appends,
        digest: Callable[[bytes], str],
        clock: Clock,
        runner: str,
        door: str,
        workflow: str | None,
    ) -> None:
        self._ledger = ledger
        self._digest = digest
        self._clock = clock
        self._about = {"door": door, "workflow": workflow, "runner": runner}
        self._name = f"refused/{runner}/{door}"
        self._lock = Lock()
        self._day: date | None = None
        self._tallies: dict[str, _Tally] = {}
        self._entries = 0

    def note(self, reason: str, content: bytes) -> None:
        """Take note of a refusal; never raises. `content` is what was refused, of which only the digest is kept."""
        try:
            with self._lock:
                self._note(reason, content)
        except Exception as error:  # noqa: BLE001 -- a trace that cannot be written lets nothing in
            _LOG.warning("a refusal (%s) could not be put on record: %s", reason, _kind(error))

    def close(self) -> None:
        """Write down what is counted and not yet on record; never raises."""
        try:
            with self._lock:
                self._settle()
        except Exception as error:  # noqa: BLE001 -- the program that ends is not kept from it
            _LOG.warning("refusals could not be put on record: %s", _kind(error))

    def _note(self, reason: str, content: bytes) -> None:
        today = self._clock.now().date()
        if today != self._day:
            self._settle()
            self._day, self._tallies = today, {}
        word = reason if reason in self._tallies or len(self._tallies) < MOST_REASONS else OTHER
        tally = self._tallies.setdefault(word, _Tally())
        tally.count += 1
        if _is_power_of_ten(tally.count):
            tally.digest = self._digest(content)
            self._write({word: tally})

    def _settle(self) -> None:
        self._write({word: tally for word, tally in self._tallies.items() if tally.count > tally.written})

    def _write(self, tallies: dict[str, _Tally]) -> None:
        if not tallies:
            return
        now = self._clock.now()
        entries = [
            Entry(
                "request.refused",
                f"{self._name}/{self._entries + place}",
                now,
                None,
                {**self._about, "reason": word, "day": str(self._day), "count": tally.count, "digest": tally.digest},
            )
            for place, (word, tally) in enumerate(tallies.items())
        ]
        # A name that may have been used is not used again.
        self._entries += len(entries)
        self._ledger.append(entries)
        for tally in tallies.values():
            tally.written = tally.count


def _is_power_of_ten(count: int) -> bool:
    return str(count).rstrip("0") == "1"


def _kind(error: Exception | TrueupError) -> str:
    return str(getattr(error, "code", type(error).__name__))
