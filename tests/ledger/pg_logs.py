"""Small logs on PostgreSQL: made, verified and damaged as `logs` does with files."""

from __future__ import annotations

from contextlib import closing

import psycopg

from tests.ledger.logs import ORIGIN, SIGNER, VKEY, TickingClock, note
from trueup.backends.postgres import PostgresStore
from trueup.backends.postgres_layout import schema_of
from trueup.ledger.log import Ledger
from trueup.ledger.note import Signer
from trueup.ledger.verify import Report, Witness, verify


def open_pg(url: str, place: str, signer: Signer | None = SIGNER) -> Ledger:
    """Open the log of a place: every place has a schema of its own."""
    return Ledger(PostgresStore(url, place), TickingClock(), signer, ORIGIN if signer is None else signer.name)


def make_pg(
    url: str, place: str, entries: int = 7, signed_at: tuple[int, ...] = (3, 5), signer: Signer = SIGNER
) -> list[str]:
    """Write a log and close it; return its checkpoints."""
    signed: list[str] = []
    with closing(open_pg(url, place, signer)) as log:
        for n in range(entries):
            sign = n + 1 in signed_at
            log.append([note(n)], checkpoint=sign, before_commit=lambda text: signed.extend([text] if text else []))
    return signed


def verified_pg(url: str, place: str, *witness: str, vkey: str | None = VKEY) -> Report:
    with closing(PostgresStore(url, place, read_only=True)) as store:
        outside = [Witness("checkpoints/latest", text.encode()) for text in witness]
        return verify(store, vkey=vkey, origin=ORIGIN, witnesses=outside)


def tampered_pg(url: str, place: str, *statements: str) -> None:
    """Change a log behind its back, as somebody with rights on the database can."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{schema_of(place)}"'.encode())
        for statement in statements:
            connection.execute(statement.encode())
