"""The API as a web application: who calls, what they may, what they said, and then the answer in one envelope."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route as Address

from trueup.declare.programme import PROGRAMME_FILE
from trueup.enforce.request import LARGEST_REQUEST
from trueup.enforce.standing.refused import Refusals
from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import NotFoundError, TrueupError, UsageError
from trueup.web.api.answers import Office
from trueup.web.api.callers import UNAUTHORISED, known_by, require_own_origin
from trueup.web.api.calls import Call, content_of
from trueup.web.api.routers import Routers, stamp
from trueup.web.api.routes import ROUTES, Route
from trueup.web.api.traces import Record
from trueup.web.api.turned_away import TurnedAwayError
from trueup.web.envelope import EnvelopeResponse
from trueup.workspace import checked_programme, runner_name, token_digests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from trueup.declare.model.people import Caller
    from trueup.web.api.callers import Known
    from trueup.web.api.routers import Stamp
    from trueup.web.site import Site

    Endpoint = Callable[[Request], Awaitable[Response]]

_JSON = "application/json"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DEFECT = TrueupError(
    "defect",
    "Trueup itself failed at this call.",
    "This is a defect in Trueup, not in your files. The terminal that runs `trueup serve` says more.",
)


class Api:
    """The API of one programme behind one port."""

    def __init__(self, site: Site, port: int) -> None:
        self._site = site
        self._port = port
        self._declared: tuple[Stamp | None, Mapping[str, Caller]] = None, {}
        self._office = Office(site.root, site.clock, Routers(site.root, site.clock))
        record = Record(site.root, site.clock)
        self._refusals = Refusals(record, record.digest, site.clock, runner_name(), "api", None)

    def known(self) -> tuple[list[str], dict[str, str]]:
        """Return who has a token, and why others that are declared have none."""
        digests, unusable = token_digests(self._callers())
        return sorted(digests), unusable

    def application(self) -> Starlette:
        """Return the application; its addresses begin behind the prefix."""
        addresses = [Address(route.path, self._endpoint(route), methods=[route.method]) for route in ROUTES]
        # Whatever is no address is answered as an address is: with an envelope, and to callers alone.
        return Starlette(routes=[*addresses, Address("/{rest:path}", self._nowhere, methods=_METHODS)])

    def close(self) -> None:
        """Let go of every ledger, and put on record what was counted."""
        self._refusals.close()
        self._office.routers.close()

    def _endpoint(self, route: Route) -> Endpoint:
        async def answer(request: Request) -> Response:
            body = await _body(request)
            return await anyio.to_thread.run_sync(self._answered, route, request, body)

        return answer

    async def _nowhere(self, request: Request) -> Response:
        return await anyio.to_thread.run_sync(self._answered, None, request, b"")

    def _answered(self, route: Route | None, request: Request, body: bytes) -> Response:
        command = route.command if route else "api"
        try:
            data = self._data(route, request, body)
        except TurnedAwayError as away:
            self._refusals.note(away.reason, away.content)
            return _refusal(command, away.error, away.status)
        except TrueupError as error:
            return _refusal(command, error, error.http_status)
        except Exception:  # noqa: BLE001 -- a defect is answered, and told in full where the server was started
            traceback.print_exc(file=sys.stderr)
            return _refusal(command, _DEFECT, _DEFECT.http_status)
        return EnvelopeResponse({"ok": True, "command": command, "data": dict(data)})

    def _data(self, route: Route | None, request: Request, body: bytes) -> Mapping[str, Any]:
        require_own_origin(request.headers, self._port)
        caller = self._caller(request)
        if route is None:
            raise NotFoundError(
                "no-such-address", "The API has no such address.", "They stand in docs/reference/http.md."
            )
        caller.require(route.right)
        return route.answer(self._office, _call(route, request, caller, body))

    def _caller(self, request: Request) -> Known:
        """Return who calls. Raises TurnedAwayError, and NotFoundError while nobody is declared who could."""
        callers = self._callers()
        digests, _ = token_digests(callers)
        if not digests or self._site.fixed is not None:
            raise NotFoundError(
                "api-off",
                "The API is off: nobody has a token for it, or this console looks from a fixed instant.",
                "Declare `callers` in programme.yaml, and set their tokens where `trueup serve` is started.",
            )
        header = [value for name, value in request.scope["headers"] if name == b"authorization"]
        return known_by(header, callers, digests, self._site.clock.now())

    def _callers(self) -> Mapping[str, Caller]:
        """Return who is declared; programme.yaml is read again when it has changed. Raises NotFoundError."""
        now = stamp(self._site.root / PROGRAMME_FILE)
        if now is None or now != self._declared[0]:
            # What it was before it was read: a change meanwhile is seen at the next call.
            self._declared = now, checked_programme(self._site.root, self._site.clock).programme.file.callers
        return self._declared[1]


def _call(route: Route, request: Request, caller: Known, body: bytes) -> Call:
    query = dict(request.query_params)
    as_of = parse_instant(query.pop("as_of")) if route.dated and "as_of" in query else None
    if query:
        raise UsageError("bad-query", f"The address takes no {next(iter(query))!a}.", "Say it in the body.")
    content: Mapping[str, Any] = {}
    if route.method == "POST":
        kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
        if kind != _JSON:
            raise UsageError(
                "not-json", "The body is not sent as JSON.", f"Send the header:\n    Content-Type: {_JSON}"
            )
        content = {} if route.whole else content_of(body, route.takes)
    return Call(caller, request.path_params, content, body, as_of)


async def _body(request: Request) -> bytes:
    """Return a request's body; of one that is too long, as much as tells so."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_REQUEST:
            break
    return b"".join(parts)[: LARGEST_REQUEST + 1]


def _refusal(command: str, error: TrueupError, status: int) -> Response:
    content = {"ok": False, "command": command, "error": error.to_json()}
    headers = {"www-authenticate": "Bearer"} if status == UNAUTHORISED else None
    return EnvelopeResponse(content, status_code=status, headers=headers)
