"""What a case has read that nobody vouches for, kept so that a value can be found in it however it is disguised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.enforce.untrusted.forms import Form, Kind, folded, forms, host_of, readings, words

if TYPE_CHECKING:
    from collections.abc import Callable

# So many words in a row are no coincidence.
RUN = 6


class Heard:
    """Texts by their forms, their words in order, and every run of `RUN` words. Nothing is ever taken out."""

    def __init__(self) -> None:
        self._forms: dict[str, dict[str, str]] = {}
        self._texts: dict[str, str] = {}
        self._runs: dict[str, str] = {}

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
            spoken = [word for word in map(folded, words(reading)) if word not in old]
            self._texts.setdefault(f" {' '.join(spoken)} ", origin)
            for start in range(len(spoken) - RUN + 1):
                self._runs.setdefault(" ".join(spoken[start : start + RUN]), origin)

    def _put(self, form: Form, origin: str, host: str) -> None:
        self._forms.setdefault(form.folded, {}).setdefault(host, origin)
        if form.kind is Kind.URL:
            self._forms.setdefault(folded(host_of(form.plain)), {}).setdefault(host, origin)

    def form(self, value: str, but: str | None = None) -> str | None:
        """Return who said a folded form first, hosts other than `but`; None when nobody did."""
        said = self._forms.get(value, {})
        return next((origin for host, origin in said.items() if host != but), None)

    def phrase(self, value: str) -> str | None:
        """Return who said folded words in this order, side by side."""
        return next((origin for said, origin in self._texts.items() if f" {value} " in said), None)

    def run(self, value: str) -> str | None:
        """Return who said exactly these `RUN` folded words."""
        return self._runs.get(value)
