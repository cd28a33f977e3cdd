"""The page as one HTML file: its own few styles, no script, nothing loaded, one A4 sheet when printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
@page { size: A4; margin: 10mm 12mm; }
:root { color-scheme: light dark; }
body { font: 10.5pt/1.4 system-ui, sans-serif; max-width: 230mm; margin: 0 auto; padding: 4mm;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6em; line-height: 1.15; margin: 0; }
h2 { font-size: 1.1em; margin: .8em 0 .25em; border-bottom: .3mm solid currentColor; }
p, ul { margin: 0 0 .25em; }
ul { padding-left: 1.4em; }
table { border-collapse: collapse; width: 100%; font-size: .92em; }
th, td { text-align: left; vertical-align: top; padding: .1em .6em .1em 0; border-bottom: .1mm solid #999; }
td.figure, th.figure { text-align: right; white-space: nowrap; }
.columns { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1.2em; }
.decision { border: .4mm solid currentColor; padding: .4em .7em; margin-top: .6em; }
.decision h2 { border: 0; margin-top: 0; }
@media screen and (max-width: 640px) { .columns { grid-template-columns: 1fr; } .table { overflow-x: auto; } }
@media print { body { font-size: 7.9pt; line-height: 1.28; max-width: none; padding: 0; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_FIGURES = ("value", "cost", "success", "p_funded")


def html(page: Mapping[str, Any], language: str = "en") -> str:
    """Return the page as HTML; every text in it is escaped."""
    return "\n".join(_lines(page, language)) + "\n"


def _lines(page: Mapping[str, Any], language: str) -> Iterator[str]:
    yield f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(page['title'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{escape(page['title'])}</h1>"
    yield f"<p>As of {escape(page['as_of'])} · sponsor: {escape(page['sponsor'])}</p>"
    yield f'<section class="decision"><h2>Decision asked for</h2>{_list(page["decision"], escape)}</section>'
    yield f"<h2>Objectives</h2>{_list(page['objectives'], _objective)}"
    yield f"<h2>Route</h2><p>{escape(page['route'])}<br>Operating model: {escape(page['operating_model'])}</p>"
    yield from _portfolio(page)
    yield '<h2>Next 30, 60 and 90 days</h2><div class="columns">'
    for days, dues in page["horizons"].items():
        yield f"<section><strong>{escape(days)} days</strong>{_list(dues, _due, 'nothing is due')}</section>"
    yield f"</div><h2>Risks and assumptions</h2>{_list(page['risks'], escape)}"
    yield "</main>\n</body>\n</html>"


def _list(rows: Mapping[str, Any], line: Callable[[Any], str], empty: str = "none") -> str:
    items = [line(row) for row in rows["rows"]] or [empty]
    more = [f"and {rows['more']} more"] if rows["more"] else []
    return "<ul>" + "".join(f"<li>{item}</li>" for item in (*items, *more)) + "</ul>"


def _objective(row: Mapping[str, str]) -> str:
    target = f"<code>{escape(row['kpi'])}</code> {escape(row['targets'])}"
    return f"{escape(row['outcome'])}: {target} ({escape(row['owner'])})"


def _due(row: Mapping[str, str]) -> str:
    return f"{escape(row['due'])} {escape(row['what'])} ({escape(row['owner'])})"


def _portfolio(page: Mapping[str, Any]) -> Iterator[str]:
    currency = escape(page["currency"] or "")
    heads = ("rank", "use case", "decision", f"value {currency}", "cost", "chance", "P(funded)", "because")
    cells = "".join(_cell("th", head, figure=3 <= at <= 6) for at, head in enumerate(heads))
    yield f'<h2>Portfolio</h2><div class="table"><table><thead><tr>{cells}</tr></thead><tbody>'
    for row in page["portfolio"]["rows"]:
        name = f"{escape(row['name'])} ({escape(row['stage'])})"
        figures = "".join(_cell("td", escape(row[key]), figure=True) for key in _FIGURES)
        yield (
            f"<tr><td>{row['rank']}</td><td>{name}</td><td><strong>{escape(row['decision'])}</strong></td>"
            f"{figures}<td>{escape(row['because'])}</td></tr>"
        )
    yield "</tbody></table></div>"
    more = f"and {page['portfolio']['more']} more. " if page["portfolio"]["more"] else ""
    used = "; ".join(page["limits"]) or "no limit is declared"
    yield f"<p>{more}Taken: {escape(used)}. {escape(page['confidence'])}.</p>"


def _cell(tag: str, text: str, *, figure: bool = False) -> str:
    return f'<{tag} class="figure">{text}</{tag}>' if figure else f"<{tag}>{text}</{tag}>"
