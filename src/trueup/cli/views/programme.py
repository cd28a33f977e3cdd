"""How people read the answers of `check`, `explain`, `schema` and `new`."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from trueup.cli.views.sarif import sarif_log
from trueup.kernel.text import quiet_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH = 80


def check_text(data: Mapping[str, Any], *, folder: str) -> str:
    """List the findings by place, each with why and what to do, and count them."""
    lines: list[str] = []
    for finding in data["findings"]:
        lines += _finding(finding)
    return "\n".join([*lines, count_line(data["findings"], folder)])


def _finding(finding: Mapping[str, Any]) -> list[str]:
    place = f"{finding['file']}:{finding['line']}:{finding['col']}"
    severity = f"waived {finding['severity']}" if "waived" in finding else finding["severity"]
    head = f"{place}  {severity} {finding['code']} {finding['summary']}"
    body = [*_flowing(finding["detail"]), *_flowing(finding["fix"], "    -> ")]
    if "waived" in finding:
        body += _flowing(f"waived: {finding['waived']}")
    return [*_wrapped(head, "", "    "), *body, ""]


def _flowing(text: str, first: str = "    ") -> list[str]:
    """Wrap prose; a line that is indented already is a command to copy and stays alone as it is."""
    out: list[str] = []
    for line in text.split("\n"):
        if line.startswith("  "):
            out.append(" " * len(first) + line.strip())
        elif line.strip():
            out += _wrapped(line, first if not out else " " * len(first), " " * len(first))
    return out


def _wrapped(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def count_line(findings: list[Mapping[str, Any]], folder: str) -> str:
    """Return `2 errors, 1 warning, 0 notes`, with how many are waived, and where to read on."""
    counted = Counter("waived" if "waived" in finding else finding["severity"] for finding in findings)
    if not findings:
        return f"No findings in {folder}."
    names = [_count(counted[severity], severity) for severity in ("error", "warning", "note")]
    waived = f"; {counted['waived']} waived" if counted["waived"] else ""
    return f"{', '.join(names)}{waived}. What a code means: trueup explain CODE"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def from_here(folder: str) -> str:
    """Return what leads from the working folder, which code hosts count paths from, to the files of a programme."""
    path = PurePath(folder).as_posix()
    return "" if path == "." or path.startswith(("/", "..")) else f"{path}/"


def check_github(data: Mapping[str, Any], *, folder: str) -> str:
    """Return workflow commands, which a code host shows on the lines of a change; waived findings are left out."""
    return "\n".join(_command(found, folder) for found in data["findings"] if "waived" not in found)


def _command(found: Mapping[str, Any], folder: str) -> str:
    level = "notice" if found["severity"] == "note" else found["severity"]
    place = f"file={_property(from_here(folder) + found['file'])},line={found['line']},col={found['col']}"
    title = _property(f"{found['code']} {found['summary']}")
    return f"::{level} {place},title={title}::{_message(found['detail'] + ' ' + found['fix'])}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def check_sarif(data: Mapping[str, Any], *, folder: str, pages: Mapping[str, Mapping[str, str]]) -> str:
    """Return a SARIF 2.1.0 log."""
    return quiet_json(sarif_log(data["findings"], pages, from_here(folder)), indent=2)


def explain_text(data: Mapping[str, Any]) -> str:
    """Show the page of a code, or the list of all."""
    if "codes" in data:
        return "\n".join(f"{page['code']:<8}{page['severity']:<9}{page['title']}" for page in data["codes"])
    head = f"{data['code']}  {data['severity']}  {data['title']}"
    example = textwrap.indent(data["example"], "    ")
    paragraphs = [[line] if line.startswith("  ") else _wrapped(line, "", "") for line in data["why"].split("\n")]
    why = "\n".join("\n".join(lines) for lines in paragraphs)
    return "\n".join([head, "", why, "", "How to fix it", "", *_flowing(data["fix"]), "", "Example", "", example])


def schema_text(data: Mapping[str, Any]) -> str:
    """Name the files written, and say how an editor finds them."""
    lines = [f"wrote {file}" for file in data["files"]]
    lines += ["", "An editor with a YAML language server uses one when the file begins with:"]
    lines.append(f"    # yaml-language-server: $schema={data['files'][0]}")
    return "\n".join(lines)


def new_text(data: Mapping[str, Any], *, folder: str) -> str:
    """Name the files written, and say what comes next."""
    lines = [f"wrote {folder}/{file}" for file in data["files"]]
    return "\n".join([*lines, "", "What is still open, with file, line and fix:", f"    trueup check {folder}"])
