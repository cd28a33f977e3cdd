"""Whole payloads: every text of a JSON value, its keys, and numbers that are somebody's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.enforce.masking.finder import Finder, Found, MaskingError, apart, fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from trueup.enforce.masking.tokens import Vault
    from trueup.kernel.canonical import Json

_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Masking:
    """Masks what leaves, restores what acts. Raises MaskingError, and then nothing may go on."""

    finder: Finder
    vault: Vault

    def text(self, text: str) -> str:
        """Return a text with a token in the place of everything found."""
        return replaced(text, self.found(text), self.vault)

    def found(self, text: str) -> list[Found]:
        """Return what is found in a text, also where look-alikes or invisible characters hide it."""
        folded = fold(text)
        try:
            seen = [*self.finder.find(folded.text), *self._in_names(folded.text)]
        except MaskingError:
            raise
        except Exception as error:
            raise MaskingError(
                "masking-failed", f"Personal data could not be looked for: {type(error).__name__}.", "Nothing was sent."
            ) from error
        return apart(Found(one.kind, *folded.original(one.start, one.end)) for one in seen if one.start < one.end)

    def json(self, value: Json) -> Json:
        """Return a JSON value with tokens; a key beside a value is context for it."""
        return _walked(value, self._leaf, "", 0)

    def restore(self, value: Json) -> Json:
        """Return a JSON value with its values back. Raises MaskingError for a token that was never given."""
        return _walked(value, lambda leaf, _: self.vault.restore(leaf) if isinstance(leaf, str) else leaf, "", 0)

    def _in_names(self, text: str) -> list[Found]:
        # An underscore joins words for a pattern; in the name of a file it parts them.
        return self.finder.find(text.replace("_", " ")) if "_" in text else []

    def _leaf(self, leaf: Json, key: str) -> Json:
        if leaf is None or isinstance(leaf, bool):
            return leaf
        text = leaf if isinstance(leaf, str) else str(leaf)
        context = f"{key.replace('_', ' ').replace('-', ' ')}: " if key else ""
        shifted = [
            Found(one.kind, max(0, one.start - len(context)), one.end - len(context))
            for one in self.found(context + text)
            if one.end > len(context)
        ]
        if not shifted:
            return leaf
        return replaced(text, shifted, self.vault)


def replaced(text: str, found: list[Found], vault: Vault) -> str:
    """Return a text with the vault's tokens in the place of findings that do not overlap."""
    parts, at = [], 0
    for one in found:
        parts += [text[at : one.start], vault.token(one.kind, text[one.start : one.end])]
        at = one.end
    return "".join([*parts, text[at:]])


def _walked(value: Json, leaf: Callable[[Json, str], Json], key: str, depth: int) -> Json:
    if depth > _DEEPEST:
        raise MaskingError("too-deep", f"The payload is nested deeper than {_DEEPEST} levels.", "Nothing was sent.")
    if isinstance(value, dict):
        walked: dict[str, Json] = {}
        for name, one in value.items():
            masked = leaf(name, "")
            if str(masked) in walked:
                raise MaskingError("keys-clash", "Two keys are the same once masked.", "Nothing was sent.")
            walked[str(masked)] = _walked(one, leaf, name, depth + 1)
        return walked
    if isinstance(value, list | tuple):
        return [_walked(one, leaf, key, depth + 1) for one in value]
    return leaf(value, key)
