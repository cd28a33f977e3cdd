"""Where a programme's ledger lies: in its own folder, or in the PostgreSQL that a setting names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trueup.kernel.errors import UsageError
from trueup.workspace.settings import STATE, new_secret

if TYPE_CHECKING:
    from pathlib import Path

    from trueup.declare.model.programme import LedgerPin
    from trueup.enforce.bodies import Bodies
    from trueup.ledger.store import Store

URL_SETTING = "TRUEUP_LEDGER_URL"
LEDGER_FILE = "ledger.db"
_REFERENCE = "env:"
_SCHEMES = ("postgresql://", "postgres://")


def store_of(root: Path, pin: LedgerPin | None, origin: str, *, write: bool) -> Store:
    """Return the store of a programme's ledger; nothing is opened yet.

    Raises UsageError when a declared setting is missing or holds something else than a PostgreSQL URL.
    """
    url = ledger_url(pin)
    if url is None:
        from trueup.backends.sqlite import SqliteStore

        return SqliteStore(root / STATE / LEDGER_FILE, read_only=not write)
    from trueup.backends.postgres import PostgresStore

    return PostgresStore(url, origin, read_only=not write)


def bodies_of(root: Path, pin: LedgerPin | None, origin: str) -> Bodies:
    """Return where the texts lie that the ledger names by digest: beside the ledger, and outside of it."""
    url = ledger_url(pin)
    if url is None:
        from trueup.backends.bodies import FolderBodies

        return FolderBodies(root / STATE / "bodies", new_secret)
    from trueup.backends.postgres_bodies import PostgresBodies

    return PostgresBodies(url, origin, new_secret)


def place_of(pin: LedgerPin | None) -> str:
    """Return how people call the place of the ledger; never the address, which may hold a password."""
    return f"{STATE}/{LEDGER_FILE}" if ledger_url(pin) is None else f"the database of {_setting(pin)}"


def ledger_url(pin: LedgerPin | None) -> str | None:
    """Return the URL of the database, None for the file in the folder. Raises UsageError, never quoting a URL."""
    name = _setting(pin)
    url = os.environ.get(name)
    if not url:
        if pin is None or pin.store is None:
            return None
        raise UsageError(
            "store-not-set",
            f"programme.yaml keeps the ledger in `env:{name}`, and the environment has no {name}.",
            f"Set it:\n    export {name}=postgresql://USER@HOST/DATABASE",
        )
    if not url.startswith(_SCHEMES):
        raise UsageError(
            "bad-store", f"{name} is not the URL of a PostgreSQL database.", "It begins with postgresql://."
        )
    return url


def _setting(pin: LedgerPin | None) -> str:
    return URL_SETTING if pin is None or pin.store is None else pin.store.removeprefix(_REFERENCE)
