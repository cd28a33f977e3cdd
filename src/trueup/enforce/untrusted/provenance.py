"""Where the arguments of a case come from, followed call by call.

Vouched for: what the person asked and what is declared. Looked up: fields of a result that the case itself asked
for. Everything else that a tool gave back is untrusted, and an argument that stems from it is named, so that
policy holds the call. The rule, its limits and its cost: docs/concepts/untrusted-content.md.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.enforce.untrusted.facts import Fact, Facts
from trueup.enforce.untrusted.forms import DESTINATIONS, Form, Kind, folded, forms, host_of, plain, words
from trueup.enforce.untrusted.heard import RUN, Heard
from trueup.enforce.untrusted.results import records

if TYPE_CHECKING:
    from trueup.enforce.untrusted.results import Record
    from trueup.enforce.untrusted.trail import Trail
    from trueup.kernel.canonical import Json

# Up to so many words a text is a value, and is looked for as a whole.
PHRASE = 8
SHORTEST_NAME = 3
SEVERAL = "several who bear the name"
_PARTS = re.compile(r"[/\\?&#=]+")
_NAME_PARTS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Trace:
    """One argument that stems from untrusted content: its name, the telling part of it, and the tool that said it."""

    argument: str
    value: str
    origin: str


class Provenance:
    """The trail of one case; `trusted` are the person's request and what is declared.

    Trusted text only takes traces away, untrusted text only adds them. Nothing is forgotten within the case: make a
    new one for the next. Several threads may use one. With a `trail` it goes on where an earlier process stopped, and
    knows what others add: `keep` makes durable what was added here, before anybody reads what was returned.
    """

    def __init__(self, *trusted: str, trail: Trail | None = None) -> None:
        self._turn = threading.RLock()
        self._trail = trail
        self._facts = Facts() if trail is None else trail.facts
        self._heard = Heard(self._facts)
        for text in trusted:
            self.trust(text)

    def trust(self, text: str) -> None:
        """Vouch for a text: the person's request, a declared value."""
        with self._turn:
            self._trust(text)

    def accept(self, arguments: Mapping[str, Json]) -> None:
        """Vouch for arguments that a person has seen and accepted."""
        for text in _of_all(arguments.values()):
            self.trust(text)

    def _trust(self, text: str) -> None:
        found = forms(text)
        said = {part for form in found for part in (form.plain, *_parts(form))}
        for part in said.union(words(plain(text))):
            self._facts.put(Fact.VOUCHED, part)
            self._facts.put(Fact.LOOKS, folded(part))
        for form in found:
            if form.kind is Kind.URL:
                self._facts.put(Fact.HOST, host_of(form.plain))
        capital = (word for word in words(text) if len(word) >= SHORTEST_NAME and word != plain(word))
        for word in capital:
            if all(form.kind is Kind.WORD for form in forms(word)):
                self._facts.put(Fact.NAME, plain(word))

    def distrust(self, text: str, origin: str, host: str = "") -> None:
        """Take note of a text that nobody vouches for. `host` is who served it, where that is known."""
        with self._turn:
            self._claim(text)
            self._heard.add(text, origin, host, self._is_own)

    def returned(self, tool: str, arguments: Mapping[str, Json], result: Json) -> None:
        """Take note of what a call gave back.

        Where the call's own arguments stem from untrusted content, every part is untrusted. Else the case asked:
        fields are its answers, what it had said itself is an echo, and the rest is untrusted.
        """
        with self._turn:
            self._returned(tool, arguments, result)

    def _returned(self, tool: str, arguments: Mapping[str, Json], result: Json) -> None:
        asked = [form for form in _forms(arguments) if form.distinct]
        host = next((host_of(form.plain) for form in asked if form.kind is Kind.URL), "")
        if self.traces(arguments):
            for record in records(result):
                for text in (*record.prose, *record.fields):
                    self.distrust(text, tool, host)
            return
        for form in asked:
            parts = {folded(part) for part in (form.plain, *_parts(form))}
            followed = form.kind is Kind.URL and self._facts.has(Fact.HOST, host_of(form.plain))
            for part in parts:
                self._facts.put(Fact.OWN, part)
                if followed:
                    self._facts.put(Fact.FOLLOWED, part)
        source = self._is_named_source(asked)
        for record in records(result):
            self._answered(record, tool, host, source=source)

    def traces(self, arguments: Mapping[str, Json]) -> list[Trace]:
        """Return which arguments stem from untrusted content, the first telling part of each; empty when none does."""
        with self._turn:
            lost = None if self._trail is None else self._trail.read_on()
            if lost is not None:
                return [Trace(name, text, lost) for name, value in arguments.items() for text in [*_texts(value)][:1]]
            return self._traces(arguments)

    def keep(self) -> None:
        """Make durable what was added since the last time. Raises StorageError, LedgerBrokenError."""
        if self._trail is not None:
            with self._turn:
                self._trail.keep()

    def _traces(self, arguments: Mapping[str, Json]) -> list[Trace]:
        found = []
        for name, value in arguments.items():
            told = next(filter(None, (self._stems(text) for text in _texts(value))), None)
            if told is not None:
                found.append(Trace(name, *told))
        return found

    def _answered(self, record: Record, tool: str, host: str, *, source: bool) -> None:
        """Take note of one record of an answer. `source`: the person named the place that was asked."""
        meant = source or self._is_named(record)
        for text in record.fields:
            if meant or not _is_destination(text):
                self._claim(text)
                self._facts.put(Fact.FIELD, _spoken(text))
            else:
                self.distrust(text, tool, host)
        for text in record.prose:
            claimed = self._claim(text) if source else set()
            self._heard.add(text, tool, host, lambda form: form.folded in claimed or self._is_own(form))  # noqa: B023 -- used at once

    def _claim(self, text: str) -> set[str]:
        """Return the addresses of a text that bear a name from the request, and note who claims which name."""
        claimed = set()
        for form in forms(text):
            for name in self._names_in(form) if not self._is_own(form) else ():
                self._facts.put_beside(Fact.CLAIM, name, form.folded)
                claimed.add(form.folded)
        return claimed

    def _stems(self, text: str) -> tuple[str, str] | None:
        """Return the telling part of a text and who said it; None when it does not stem from untrusted content."""
        whole, found = _spoken(text), self._readings(text)
        if 0 < len(whole.split(" ")) <= PHRASE and not self._says_nothing(found):
            origin = self._heard.phrase(whole)
            if origin is not None:
                return text, origin
        if self._facts.has(Fact.FIELD, whole):
            destinations = [form for form in found if form.kind in DESTINATIONS]
            if all(self._origin(form) is None for form in destinations):
                return None
        told = next(((form.plain, origin) for form in found if (origin := self._origin(form))), None)
        return told or self._copied(text)

    def _readings(self, text: str) -> list[Form]:
        """Return the forms of a text as it is written, and those that it only looks like, unless it was vouched for."""
        written = forms(text)
        known = {form.folded for form in written if self._is_known(form)}
        seeming = {form for form in forms(folded(text)) if form.folded not in known}
        return sorted(written | seeming, key=lambda form: form.plain)

    def _says_nothing(self, found: list[Form]) -> bool:
        """Tell whether a text is all vouched for, or so short a number that it stands everywhere."""
        return all(
            self._is_known(form)
            or (form.kind is Kind.NUMBER and not form.distinct)
            or (form.kind is Kind.URL and self._origin(form) is None)
            for form in found
        )

    def _origin(self, form: Form) -> str | None:
        """Return who said a form; None for what is vouched for, tells nothing, or was never read."""
        if not form.distinct or self._is_known(form):
            return None
        claims = [self._facts.beside(Fact.CLAIM, name) for name in self._names_in(form)]
        if any(len(claimed) > 1 and self._facts.mark(form.folded) in claimed for claimed in claims):
            return SEVERAL
        host = host_of(form.plain) if form.kind is Kind.URL else None
        if host is None or not self._facts.has(Fact.HOST, host):
            origin = self._heard.form(form.folded) or (self._heard.form(folded(host)) if host else None)
            if origin is not None:
                return origin
        inner = (self._part(part, host) for piece in _parts(form) for part in forms(piece))
        return next(filter(None, inner), None)

    def _part(self, form: Form, host: str | None) -> str | None:
        """Return who said a part of a path or a URL. What a host itself said of its own addresses is a link."""
        if not form.distinct or self._is_known(form):
            return None
        return self._heard.form(form.folded, but=host)

    def _copied(self, text: str) -> tuple[str, str] | None:
        """Return the first run of words that was copied, unless each of them is vouched for."""
        spoken = words(plain(text))
        for start in range(len(spoken) - RUN + 1):
            run = spoken[start : start + RUN]
            origin = self._heard.phrase(" ".join(map(folded, run)))
            if origin is not None and not all(self._is_vouched(word) for word in run):
                return " ".join(run), origin
        return None

    def _is_known(self, form: Form) -> bool:
        return self._is_vouched(form.plain) or self._facts.has(Fact.FOLLOWED, form.folded)

    def _is_vouched(self, value: str) -> bool:
        """Tell whether exactly this was said by somebody who is trusted; what only looks like it was not."""
        return self._facts.has(Fact.VOUCHED, value)

    def _is_own(self, form: Form) -> bool:
        """Tell whether the case itself said this, in a call that did not stem from what it had read."""
        parts = [folded(part) for part in _parts(form)]
        has = self._facts.has
        composed = bool(parts) and all(has(Fact.OWN, part) or has(Fact.LOOKS, part) for part in parts)
        return has(Fact.OWN, form.folded) or composed

    def _is_named(self, record: Record) -> bool:
        """Tell whether the request names what a record is about: a person, a handle, an id; a number is no name."""
        found = {form for text in record.fields for form in forms(text)}
        return any(
            bool(self._names_in(form))
            or (form.kind is Kind.WORD and self._facts.has(Fact.NAME, form.plain))
            or (form.distinct and form.kind is not Kind.NUMBER and self._is_vouched(form.plain))
            for form in found
        )

    def _is_named_source(self, asked: list[Form]) -> bool:
        """Tell whether the person named the place that was asked: its path or a folder above, its URL, its id."""
        places = [form for form in asked if form.kind is not Kind.NUMBER]
        return any(
            self._is_vouched(form.plain) or any(self._facts.has(Fact.LOOKS, above) for above in _above(form.folded))
            for form in places
        )

    def _names_in(self, form: Form) -> set[str]:
        """Return the names from the request that an address bears before its host."""
        if form.kind is not Kind.ADDRESS:
            return set()
        parts = _NAME_PARTS.split(form.plain.partition("@")[0])
        return {part for part in parts if self._facts.has(Fact.NAME, part)}


def _parts(form: Form) -> list[str]:
    """Return the segments of a path, a handle or a URL; none where it has but one."""
    if form.kind not in {Kind.CODE, Kind.URL}:
        return []
    found = [part for part in _PARTS.split(form.plain) if part]
    return found if len(found) > 1 else []


def _above(path: str) -> Iterator[str]:
    """Yield what stands before each slash of a path: the folders that it lies in."""
    return (path[: slash.start()] for slash in re.finditer("/", path))


def _spoken(text: str) -> str:
    return " ".join(map(folded, words(plain(text))))


def _is_destination(text: str) -> bool:
    return any(form.kind in DESTINATIONS for form in forms(text))


def _forms(arguments: Mapping[str, Json]) -> Iterator[Form]:
    for text in _of_all(arguments.values()):
        yield from forms(text)


def _texts(value: Json) -> Iterator[str]:
    """Yield every text in a value, also the names of inner members."""
    if isinstance(value, Mapping):
        yield from _of_all(value.keys())
        yield from _of_all(value.values())
    elif isinstance(value, list | tuple):
        yield from _of_all(value)
    elif value is not None and not isinstance(value, bool):
        yield value if isinstance(value, str) else json.dumps(value)


def _of_all(values: Iterable[Json]) -> Iterator[str]:
    for value in values:
        yield from _texts(value)
