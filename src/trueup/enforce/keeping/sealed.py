"""Amounts that a limit adds up: every process of the programme can, and whoever has the ledger alone cannot read them.

An amount is hidden by adding a number that only the programme's key makes of the entry's id and the argument's name,
once: a one-time pad modulo 2^128. Sums stay exact, the same entry has the same bytes whenever it is written, and
without the key an amount may have been any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trueup.enforce.limits import UNITS, units_of
from trueup.kernel.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.enforce.bodies import Bodies

# No text in canonical JSON begins like this: what the key makes of it is made for nothing else.
_PURPOSE = b"\x00reserved "
_SEALED = re.compile(r"sealed:([0-9a-f]{32})")
_MODULUS = 1 << 128
# What a wrong or a lost key leaves is far beyond this, but for one time in 2^63.
_LARGEST = 1 << 64


def seal(bodies: Bodies, entry: str, taken: Mapping[str, str]) -> dict[str, str]:
    """Return amounts, written as decimals are, as the entry with that id may hold them. Raises StorageError."""
    return {
        name: f"sealed:{((units_of(value) or 0) + _pad(bodies, entry, name)) % _MODULUS:032x}"
        for name, value in taken.items()
    }


def unseal(bodies: Bodies | None, entry: str, name: str, written: object) -> int | None:
    """Return an amount in ten-thousandths; None where it cannot be read. Decimals from before are taken as they are."""
    match = _SEALED.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return units_of(written)
    if bodies is None:
        return None
    units = (int(match[1], 16) - _pad(bodies, entry, name)) % _MODULUS
    units = units - _MODULUS if units >= _MODULUS // 2 else units
    return units if abs(units) <= _LARGEST * UNITS else None


def _pad(bodies: Bodies, entry: str, name: str) -> int:
    made = bodies.digest(_PURPOSE + canonical([entry, name])).rpartition(":")[2]
    return int(made[:32], 16)
