"""The masking of one workflow while its files may change: other kinds from the next action on, and the same tokens.

Presidio is opened with the first use, because most workflows mask nothing and most programs never ask.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from trueup.declare.programme import Programme
    from trueup.enforce.masking.payload import Masking


class Masked:
    """What masks for one workflow, with one vault for as long as the gate is open."""

    def __init__(self, programme: Programme, workflow: str) -> None:
        self._programme = programme
        self._workflow = workflow
        self._lock = Lock()
        self._kinds: tuple[str, ...] | None = None
        # What was opened last: asked before and after each call, and the same until a file changes.
        self._seen: Programme | None = None
        self._masking: Masking | None = None

    def now(self) -> Masking | None:
        """Return what masks; None where nothing does. Raises ConflictError (no model for names) and UsageError."""
        with self._lock:
            return self._opened(self._programme)

    def reopened(self, programme: Programme) -> None:
        """Take the files as they are now; where masking is in use already, it has to open. Raises as `now`."""
        with self._lock:
            if self._kinds is not None:
                self._opened(programme)
            self._programme = programme

    def _opened(self, programme: Programme) -> Masking | None:
        if programme is self._seen:
            return self._masking
        from trueup.enforce.masking.tokens import Vault
        from trueup.workspace import masked_kinds, masking_of, new_secret

        kinds = masked_kinds(programme, self._workflow)
        if kinds == self._kinds:
            self._seen = programme
            return self._masking
        try:
            # What was given out as a token comes back, also when the kinds are others by now.
            vault = self._masking.vault if self._masking else Vault(new_secret())
            found = masking_of(programme, self._workflow, vault)
        except ImportError:
            raise UsageError(
                "no-runtime",
                "Masking needs the runtime's libraries.",
                "Install them:\n    pip install 'trueup[runtime]'",
            ) from None
        self._seen, self._kinds, self._masking = programme, kinds, found
        return found
