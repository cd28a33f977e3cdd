"""What only the composition root may reach for: the clock, randomness, names that nobody else has."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime

STATE = ".trueup"


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


def new_secret() -> bytes:
    """Return 32 bytes that nobody can guess, for one run of the console."""
    return os.urandom(32)


def runner_name() -> str:
    """Return a name for this process that no other one has, now or later."""
    return f"{os.getpid()}-{uuid.uuid4().hex[:16]}"
