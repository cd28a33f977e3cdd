"""What every kind of change can do: be recognised, signed, made so, published and opened.

A kind is one class that keeps this protocol and one function that proposes it (`loop/review.py` asks each); `why`
and `apply` need to know nothing else about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trueup.declare.programme import Path_, Programme

# An edit: which file, where in it, what to write there. An empty path writes a whole new file.
Edit = tuple[str, "Path_", object]


class Formula(TypedDict):
    """A formula by name, written out, with every number that went into it."""

    name: str
    expression: str
    inputs: dict[str, Any]


class Chain(TypedDict, total=False):
    """What opens a change, kept beside it in the saved review.

    `readings` and `inputs` always; `formula` and `declared` (a file, then the keys down to the line) where the kind
    says them itself.
    """

    readings: list[dict[str, Any]]
    inputs: dict[str, Any]
    formula: Formula
    declared: list[str]


class Change(Protocol):
    """What every change can do."""

    @property
    def kind(self) -> str:
        """The word for it in reviews and in the ledger: `gate`, `assumption`, `rank` ..."""
        ...

    def fingerprint(self) -> str:
        """Name what is proposed and on which definition, so that a decision on it can be recognised."""
        ...

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:
        """Return who may sign it, with the waivers asked for."""
        ...

    def waivable(self) -> tuple[str, ...]:
        """Return the items that a signer may waive by name."""
        ...

    def edits(self, programme: Programme, by: str, on: date, waived: Sequence[str]) -> list[Edit]:
        """Return the edits that make it so."""
        ...

    def outcome(self, waived: Sequence[str]) -> str:
        """Return the outcome that the decision records."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the published form, without `n`."""
        ...

    def chain(self) -> Chain:
        """Return what opens it: readings, and the numbers that went into the formula."""
        ...
