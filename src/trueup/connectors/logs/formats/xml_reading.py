"""The events inside the markup of an XES file: an expat parser that keeps nothing but what it has not handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from xml.parsers import expat

from trueup.connectors.logs.formats.opening import CUT_HINT
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.connectors.logs.formats.opening import Opening
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
_LOG, _TRACE, _EVENT, _TEXT, _DATE, _OTHER = range(6)
_ATTRIBUTES = (_TEXT, _DATE)
_KINDS = {
    "log": _LOG,
    "trace": _TRACE,
    "event": _EVENT,
    "date": _DATE,
    **dict.fromkeys(("string", "int", "float", "boolean", "id"), _TEXT),
}


class Reading:
    """One pass over a file.

    After it, the keys of `trace_keys` and `event_keys` are the attributes in order of appearance; `dates` are the
    keys (with `case:` for those of traces) that were written as `date` at least once.
    """

    def __init__(self, name: str, rows: int = _ROWS) -> None:
        self._rows = rows
        self.trace_keys: Attributes = {}
        self.event_keys: Attributes = {}
        self.dates: set[str] = set()
        self.traces = 0
        self.events = 0
        self._name = name
        self._kinds = dict(_KINDS)
        self._root = False
        self._trace: Attributes = {}
        self._event: Attributes | None = None
        # Where the next attribute belongs: the event, else the trace; None outside of traces.
        self._into: Attributes | None = None
        self._events: list[Attributes] = []
        self._ready: Rows = []
        # How deep inside something that is passed over the parser is.
        self._inside = 0
        self._empty = 0
        self._nested = 0
        self._repeated = 0
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
            if len(self._ready) >= self._rows:
                yield self._taken()
        if self._ready:
            yield self._taken()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over."""
        said = (
            (self._empty, "traces hold no event; they are not cases."),
            (self._nested, "elements lie inside attributes, or are no attributes; they are not read."),
            (self._repeated, "attributes are given twice in one element; the first is read."),
        )
        return tuple(f"{self._name}: {count} {text}" for count, text in said if count)

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
        except (LookupError, ValueError) as error:
            raise DataError(
                "bad-encoding", f"{self._name} cannot be decoded: {error}.", "Export the log as XES in UTF-8."
            ) from None

    def _cut(self, line: int) -> DataError:
        return DataError(
            "truncated",
            f"{self._name} ends on line {line}, after {self.traces} whole traces and {self.events} events, "
            f"before the log is closed.",
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
        # This runs once for each attribute of each event, so the usual one takes few steps.
        if self._inside:
            self._inside += 1
            self._nested += self._into is not None
            return
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = _KINDS.get(name.rpartition(":")[2], _OTHER)
        into = self._into
        if into is None or kind not in _ATTRIBUTES:
            self._enter(kind, name)
            return
        self._inside = 1
        if len(attributes) != 4 or attributes[0] != "key" or attributes[2] != "value":
            attributes = self._ordered(attributes)
        key = attributes[1]
        if key in into:
            self._repeated += 1
        else:
            into[key] = attributes[3]
        if kind == _DATE:
            self.dates.add(key if self._event is not None else f"case:{key}")

    def _enter(self, kind: int, name: str) -> None:
        """Go into a log, a trace or an event; pass over everything else outside of traces, and what lies in it."""
        if not self._root:
            if kind != _LOG:
                raise DataError(
                    "not-a-log", f"{self._name} is XML, but not XES: its root is {name!r}.", "Export the log as XES."
                )
            self._root = True
        elif kind == _TRACE and self._into is None:
            self._trace = self._into = {}
        elif kind == _EVENT and self._event is None:
            if self._into is None:
                raise DataError(
                    "empty-case",
                    f"{self._name}: the event on line {self._parser.CurrentLineNumber} lies outside every trace.",
                    "Put it into the trace of its case, or take it out of the file.",
                )
            self._event = self._into = {}
        else:
            self._inside = 1
            self._nested += self._into is not None

    def _ordered(self, attributes: list[str]) -> list[str]:
        """Return `["key", KEY, "value", VALUE]` from names and values in whichever order they stand."""
        named = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if "key" in named and "value" in named:
            return ["key", named["key"], "value", named["value"]]
        raise DataError(
            "not-a-log",
            f"{self._name}: the attribute on line {self._parser.CurrentLineNumber} has no key or no value.",
            "Export the log again as XES.",
        )

    def _end(self, _name: str) -> None:
        if self._inside:
            self._inside -= 1
        elif self._event is not None:
            self._events.append(self._event)
            self._event = None
            self._into = self._trace
        elif self._into is not None:
            self._close_trace()

    def _close_trace(self) -> None:
        self.traces += 1
        self._into = None
        if not self._events:
            self._empty += 1
            return
        self.events += len(self._events)
        self.trace_keys.update(self._trace)
        for event in self._events:
            self.event_keys.update(event)
            self._ready.append((self._trace, event))
        self._events = []
