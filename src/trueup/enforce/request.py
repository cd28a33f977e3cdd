"""A request in its one canonical form: what is decided on is, byte for byte, what will be executed.

Whatever has no such form (a number that JSON cannot carry, a key that stands twice, names that only look
different) is not repaired but refused.
"""

from __future__ import annotations

import json
import math
import unicodedata
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from trueup.kernel.canonical import SAFE_INTEGER, canonical, digest_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trueup.enforce.untrusted.provenance import Provenance
    from trueup.kernel.canonical import Json

LARGEST_REQUEST = 256 * 1024
DEEPEST = 32
LONGEST_NAME = 200
# They stand in the intent, which is small; an answer that rests on more names the ones that matter.
MOST_SOURCES = 20
_MEMBERS = {"tool", "arguments", "action", "case", "requester", "untrusted", "definition", "confidence", "sources"}
# Cedar's decimals are 64-bit integers in units of 10^-4.
_PLACES = 4
_LARGEST_DECIMAL = Decimal(2**63 - 1).scaleb(-_PLACES)


class UnfitRequestError(ValueError):
    """The request has no canonical form, or not the shape of one; the gate denies it.

    `reason` is a stable word, the message one sentence.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants a tool called. `arguments` are the final ones, exactly as the tool will get them.

    `action` names the declared action where several use one tool; `case` and `requester` say for which case and
    by whom; `untrusted` names the arguments that come from content nobody vouches for (tool output, mail, web);
    `definition` is the digest of what the tool's server says of the tool, where there is one: it has to be pinned.
    `confidence` (0 to 1) is how sure the model is of what it asks for, None where it does not say; `sources` are the
    names of what its answer rests on.
    With the case's `provenance` untrusted arguments are found out and added; `origins` says where they come from.
    """

    tool: str
    arguments: Mapping[str, Json] = field(default_factory=dict)
    action: str | None = None
    case: str | None = None
    requester: str | None = None
    untrusted: tuple[str, ...] = ()
    definition: str | None = None
    provenance: Provenance | None = field(default=None, repr=False, compare=False)
    origins: tuple[str, ...] = field(default=(), compare=False)
    confidence: float | None = None
    sources: tuple[str, ...] = ()
    # Set by `normalised` alone, and lost by every copy.
    _final: bool = field(default=False, init=False, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical tool, definition (where there is one) and arguments."""
        return digest_bytes(self.body)

    @property
    def body(self) -> bytes:
        """The canonical tool, definition and arguments. Raises ValueError when there is no such form."""
        content: dict[str, Json] = {"tool": self.tool, "arguments": self.arguments}
        return canonical(content if self.definition is None else content | {"definition": self.definition})


def read_request(data: bytes) -> Request:
    """Read a request from JSON. Raises UnfitRequestError."""
    return _canonical(_typed(read_strictly(data)))


def read_arguments(data: bytes) -> Mapping[str, Json]:
    """Read arguments alone from JSON, as strictly as a request's. Raises UnfitRequestError."""
    return _canonical(_typed({"tool": "-", "arguments": read_strictly(data)})).arguments


def read_strictly(data: bytes, largest: int = LARGEST_REQUEST) -> Any:
    """Read JSON that means one thing to every reader. Raises UnfitRequestError for all other."""
    if len(data) > largest:
        raise UnfitRequestError("request.too-large", f"The request has more than {largest:,} bytes.")
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_double,
        )
        if b"\\u" in data:
            # Half of a pair of surrogates passes the parser, and has no UTF-8 form.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnfitRequestError:
        raise
    except RecursionError:
        raise _too_deep("The request is") from None
    except ValueError as error:
        raise UnfitRequestError("request.not-json", f"The request is not JSON: {error}.") from None
    return found


def normalised(request: Request) -> Request:
    """Return the request in the form that is judged and executed. Raises UnfitRequestError.

    Names are in Unicode's form C; lists and objects are plain; nothing is shared with the caller any more.
    """
    if request._final:  # noqa: SLF001 -- of the class beside it
        return request
    _check_depth(request.arguments)
    try:
        body = canonical(_content(request))
    except RecursionError:
        raise _too_deep("The request is") from None
    except ValueError as error:
        raise UnfitRequestError("request.not-canonical", f"The request has no canonical form: {error}.") from None
    final = _traced(replace(_typed(read_strictly(body)), origins=request.origins), request.provenance)
    object.__setattr__(final, "_final", True)
    return final


def _traced(request: Request, provenance: Provenance | None) -> Request:
    """Name the arguments that stem from untrusted content beside those that were named."""
    if provenance is None:
        return request
    traces = provenance.traces(request.arguments)
    untrusted = dict.fromkeys([*request.untrusted, *(trace.argument for trace in traces)])
    origins = tuple(f"the argument {trace.argument!r} stems from what {trace.origin!r} returned" for trace in traces)
    return replace(request, untrusted=tuple(untrusted), origins=origins)


def decimal_of(value: Json) -> str | None:
    """Return a number as Cedar writes decimals (four places, exact); None for whatever is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    exact = Decimal(repr(value))
    if abs(exact) > _LARGEST_DECIMAL or exact != round(exact, _PLACES):
        return None
    return f"{exact:.{_PLACES}f}"


def _typed(content: Any) -> Request:
    if not isinstance(content, dict):
        raise UnfitRequestError("request.not-an-object", "The request is not a JSON object.")
    unknown = sorted(set(content) - _MEMBERS)
    if unknown:
        raise UnfitRequestError("request.unknown-member", f"The request has a member {unknown[0]!a}.")
    tool, arguments = content.get("tool"), content.get("arguments", {})
    if not isinstance(tool, str) or not tool:
        raise UnfitRequestError("request.no-tool", "The request names no tool.")
    _check_length("tool", tool)
    if not isinstance(arguments, dict):
        raise UnfitRequestError("request.no-arguments", "`arguments` is not an object.")
    request = Request(
        unicodedata.normalize("NFC", tool),
        arguments,
        _text(content, "action"),
        _text(content, "case"),
        _text(content, "requester"),
        _names(content.get("untrusted"), "untrusted"),
        _text(content, "definition"),
        confidence=_confidence(content.get("confidence")),
        sources=_sources(content.get("sources")),
    )
    _check_depth(arguments)
    _check_names(arguments)
    return request


def _canonical(request: Request) -> Request:
    try:
        # A lone surrogate passes the parser, and has no UTF-8 form.
        canonical(_content(request))
    except RecursionError:
        raise _too_deep("The request is") from None
    except ValueError as error:
        raise UnfitRequestError("request.not-canonical", f"The request has no canonical form: {error}.") from None
    return request


def _content(request: Request) -> dict[str, Json]:
    return {
        "tool": request.tool,
        "arguments": request.arguments,
        "action": request.action,
        "case": request.case,
        "requester": request.requester,
        "untrusted": list(request.untrusted),
        "definition": request.definition,
        "confidence": request.confidence,
        # One text would be taken apart into its letters, each of them a source.
        "sources": list(_several(request.sources)),
    }


def _text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise UnfitRequestError("request.wrong-type", f"`{name}` is not text.")
    _check_length(name, value or "")
    return value


def _check_length(name: str, value: str) -> None:
    # They stand in the ledger's entries, which are small.
    if len(value) > LONGEST_NAME:
        raise UnfitRequestError("request.too-large", f"`{name}` has more than {LONGEST_NAME} characters.")


def _names(value: Any, member: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnfitRequestError("request.wrong-type", f"`{member}` is not a list of names.")
    return tuple(value)


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnfitRequestError("request.bad-confidence", "`confidence` is not a number between 0 and 1.")
    return float(value)


def _several(names: Any) -> tuple[str, ...]:
    if not isinstance(names, tuple | list):
        raise UnfitRequestError("request.bad-sources", "`sources` is not a list of names.")
    return tuple(names)


def _sources(value: Any) -> tuple[str, ...]:
    named = _names(value, "sources")
    if len(named) > MOST_SOURCES or not all(name.strip() for name in named):
        reason = f"`sources` holds an empty name, or more than {MOST_SOURCES}."
        raise UnfitRequestError("request.bad-sources", reason)
    for name in named:
        _check_length("sources", name)
    return named


def _check_names(arguments: Mapping[str, Any]) -> None:
    """Refuse two names that a tool may take for one: equal once compatibility forms and case are folded."""
    folded: set[str] = set()
    for name in arguments:
        plain = unicodedata.normalize("NFKC", name).casefold().strip()
        if plain in folded:
            raise UnfitRequestError("request.repeated-key", f"The argument {name!a} stands twice.")
        folded.add(plain)


def _check_depth(value: object) -> None:
    level: Sequence[object] = [value]
    for _ in range(DEEPEST):
        level = [inner for item in level for inner in _inner(item)]
        if not level:
            return
        if len(level) > LARGEST_REQUEST:
            raise UnfitRequestError("request.too-large", f"The arguments hold more than {LARGEST_REQUEST:,} values.")
    raise _too_deep("The arguments are")


def _too_deep(what: str) -> UnfitRequestError:
    # Python's own words about it name its limit, which is another and none of the caller's business.
    return UnfitRequestError("request.too-deep", f"{what} nested more than {DEEPEST} deep.")


def _inner(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return list(item.values())
    return list(item) if isinstance(item, list | tuple) else ()


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnfitRequestError("request.repeated-key", "A key stands twice in the request.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise UnfitRequestError("request.not-a-number", f"{name} is not a JSON number.")


def _integer(text: str) -> int:
    # The length first: reading a very long number costs the square of its length.
    if len(text) > 17 or abs(int(text)) > SAFE_INTEGER:
        raise UnfitRequestError("request.not-a-number", "A whole number of the request is beyond 2^53.")
    return int(text)


def _double(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnfitRequestError("request.not-a-number", "A number of the request is beyond what JSON carries.")
    return value
