"""The kill switch has to work when little else does: other commands at work, workflows with errors in their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.kernel.progress import silent
from trueup.workspace.opening import checked_programme, opened
from trueup.workspace.recording import open_ledger, require_ledger
from trueup.workspace.settings import SystemClock
from trueup.workspace.signing import signer_of

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.enforce.standing.switch import Throw


def throw_switch(root: Path, wanted: Throw) -> int:
    """Record a kill or its end; return the entry's index. Neither waits for other commands nor asks for sound files.

    Raises NotFoundError, NotPermittedError, ConflictError, LedgerBrokenError, StorageError.
    """
    from trueup.enforce.standing.switch import throw
    from trueup.loop.pin import pin_now

    clock = SystemClock()
    programme = checked_programme(root, clock).programme
    pin = programme.file.ledger
    if pin is None or pin.vkey is None:
        with opened(root, silent, write=True, clock=clock) as bench:
            pin_now(bench)
        programme = checked_programme(root, clock).programme
    ledger, _ = open_ledger(root, programme.file.ledger, clock, write=True)
    try:
        require_ledger(root, programme.file.ledger, ledger)
        return throw(programme, ledger, wanted, clock.now(), signer_of(programme, wanted.by))
    finally:
        ledger.close()
