"""The page as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def escaped(text: object) -> str:
    """Return a text in which nothing is markup, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def markdown(page: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escaped(page['title'])}"
    yield ""
    yield f"As of {page['as_of']} · sponsor: {escaped(page['sponsor'])}"
    yield from _section("Decision asked for", page["decision"], escaped)
    yield from _section("Objectives", page["objectives"], _objective)
    yield from ("", "## Route", "", escaped(page["route"]), "", f"Operating model: {escaped(page['operating_model'])}")
    yield from ("", "## Portfolio", "")
    yield from _portfolio(page)
    yield from ("", "## Next 30, 60 and 90 days")
    for days, dues in page["horizons"].items():
        yield from ("", f"**{days} days**", "")
        yield from (f"- {_due(due)}" for due in dues["rows"])
        yield from _more(dues) if dues["rows"] else ["- nothing is due"]
    yield from _section("Risks and assumptions", page["risks"], escaped)


def _section(title: str, rows: Mapping[str, Any], line: Any) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from (f"- {line(row)}" for row in rows["rows"])
    yield from _more(rows) if rows["rows"] else ["- none"]


def _more(rows: Mapping[str, Any]) -> list[str]:
    return [f"- and {rows['more']} more"] if rows["more"] else []


def _objective(row: Mapping[str, str]) -> str:
    return f"{escaped(row['outcome'])}: `{row['kpi']}` {escaped(row['targets'])} ({escaped(row['owner'])})"


def _portfolio(page: Mapping[str, Any]) -> Iterator[str]:
    currency = escaped(page["currency"] or "")
    yield f"| rank | use case | decision | value {currency} | cost | chance | P(funded) | because |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in page["portfolio"]["rows"]:
        name = f"{escaped(row['name'])} ({row['stage']})"
        cells = (row["rank"], name, row["decision"], row["value"], row["cost"], row["success"], row["p_funded"])
        yield f"| {' | '.join(str(cell) for cell in cells)} | {escaped(row['because'])} |"
    yield ""
    used = "; ".join(page["limits"]) or "no limit is declared"
    more = f"and {page['portfolio']['more']} more. " if page["portfolio"]["more"] else ""
    yield f"{more}Taken: {escaped(used)}. {escaped(page['confidence'])}."


def _due(row: Mapping[str, str]) -> str:
    return f"{escaped(row['due'])} {escaped(row['what'])} ({escaped(row['owner'])})"
