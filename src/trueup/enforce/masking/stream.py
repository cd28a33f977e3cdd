"""Text that arrives in pieces: nothing goes on before it is sure that it is not the beginning of something personal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.enforce.masking.payload import Masking, replaced

if TYPE_CHECKING:
    from trueup.enforce.masking.finder import Found

# The longest thing that is found, with room: an address of e-mail may have 254 characters (RFC 5321).
HELD = 320
# How far back the words reach that tell what a number is.
BEFORE = 200


class StreamMasking:
    """Masks a stream. The last `HELD` characters wait for what follows; `BEFORE` more are remembered as context.

    Guarantee: a finding of at most `HELD` characters is masked wherever the pieces are cut. Raises MaskingError, and
    then nothing more comes out.
    """

    def __init__(self, masking: Masking) -> None:
        self._masking = masking
        self._before = ""
        self._waiting = ""

    def push(self, piece: str) -> str:
        """Take a piece; return what may go on by now."""
        self._waiting += piece
        return self._released(len(self._waiting) - HELD)

    def finish(self) -> str:
        """Return the rest, masked."""
        return self._released(len(self._waiting))

    def _released(self, upto: int) -> str:
        if upto <= 0:
            return ""
        found = self._in_waiting()
        cut = self._cut(upto, found)
        if cut <= 0:
            return ""
        out = replaced(self._waiting[:cut], [one for one in found if one.end <= cut], self._masking.vault)
        self._before = (self._before + self._waiting[:cut])[-BEFORE:]
        self._waiting = self._waiting[cut:]
        return out

    def _in_waiting(self) -> list[Found]:
        shift = len(self._before)
        seen = self._masking.found(self._before + self._waiting)
        return [type(one)(one.kind, max(0, one.start - shift), one.end - shift) for one in seen if one.end > shift]

    def _cut(self, upto: int, found: list[Found]) -> int:
        """Return where the text may be cut: between words, and not inside of what was found."""
        if upto < len(self._waiting):
            blank = max(self._waiting.rfind(mark, 0, upto) for mark in (" ", "\n", "\t"))
            # One word longer than what is held is no finding; it may go on in parts.
            upto = blank + 1 if blank >= 0 else upto
        for one in found:
            if one.start < upto < one.end:
                return one.start
        return upto
