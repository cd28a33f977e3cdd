"""What a rule is: a function that looks at a programme, whose docstring is the page that people read about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from trueup.kernel.finding import Finding, Severity, Span

if TYPE_CHECKING:
    from trueup.declare.check.subject import Subject

_HEADINGS = ("Fix:", "Bad:", "Good:")


class Hit(NamedTuple):
    """What a rule found: where it stands, what and why, and what to write instead."""

    where: Span
    detail: str
    fix: str


Look: TypeAlias = Callable[["Subject"], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Page:
    """What `trueup explain CODE` shows. `title` is the summary of every finding with this code."""

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
    example: str

    def to_json(self) -> dict[str, str]:
        """Return the published form."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "title": self.title,
            "why": self.why,
            "fix": self.fix,
            "example": self.example,
        }

    def finding(self, where: Span, detail: str, fix: str) -> Finding:
        """Return a finding with this page's code, severity and summary."""
        return Finding(self.code, self.severity, self.title, detail, fix, where)


@dataclass(frozen=True, slots=True)
class Rule:
    """A page, and the function that finds what the page is about in the files; None where none can.

    `complete` is False where data, the ledger or a compiled policy may show more under the same code.
    """

    page: Page
    look: Look | None
    complete: bool

    def findings(self, subject: Subject) -> Iterable[Finding]:
        """Return what the rule finds in the declared files."""
        return () if self.look is None else (self.page.finding(*hit) for hit in self.look(subject))


def rule(code: str, severity: Severity, title: str, *, complete: bool = True) -> Callable[[Look], Rule]:
    """Make a function a rule. Its docstring says why, then `Fix:`, `Bad:` and `Good:` with indented text."""

    def make(look: Look) -> Rule:
        return Rule(_page(code, severity, title, look), look, complete)

    return make


def elsewhere(code: str, severity: Severity, title: str) -> Callable[[Callable[[], None]], Rule]:
    """Make a page of a function that does nothing: its findings are computed in another room."""

    def make(page: Callable[[], None]) -> Rule:
        return Rule(_page(code, severity, title, page), None, complete=False)

    return make


def _page(code: str, severity: Severity, title: str, documented: Callable[..., object]) -> Page:
    parts: dict[str, list[str]] = {"": [], **{heading: [] for heading in _HEADINGS}}
    heading = ""
    for line in (inspect.getdoc(documented) or "").splitlines():
        if line in _HEADINGS:
            heading = line
        else:
            parts[heading].append(line.removeprefix("    ") if heading else line)
    text = {name: "\n".join(lines).strip("\n") for name, lines in parts.items()}
    example = f"# not so\n{text['Bad:']}\n\n# but so\n{text['Good:']}"
    return Page(code, severity, title, _flowing(text[""]), _flowing(text["Fix:"]), example)


def _flowing(text: str) -> str:
    """Return prose with one line a paragraph; indented lines (a command to copy) keep their own line."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(part if part.startswith("  ") else " ".join(part.split()) for part in paragraphs)
