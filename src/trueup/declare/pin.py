"""Which ledger belongs to a programme, read without judging the rest of its files.

A verifier must be able to answer while other declarations are broken, and must not depend on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.declare.model.programme import LedgerPin
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.errors import DeclarationError, NotFoundError
from trueup.kernel.finding import Span

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 4 << 20


def read_pin(root: Path) -> LedgerPin | None:
    """Return the `ledger:` block of programme.yaml, None where it has none.

    Raises NotFoundError when the folder is no programme, DeclarationError when the block cannot be read.
    """
    file = root / PROGRAMME_FILE
    try:
        with file.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except OSError:
        raise NotFoundError(
            "not-a-programme",
            f"{str(root)!r} is not a programme: it has no {PROGRAMME_FILE}.",
            "Give the folder that holds programme.yaml, or write a new one:\n    trueup new DIR --answers FILE",
        ) from None
    if len(raw) > _LARGEST:
        raise _unreadable(root, "FILE01", "it is larger than 4 MiB")
    return _pin(root, raw)


def _pin(root: Path, raw: bytes) -> LedgerPin | None:
    import yaml

    try:
        content: Any = yaml.safe_load(raw.decode("utf-8-sig"))
        block = content.get("ledger") if isinstance(content, dict) else None
        return None if block is None else LedgerPin.model_validate(block)
    except UnicodeDecodeError as error:
        raise _unreadable(root, "FILE01", str(error)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(root, "YAML01", str(error).splitlines()[0]) from None
    except ValueError as error:
        raise _unreadable(root, "TYPE01", str(error).splitlines()[0]) from None


def _unreadable(root: Path, code: str, why: str) -> DeclarationError:
    from trueup.declare.reading.problems import problem

    way_out = "See what is wrong with the file, or bring it back from git."
    return DeclarationError(
        "pin-unreadable",
        f"The ledger's pin cannot be read from {PROGRAMME_FILE}: {why}.",
        f"{way_out[:-1]}:\n    trueup check {root}",
        [problem(code, Span(PROGRAMME_FILE), f"The ledger's pin cannot be read: {why}.", way_out)],
    )
