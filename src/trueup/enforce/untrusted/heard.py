"""What a case has read that nobody vouches for, kept so that a value can be found in it however it is disguised.

Texts are not kept: only marks of their forms, and of their words in groups of `SIZES`. So many words in a row were read
when each group of them that follows another was: words that only stand apart are never taken for words in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.enforce.untrusted.facts import Fact, Facts
from trueup.enforce.untrusted.forms import Form, Kind, folded, forms, host_of, readings, words

if TYPE_CHECKING:
    from collections.abc import Callable

# So many words in a row are no coincidence.
RUN = 6
SIZES = (1, 2, 3, 5)


class Heard:
    """Texts by their forms and their words in order. Nothing is ever taken out."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def add(self, text: str, origin: str, host: str, known: Callable[[Form], bool]) -> None:
        """Note a text: `origin` returned it, `host` served it (empty: nobody knows). Forms that are known are left out.

        A known form is one that the case had before it read this: its echo is no news.
        """
        for reading in readings(text):
            found = forms(reading)
            old = {form.folded for form in found if known(form)}
            for form in found:
                if form.folded not in old:
                    self._put(form, origin, host)
            spoken = " ".join(word for word in map(folded, words(reading)) if word not in old).split(" ")
            for size in SIZES:
                for group in _groups(spoken, size):
                    self._facts.put(Fact.SPOKEN, group, origin)

    def _put(self, form: Form, origin: str, host: str) -> None:
        self._facts.put_beside(Fact.HEARD, form.folded, host, origin)
        if form.kind is Kind.URL:
            self._facts.put_beside(Fact.HEARD, folded(host_of(form.plain)), host, origin)

    def form(self, value: str, but: str | None = None) -> str | None:
        """Return who said a folded form first, hosts other than `but`; None when nobody did."""
        said = self._facts.beside(Fact.HEARD, value)
        left_out = None if but is None else self._facts.mark(but)
        return next((origin for host, origin in said.items() if host != left_out), None)

    def phrase(self, value: str) -> str | None:
        """Return who said folded words in this order, side by side."""
        spoken = value.split(" ")
        size = max(size for size in SIZES if size <= len(spoken))
        said = [self._facts.origin(Fact.SPOKEN, group) for group in _groups(spoken, size)]
        return None if None in said else said[0]


def _groups(spoken: list[str], size: int) -> list[str]:
    """Return every group of so many words that stand side by side."""
    return [" ".join(spoken[start : start + size]) for start in range(len(spoken) - size + 1)]
