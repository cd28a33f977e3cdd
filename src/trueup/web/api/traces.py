"""Where the API's refusals are put on record: the ledger is opened for the few that are written, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.pin import read_pin
from trueup.kernel.errors import ConflictError
from trueup.workspace import bodies_of, open_ledger, require_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Entry


class Record:
    """The ledger of a programme, as far as somebody who only adds to it now and then needs it."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock

    def digest(self, content: bytes) -> str:
        """Return the keyed digest of what was sent. Raises as `append`."""
        self._require_begun()
        return bodies_of(self._root).digest(content)

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Append entries. Raises ConflictError where no ledger was begun: a stranger begins none."""
        self._require_begun()
        pin = read_pin(self._root)
        ledger, _ = open_ledger(self._root, pin, self._clock, write=True)
        try:
            require_ledger(self._root, pin, ledger)
            return ledger.append(entries)
        finally:
            ledger.close()

    def _require_begun(self) -> None:
        pin = read_pin(self._root)
        if pin is None or pin.vkey is None:
            raise ConflictError("no-ledger-yet", "This programme has no ledger yet.", "")
