"""The events inside the markup of an XES file: an expat parser that keeps nothing but what it has not handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from xml.parsers import expat

from trueup.connectors.logs.opening import CUT_HINT
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.connectors.logs.opening import Opening
    from trueup.kernel.progress import Progress

Attributes: TypeAlias = dict[str, str]
Rows: TypeAlias = list[tuple[Attributes, Attributes]]

_CHUNK = 1 << 18
_ROWS = 16_384
_CUT_CODES = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)
_ENCODING_CODES = frozenset(
    expat.errors.codes[message]
    for message in (expat.errors.XML_ERROR_UNKNOWN_ENCODING, expat.errors.XML_ERROR_INCORRECT_ENCODING)
)
_LOG, _TRACE, _EVENT, _TEXT, _DATE, _LIST, _OTHER = range(7)
_KINDS = {
    "log": _LOG,
    "trace": _TRACE,
    "event": _EVENT,
    "date": _DATE,
    "list": _LIST,
    "container": _LIST,
    **dict.fromkeys(("string", "int", "float", "boolean", "id"), _TEXT),
}


class Reading:
    """One pass over a file.

    After it, `trace_keys` and `event_keys` are the attributes in order of appearance; `dates` and `texts` the keys
    (with `case:` for those of traces) that were written as `date`, and otherwise.
    """

    def __init__(self, name: str) -> None:
        self.trace_keys: dict[str, None] = {}
        self.event_keys: dict[str, None] = {}
        self.dates: set[str] = set()
        self.texts: set[str] = set()
        self._name = name
        self._kinds = dict(_KINDS)
        self._root = False
        self._trace: Attributes | None = None
        self._event: Attributes | None = None
        self._events: list[Attributes] = []
        self._ready: Rows = []
        # How deep inside something that is passed over the parser is.
        self._inside = 0
        self._counts = {"traces": 0, "events": 0, "empty": 0, "nested": 0, "repeated": 0}
        self._parser = self._made()

    def run(self, opening: Opening, progress: Progress) -> Iterator[Rows]:
        """Yield events in batches, each with the attributes of its trace.

        Raises DataError: `not-a-log`, `truncated`, `bad-encoding`, `empty-case`.
        """
        data = b"-"
        while data:
            data = self._more(opening)
            self._parse(data)
            opening.report(progress)
            if len(self._ready) >= _ROWS:
                yield self._taken()
        if self._ready:
            yield self._taken()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over."""
        said = {
            "empty": "{} traces hold no event; they are not cases.",
            "nested": "{} attributes lie inside other attributes; they are not read.",
            "repeated": "{} attributes are given twice in one element; the first is read.",
        }
        return tuple(text.format(self._counts[key]) for key, text in said.items() if self._counts[key])

    def _more(self, opening: Opening) -> bytes:
        try:
            return opening.read(_CHUNK)
        except DataError as error:
            if error.code == "truncated":
                raise self._cut(self._parser.CurrentLineNumber) from None
            raise

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.Parse(data, not data)
        except expat.ExpatError as error:
            if error.code in _CUT_CODES and not data:
                raise self._cut(error.lineno) from None
            code = "bad-encoding" if error.code in _ENCODING_CODES else "not-a-log"
            raise DataError(
                code,
                f"{self._name} is not well-formed XML: line {error.lineno}, {expat.ErrorString(error.code)}.",
                "Export the log again as XES.",
            ) from None
        except ValueError as error:
            raise DataError(
                "bad-encoding", f"{self._name} cannot be decoded: {error}.", "Export the log as XES in UTF-8."
            ) from None

    def _cut(self, line: int) -> DataError:
        return DataError(
            "truncated",
            f"{self._name} ends on line {line}, after {self._counts['traces']} whole traces and "
            f"{self._counts['events']} events, before the log is closed.",
            CUT_HINT,
        )

    def _taken(self) -> Rows:
        rows, self._ready = self._ready, []
        return rows

    def _made(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        return parser

    def _refuse_doctype(self, *_: object) -> None:
        raise DataError(
            "not-a-log",
            f"{self._name} carries a document type, which can make a small file unpack into a huge one.",
            "XES needs none: remove the DOCTYPE line.",
        )

    def _start(self, name: str, attributes: list[str]) -> None:
        if self._inside:
            self._inside += 1
            self._counts["nested"] += self._trace is not None
            return
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = _KINDS.get(name.rpartition(":")[2], _OTHER)
        if kind in (_TEXT, _DATE) and self._trace is not None:
            self._inside = 1
            self._keep(attributes, date=kind == _DATE)
        else:
            self._enter(kind, name)

    def _enter(self, kind: int, name: str) -> None:
        if not self._root:
            if kind != _LOG:
                raise DataError(
                    "not-a-log", f"{self._name} is XML, but not XES: its root is {name!r}.", "Export the log as XES."
                )
            self._root = True
        elif kind == _TRACE and self._trace is None:
            self._trace = {}
        elif kind == _EVENT and self._event is None:
            if self._trace is None:
                raise DataError(
                    "empty-case",
                    f"{self._name}: the event on line {self._parser.CurrentLineNumber} lies outside every trace.",
                    "Put it into the trace of its case, or take it out of the file.",
                )
            self._event = {}
        else:
            self._inside = 1
            self._counts["nested"] += self._trace is not None

    def _keep(self, attributes: list[str], *, date: bool) -> None:
        key, value = _pair(attributes)
        if key is None or value is None:
            raise DataError(
                "not-a-log",
                f"{self._name}: the attribute on line {self._parser.CurrentLineNumber} has no key or no value.",
                "Export the log again as XES.",
            )
        into = self._trace if self._event is None else self._event
        if into is None or key in into:
            self._counts["repeated"] += 1
            return
        into[key] = value
        (self.dates if date else self.texts).add(key if self._event is not None else f"case:{key}")

    def _end(self, _name: str) -> None:
        if self._inside:
            self._inside -= 1
        elif self._event is not None:
            self._events.append(self._event)
            self._counts["events"] += 1
            self._event = None
        elif self._trace is not None:
            self._close_trace(self._trace)
            self._trace = None

    def _close_trace(self, trace: Attributes) -> None:
        self._counts["traces"] += 1
        self._counts["empty"] += not self._events
        if self._events:
            self.trace_keys.update(dict.fromkeys(trace))
        for event in self._events:
            self.event_keys.update(dict.fromkeys(event))
            self._ready.append((trace, event))
        self._events = []


def _pair(attributes: list[str]) -> tuple[str | None, str | None]:
    """Return key and value from a flat list of names and values, in whichever order they stand."""
    if len(attributes) == 4 and attributes[0] == "key" and attributes[2] == "value":
        return attributes[1], attributes[3]
    named = dict(zip(attributes[::2], attributes[1::2], strict=True))
    return named.get("key"), named.get("value")
