"""What a case has read, kept where the case outlives the process: keyed marks beside the ledger, named by its entries.

Each time something is added, an entry `trail.extended` names the marks by their digest; the marks lie where the texts
lie that people have to see. So a restarted gateway and a second process know what the first one knew. The ledger knows
that there is a trail and how far it goes: marks that are missing, cut or altered are seen, and then nothing that an
action is made of can be vouched for.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING

from trueup.enforce.untrusted.facts import Facts
from trueup.kernel.canonical import canonical, digest
from trueup.kernel.errors import ConflictError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.untrusted.facts import Kept, Mark
    from trueup.kernel.canonical import Json
    from trueup.kernel.clock import Clock
    from trueup.ledger.log import Ledger

LOST = "a case whose trail is damaged"
_TYPE = "trail.extended"
_DIGITS = 16
# No text in canonical JSON begins like this: what the key makes of it is made for nothing else.
_PURPOSE = b"\x00trail "


class Trail:
    """The kept facts of one case of one workflow; several processes may extend it."""

    def __init__(self, ledger: Ledger, bodies: Bodies, clock: Clock, workflow: str, case: str) -> None:
        self._ledger = ledger
        self._bodies = bodies
        self._clock = clock
        self._workflow = workflow
        self._case = case
        # The case stands in the ledger anyway; without a key in its name, a lost key cannot hide that there is a trail.
        self._root = f"trail/{workflow}/{digest([workflow, case]).removeprefix('sha256:')[:32]}"
        self._next = 0
        self._lost: str | None = None
        self.facts = Facts(_marker(bodies.digest(_PURPOSE + canonical([workflow, case]))))

    def begun(self) -> bool:
        """Tell whether anything was ever kept for the case."""
        return self._ledger.find(self._name(0)) is not None

    def read_on(self) -> str | None:
        """Take in what was added, here or elsewhere; return why nothing can be vouched for, None when all is well.

        Raises what reading the ledger raises.
        """
        while (found := self._ledger.find(self._name(self._next))) is not None:
            self._next += 1
            body = self._bodies.get(str(found.entry.data.get("digest")))
            if body is None or not self._loaded(body):
                self._lost = LOST
        return self._lost

    def keep(self) -> None:
        """Make durable what is new. Raises StorageError, LedgerBrokenError."""
        new = self.facts.new()
        if not new:
            return
        body = canonical([[kind, f"{beside:016x}", origin, _written(marks)] for kind, beside, origin, marks in new])
        name = self._bodies.digest(body)
        self._bodies.put(name, body)
        data: dict[str, Json] = {
            "workflow": self._workflow,
            "case": self._case,
            "digest": name,
            "marks": sum(len(marks) for *_, marks in new),
        }
        while True:
            self.read_on()
            try:
                self._ledger.append([Entry(_TYPE, self._name(self._next), self._clock.now(), None, data)])
            except ConflictError:
                # Another process extended it in between: its marks are read, and ours stand behind them.
                continue
            break
        self._next += 1
        self.facts.kept()

    def _name(self, n: int) -> str:
        return f"{self._root}/{n}"

    def _loaded(self, body: bytes) -> bool:
        try:
            self.facts.load(_read(body))
        except (ValueError, TypeError, KeyError):
            return False
        return True


def _marker(secret: str) -> Mark:
    """Return what makes marks: BLAKE2b of 8 bytes under a key of the case's own (RFC 7693)."""
    key = bytes.fromhex(secret.rpartition(":")[2])

    def mark(text: str) -> int:
        return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest())

    return mark


def _written(marks: list[int]) -> str:
    # In order of size: the order in which words stood is nobody's business.
    return "".join(f"{mark:016x}" for mark in sorted(marks))


def _read(body: bytes) -> list[Kept]:
    return [(kind, int(beside, 16), origin, _marks(written)) for kind, beside, origin, written in json.loads(body)]


def _marks(written: str) -> list[int]:
    return [int(written[at : at + _DIGITS], 16) for at in range(0, len(written), _DIGITS)]
