"""From a model to a page: templates that escape everything, and words for numbers, states and instants."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from trueup import __version__
from trueup.kernel.clock import format_instant
from trueup.kernel.figures import difference, plain, signed, unit_word
from trueup.kernel.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.web.site import Look

# A state is a word and a shape; the colour only repeats it.
SHAPES = {"go": "▲", "hold": "◆", "stop": "■", "unknown": "○"}
SIGNALS = {
    "go": "go",
    "holds": "go",
    "held": "go",
    "reached": "go",
    "ok": "go",
    "sound": "go",
    "note": "unknown",
    "hold": "hold",
    "not sure yet": "hold",
    "cause not known": "hold",
    "not yet": "hold",
    "warning": "hold",
    "crossed": "stop",
    "broken": "stop",
    "error": "stop",
    "stop": "stop",
    "false": "stop",
    "not reached": "stop",
}
PAGES = (
    ("today", "/", "Today"),
    ("portfolio", "/portfolio", "Portfolio"),
    ("workflows", "/workflows", "Workflows"),
    ("review", "/review", "Review"),
    ("ledger", "/ledger", "Ledger"),
)
STATIC = {"console.css": "text/css", "keys.js": "text/javascript", "mark.svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page stands: its template, its title, and the tab that it belongs to; or `to` which page it leads."""

    template: str
    title: str
    tab: str = ""
    to: str | None = None


@cache
def environment() -> Environment:
    """Return the templates: what is inserted is escaped and acts on nobody's screen; what is missing is an error."""
    made = Environment(
        loader=PackageLoader("trueup.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_inserted,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        difference=difference,
        signed=signed,
        plain=plain,
        unit=unit_word,
        instant=instant,
        day=day,
        pretty=pretty,
        visible=visible,
        amount=amount,
        column=column,
        point=point,
        percent=percent,
        moment=moment,
    )
    made.globals.update(shapes=SHAPES, signal=signal, pages=PAGES, version=__version__)
    return made


def _inserted(value: object) -> object:
    """Return what a template inserts: words of others reverse and hide nothing. Line breaks are blanks to a browser."""
    return visible(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def static(name: str) -> bytes | None:
    """Return a file that every page uses, None for another name."""
    return (files("trueup.web") / "static" / name).read_bytes() if name in STATIC else None


def render(page: Page, data: Mapping[str, Any], look: Look | None, path: str, query: Mapping[str, str]) -> str:
    """Return the page's HTML. `path` and `query` are its own address, for the twin and the form."""
    given = look.given if look else None

    def link(target: str, **more: object) -> str:
        return linked(target, given, **more)

    twin = ("/today" if path == "/" else path) + ".json"
    kept = {key: value for key, value in query.items() if key != "as_of"}
    return (
        environment()
        .get_template(page.template)
        .render(
            data=data,
            page=page,
            link=link,
            own=quote(path, safe="/:@"),
            twin=link(twin, **kept),
            kept=kept,
            as_of=format_instant(look.as_of.replace(microsecond=0)) if look else None,
            given=given,
            files=look.files if look else None,
        )
    )


def linked(target: str, as_of: str | None, **more: object) -> str:
    """Return the address of a page seen from an instant."""
    asked = urlencode({key: value for key, value in {"as_of": as_of, **more}.items() if value is not None})
    return quote(target, safe="/:@") + (f"?{asked}" if asked else "")


def signal(word: object) -> str:
    """Return which of the four signals a word is: go, hold, stop or unknown."""
    return SIGNALS.get(str(word).lower(), "unknown")


def instant(text: str | None) -> str:
    """Write an instant as `2026-03-30 00:00Z`."""
    return "not known" if not text else f"{text[:10]} {text[11:16]}Z"


def moment(at: datetime | None) -> str:
    """Write an instant that is not text yet."""
    return instant(format_instant(at) if at else None)


def day(text: str | None) -> str:
    """Write the day of an instant."""
    return "" if not text else text[:10]


def pretty(value: object) -> str:
    """Write JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def amount(value: float | None) -> str:
    """Write an amount of money or days in full: `12,500`; `unknown` where it is not known."""
    return "unknown" if value is None else f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")


def percent(value: float | None) -> str:
    """Write a share as a whole percentage; nothing that is possible reads as 0%, nothing open as 100%."""
    if value is None:
        return "unknown"
    if 0 < value < 0.01:
        return "<1%"
    # Rounded as the terminal writes a share: of one number there is one reading.
    return ">99%" if 0.99 < value < 1 else f"{float(f'{value:.2f}'):.0%}"


def column(value: float | None, unit: str | None, largest: float) -> str:
    """Write a level with the digits that the largest of its column has, so that decimal points stand in one line."""
    if value is None:
        return "unknown"
    if unit == "share":
        return f"{100 * value:.1f}%"
    digits = 0 if largest >= 1000 else 1 if largest >= 10 else 2
    return f"{value:.{digits}f} {unit_word(unit)}".rstrip()


def point(text: str) -> tuple[str, str]:
    """Split a written number before its decimal point, for columns of mixed units that align there."""
    head, _, tail = text.partition(" ")
    whole, dot, rest = head.partition(".")
    return whole, f"{dot}{rest} {tail}".rstrip()
