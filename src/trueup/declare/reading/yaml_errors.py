"""Why a file is not YAML, in words for the person who wrote it, at the place where it is to be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from trueup.declare.reading.problems import problem
from trueup.kernel.finding import Finding, Span

if TYPE_CHECKING:
    from yaml.error import Mark

_BRACKETS = {"while parsing a flow sequence": ("[", "]"), "while parsing a flow mapping": ("{", "}")}
_QUOTED = frozenset({"while scanning a quoted scalar", "while parsing a quoted scalar"})
_GENERAL = "Mend the line; an editor with YAML support shows the structure."
_COLON = (
    "A colon followed by a space begins a value, and this place cannot hold one.",
    "Put text that contains `: ` in quotes, and check that the line above is indented as meant.",
)
# What the parser says -> what is wrong, and what to do.
_MEANINGS: dict[str, tuple[str, str]] = {
    "mapping values are not allowed in this context": _COLON,
    "block sequence entries are not allowed in this context": (
        "A list item (`- `) cannot begin here.",
        "Begin the list on its own line below the key, or write it as [a, b].",
    ),
    "did not find expected key": (
        "A key was expected here; the line is indented otherwise than its neighbours, or something is left over.",
        "Align the key with those beside it; check for a quote or a bracket too many just before.",
    ),
    "did not find expected '-' indicator": (
        "A list item (`- `) was expected here, because the lines above are a list.",
        "Begin the line with `- `, or indent it as part of the item above.",
    ),
    "could not find expected ':'": (
        "A key was expected here, and it has no colon.",
        "Write `key: value`, or indent the line as part of the text above.",
    ),
    "found unknown escape character": (
        'The backslash in this "quoted" text begins no known escape.',
        "Use 'single quotes' around text with backslashes.",
    ),
    "found incompatible YAML document": ("The file asks for another version of YAML.", "Remove the line with %YAML."),
}


def explained(file: str, text: str, error: yaml.YAMLError) -> Finding:
    """Return the YAML01 finding of a parser's error."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _marked(file, text, error)
    if isinstance(error, yaml.reader.ReaderError):
        return _control_character(file, text, error)
    return problem("YAML01", Span(file), "The file cannot be read as YAML.", _GENERAL)


def _marked(file: str, text: str, error: yaml.MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    where = _span(file, mark)
    said = error.problem or ""
    if "tab character" in said or _character(text, mark) == "\t":
        detail = "A tab stands where YAML wants spaces."
        return problem("YAML01", _first_tab(file, text, where), detail, "Indent with spaces.")
    if error.context in _BRACKETS and error.context_mark is not None:
        return _unclosed(file, where, error.context_mark, *_BRACKETS[error.context])
    if error.context in _QUOTED and said == "found unexpected end of stream":
        detail = "The quote that opens here is never closed."
        return problem("YAML01", _span(file, error.context_mark), detail, "Close the quote where the text ends.")
    if said == "found character that cannot start any token":
        detail = f"A value cannot begin with {_character(text, mark)!r}."
        return problem("YAML01", where, detail, "Put the text in quotes.")
    detail, fix = _MEANINGS.get(said, (f"YAML ends here: {said or 'the structure is broken'}.", _GENERAL))
    return problem("YAML01", where, detail, fix)


def _unclosed(file: str, noticed: Span, opening: Mark, bracket: str, closing: str) -> Finding:
    where = _span(file, opening)
    detail = f"`{bracket}` opens on line {where.line} and is not closed, or an item lacks its comma; "
    detail += f"noticed on line {noticed.line}."
    return problem("YAML01", where, detail, f"Close it with `{closing}`, and put commas between the items.")


def _control_character(file: str, text: str, error: yaml.reader.ReaderError) -> Finding:
    # The position counts bytes of the UTF-8 form.
    before = text.encode()[: error.position].decode(errors="replace")
    where = Span(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    code = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    detail = f"The character U+{code:04X} may not stand in YAML."
    return problem("YAML01", where, detail, "Delete the character; it is usually left over from copying.")


def _character(text: str, mark: Mark | None) -> str:
    """Return the character at a mark; nothing when the mark lies past the end."""
    if mark is None:
        return ""
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    return line[mark.column : mark.column + 1]


def _first_tab(file: str, text: str, where: Span) -> Span:
    lines = text.splitlines()
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    return Span(file, where.line, line.find("\t") + 1) if "\t" in line else where


def _span(file: str, mark: Mark | None) -> Span:
    return Span(file) if mark is None else Span(file, mark.line + 1, mark.column + 1)
