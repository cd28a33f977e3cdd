"""The console as a web application: addresses, JSON twins, refusals. Only GET; no page can change anything."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from trueup.decide.level import Level
from trueup.kernel.errors import NotFoundError, TrueupError, UsageError
from trueup.web.api.routes import PREFIX
from trueup.web.door import ENTRANCE, HEADERS, SESSION, Door
from trueup.web.envelope import EnvelopeResponse
from trueup.web.pages import ledger, review
from trueup.web.pages.approval import approval
from trueup.web.pages.find import find
from trueup.web.pages.number import number
from trueup.web.pages.portfolio import portfolio
from trueup.web.pages.today import today
from trueup.web.pages.what_if import asked_limits
from trueup.web.pages.workflow import workflow
from trueup.web.pages.worth import worth
from trueup.web.rendering import STATIC, Page, linked, render, static

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from trueup.web.api.app import Api
    from trueup.web.site import Look, Site

Answered = tuple[Page, "Mapping[str, Any]"]
Model = Callable[["Site", "Look", "Asked"], Answered]


class Asked:
    """What the address asks for besides the instant: parts of the path, and the query."""

    def __init__(self, request: Request) -> None:
        self.path = request.path_params
        self.query = {key: value for key, value in request.query_params.items() if value}

    def number(self, name: str, *, of_path: bool = True) -> int:
        """Return a whole number. Raises NotFoundError (path) or UsageError (query)."""
        text = str(self.path[name] if of_path else self.query[name])
        if text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
        if of_path:
            raise NotFoundError("no-such-page", f"{text!r} is not a number.", "Go back, or begin at Today.")
        raise UsageError("bad-number", f"{text!r} is not a number.", f"Write {name} as a number, or leave it out.")


def _today(site: Site, look: Look, asked: Asked) -> Answered:
    del asked
    return Page("today.html", "Today", "today"), site.kept("today", look, lambda: today(site, look))


def _review(site: Site, look: Look, asked: Asked) -> Answered:
    name = asked.path.get("name")
    data = review.review_now(site, look) if name is None else review.saved_review(site, look, name)
    return Page("review.html", f"Review {'now' if name is None else data['id']}", "review"), data


def _chain(site: Site, look: Look, asked: Asked) -> Answered:
    name, n = asked.path.get("name"), asked.number("n")
    data = review.chain_now(site, look, n) if name is None else review.saved_chain(site, look, name, n)
    return Page("chain.html", f"Why: {review.subject_of(data['change'])}", "review"), data


def _ledger(site: Site, look: Look, asked: Asked) -> Answered:
    before = asked.number("before", of_path=False) if "before" in asked.query else None
    return Page("ledger.html", "Ledger", "ledger"), ledger.ledger(site, look, asked.query.get("type"), before)


def _entry(site: Site, look: Look, asked: Asked) -> Answered:
    del look
    index = asked.number("index")
    return Page("entry.html", f"Entry {index}", "ledger"), ledger.entry(site, index)


def _approval(site: Site, look: Look, asked: Asked) -> Answered:
    name = str(asked.path["name"])
    return Page("approval.html", f"Approval {name}", "today"), approval(site, look, name)


def _portfolio(site: Site, look: Look, asked: Asked) -> Answered:
    limits = asked_limits(asked.query)
    name = f"portfolio {sorted(limits.items())}"
    data = site.kept(name, look, lambda: portfolio(site, look, limits))
    return Page("portfolio.html", "Portfolio", "portfolio"), data


def _worth(site: Site, look: Look, asked: Asked) -> Answered:
    data = worth(site, look, str(asked.path["name"]))
    return Page("worth.html", f"Why: {data['ranked']['name']}", "portfolio"), data


def _workflow(site: Site, look: Look, asked: Asked) -> Answered:
    name = str(asked.path["name"])
    data = site.kept(f"workflow {name}", look, lambda: workflow(site, look, name))
    return Page("workflow.html", data["name"], "workflows"), data


def _number(site: Site, look: Look, asked: Asked) -> Answered:
    name, kpi = str(asked.path["name"]), str(asked.path["kpi"])
    data = site.kept(f"number {name}.{kpi}", look, lambda: number(site, look, name, kpi))
    return Page("number.html", f"Why: {name}.{kpi}", "workflows"), data


def _workflows(site: Site, look: Look, asked: Asked) -> Answered:
    del asked
    return Page("workflows.html", "Workflows", "workflows"), site.kept("today", look, lambda: today(site, look))


def _find(site: Site, look: Look, asked: Asked) -> Answered:
    data = find(site, look, asked.query.get("q", ""))
    return Page("find.html", "Find", to=data["hits"][0]["to"] if data["only"] else None), data


def _help(site: Site, look: Look, asked: Asked) -> Answered:
    del site, look, asked
    return Page("help.html", "Help"), {"levels": [[str(level), level.wording] for level in Level]}


# The address of a page; `.json` after it is its twin. `/today.json` is the twin of `/`.
ROUTES: Mapping[str, Model] = {
    "/today": _today,
    "/review": _review,
    "/review/{n}": _chain,
    "/reviews/{name}": _review,
    "/reviews/{name}/{n}": _chain,
    "/ledger": _ledger,
    "/ledger/{index}": _entry,
    "/approvals/{name}": _approval,
    "/portfolio": _portfolio,
    "/portfolio/{name}": _worth,
    "/workflows": _workflows,
    "/workflows/{name}": _workflow,
    "/workflows/{name}/{kpi}": _number,
    "/find": _find,
    "/help": _help,
}


def create_app(site: Site, door: Door, api: Api) -> FastAPI:
    """Return the console of one programme behind its door, and the API beside it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_api_route("/static/{name}", _static, methods=["GET"], response_model=None)
    app.add_api_route(ENTRANCE, _entrance(door), methods=["GET"], response_model=None)
    app.add_api_route("/", _answering(site, _today), methods=["GET"], response_model=None)
    for path, model in ROUTES.items():
        app.add_api_route(f"{path}.json", _answering(site, model, twin=True), methods=["GET"], response_model=None)
    for path, model in ROUTES.items():
        app.add_api_route(path, _answering(site, model), methods=["GET"], response_model=None)
    app.mount(PREFIX, api.application())
    app.add_api_route("/{rest:path}", _nothing, methods=["GET"], response_model=None)
    app.middleware("http")(_guarded(door))
    return app


def _answering(site: Site, model: Model, *, twin: bool = False) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        asked = Asked(request)
        try:
            look = site.look(asked.query.get("as_of"))
            page, data = model(site, look, asked)
            if twin:
                return _envelope(request, data)
            if page.to:
                return RedirectResponse(linked(page.to, look.given), status_code=303)
            return HTMLResponse(render(page, data, look, request.url.path, asked.query))
        except TrueupError as error:
            return refusal(request, error)
        except Exception:  # noqa: BLE001 -- a defect is said on a page, and told in full where the server was started
            traceback.print_exc(file=sys.stderr)
            return refusal(request, _DEFECT)

    return answer


_DEFECT = TrueupError(
    "defect",
    "Trueup itself failed on this page.",
    "This is a defect in Trueup, not in your files. The terminal that runs `trueup serve` says more.",
)


def _envelope(request: Request, data: Mapping[str, Any]) -> Response:
    return EnvelopeResponse({"ok": True, "command": _command(request), "data": dict(data)})


def _command(request: Request) -> str:
    """Return the page's name: the first part of its address."""
    return f"serve {request.url.path.removesuffix('.json').strip('/').split('/')[0] or 'today'}"


def refusal(request: Request, error: TrueupError) -> Response:
    """Return what went wrong and what to do about it, as the address asks: a page, or an envelope."""
    if request.url.path.endswith(".json") or request.url.path.startswith(f"{PREFIX}/"):
        body = {"ok": False, "command": _command(request), "error": error.to_json()}
        return EnvelopeResponse(body, status_code=error.http_status)
    page = Page("error.html", error.message)
    findings = [found.to_json() for found in error.findings]
    again = _from_here(request.url.path) if error.code == "no-session" else None
    data = {"error": error.to_json() | {"findings": findings}, "status": error.http_status, "again": again}
    return HTMLResponse(render(page, data, None, "/", {}), status_code=error.http_status)


def _from_here(path: str) -> str:
    """Return an address of this console and of no other.

    Browsers keep a session's cookie back where a link was followed from another site (a chat, a mail); from here it
    comes.
    """
    return "/" + quote(path.lstrip("/\\"))


def _static(name: str) -> Response:
    content = static(name)
    if content is None:
        return Response(status_code=404)
    return Response(content, media_type=STATIC[name])


def _nothing(request: Request) -> Response:
    return refusal(
        request,
        NotFoundError("no-such-page", "There is no such page.", "It may have been about something that is gone."),
    )


def _entrance(door: Door) -> Callable[[Request], Response]:
    def enter(request: Request) -> Response:
        try:
            cookie = door.enter(request.query_params.get("token", ""))
        except TrueupError as error:
            return refusal(request, error)
        # A page and not a redirect: a strict cookie is not sent along a chain that began on another site.
        answer = HTMLResponse(render(Page("enter.html", "Come in"), {}, None, "/", {}))
        answer.set_cookie(door.cookie, cookie, max_age=int(SESSION.total_seconds()), httponly=True, samesite="strict")
        return answer

    return enter


def _opens_itself(path: str) -> bool:
    """Tell whether a path asks for no session: the entrance, what it looks like, and the API, which wants a token."""
    return path == ENTRANCE or path.startswith(("/static/", f"{PREFIX}/"))


def _guarded(door: Door) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    async def guard(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            door.check_host(request.headers.get("host", ""))
            if not _opens_itself(request.url.path):
                door.check_session(request.cookies.get(door.cookie))
            answer = await proceed(request)
        except TrueupError as error:
            answer = refusal(request, error)
        for name, value in HEADERS.items():
            answer.headers[name] = value
        return answer

    return guard
