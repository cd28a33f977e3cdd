"""YAML text -> plain data, and the line and column of every key and value.

The file is read as a stream of events with a stack of our own: nothing recurses, nothing is constructed, and a file
that asks for more than plain data (aliases, tags, depth without end) is stopped or corrected while it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from trueup.declare.programme import Path_
from trueup.declare.reading import yaml_errors
from trueup.declare.reading.marks import Marks
from trueup.declare.reading.problems import problem
from trueup.declare.reading.scalars import plain
from trueup.kernel.finding import Finding, Span
from trueup.kernel.text import shown

# A position in the file. The stubs know three kinds, of which the parser in C makes one.
Mark: TypeAlias = Any

DEEPEST = 40
MOST_NODES = 200_000
# A file with so many faults of form is another kind of file; the rest is not read.
MOST_FINDINGS = 100
_TEXT_TAG = "tag:yaml.org,2002:str"
# Tags of the core schema say what the text says already; any other would construct something.
_CORE_TAGS = frozenset({None, "!", _TEXT_TAG, *(f"tag:yaml.org,2002:{name}" for name in ("map", "seq"))})


class Stopped(Exception):  # noqa: N818 -- not a failure: the reader has said what is wrong, and why it went no further
    """Reading ended at a finding that leaves nothing more to read."""


@dataclass(slots=True)
class Tree:
    """What a file says. `read` is False when nothing of it could be used; then `value` is None."""

    file: str
    value: Any = None
    read: bool = False
    values: Marks = field(default_factory=dict)
    keys: Marks = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def at(self, path: Path_) -> Span:
        """Return the place of a value; of the nearest existing key that should hold it when it is missing."""
        if path in self.values:
            return Span(self.file, *self.values[path])
        for holder in (path[:length] for length in range(len(path) - 1, 0, -1)):
            # An item of a list has no key; it stands for itself.
            marks = self.values if isinstance(holder[-1], int) else self.keys
            if holder in marks:
                return Span(self.file, *marks[holder])
        return Span(self.file, *self.values[()])

    def at_key(self, path: Path_) -> Span:
        """Return the place of the key itself."""
        return Span(self.file, *self.keys[path]) if path in self.keys else self.at(path)

    def value_at(self, path: Path_) -> Any:
        """Return the value at a path that exists."""
        here = self.value
        for step in path:
            here = here[step]
        return here


@dataclass(slots=True)
class _Open:
    """A collection that has begun and not ended. `key` is the key whose value comes next."""

    path: Path_
    data: Any
    key: str | None = None
    skipped: bool = False


def parse_tree(file: str, text: str) -> Tree:
    """Read one YAML document whose top level is a mapping. Never raises; problems are in `findings`."""
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            reader.take(event)
        reader.finish()
    except Stopped:
        reader.tree.read = False
    except yaml.YAMLError as error:
        reader.tree.findings.append(yaml_errors.explained(file, text, error))
        reader.tree.read = False
    if not reader.tree.read:
        # Half a file is no file: what was read before the fault must not be taken for all that was declared.
        reader.tree.value = None
        reader.tree.values.clear()
        reader.tree.keys.clear()
    return reader.tree


class _Reader:
    """Builds a Tree from events."""

    def __init__(self, file: str) -> None:
        self.tree = Tree(file)
        self._stack: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the file."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def finish(self) -> None:
        """Check that there was one document, and that it is a mapping."""
        self.tree.read = isinstance(self.tree.value, dict)
        if self.tree.read:
            return
        if self.tree.value is None:
            detail, fix = "The file is empty.", "Write its content, or delete the file."
        else:
            detail = "The top level of the file is not a mapping of keys to values."
            fix = "Write `key: value` lines at the left margin."
        self._report("TYPE01", Span(self.tree.file, *self.tree.values.get((), (1, 1))), detail, fix)

    def _document(self, event: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            detail = "A second YAML document begins here (`---`); a declared file holds one."
            self._stop("YAML01", event.start_mark, detail, "Give each its own file, or delete the line with `---`.")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(event.start_mark)
        opened = self._stack[-1] if self._stack else None
        if opened is not None and opened.key is None and isinstance(opened.data, dict):
            self._key(opened, event)
            return
        value: Any = plain(event.value) if event.implicit[0] and event.tag is None else event.value
        if event.tag is not None and event.tag not in _CORE_TAGS:
            self._tag(event)
        path = self._place(event.start_mark)
        self._put(path, value)

    def _key(self, opened: _Open, event: yaml.ScalarEvent) -> None:
        if event.value == "<<" and event.implicit[0]:
            detail = "`<<` merges mappings in YAML 1.1; declared files are YAML 1.2, where a key is only a key."
            self._report("YAML03", self._span(event.start_mark), detail, "Write the merged keys out.")
        opened.key = event.value
        path = (*opened.path, event.value)
        opened.skipped = path in self.tree.keys
        if opened.skipped:
            first, second = Span(self.tree.file, *self.tree.keys[path]), self._span(event.start_mark)
            detail = f"{shown(event.value)} stands here and on line {first.line}; the first one is used."
            self._report("YAML02", second, detail, f"Keep one of the two: {first} or {second}.")
            # The places of the second value must not overwrite those of the first.
            opened.key = f"{event.value}\0{self._nodes}"
            return
        self.tree.keys[path] = _at(event.start_mark)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event.start_mark)
        opened = self._stack[-1] if self._stack else None
        if opened is not None and opened.key is None and isinstance(opened.data, dict):
            detail = "A key is a list or a mapping here; keys are words."
            self._stop("YAML01", event.start_mark, detail, "Write a word as the key. Text with { or [ goes in quotes.")
        if len(self._stack) >= DEEPEST:
            detail = f"Values are nested more than {DEEPEST} deep here."
            self._stop("YAML03", event.start_mark, detail, "Declared files need six levels or so: flatten the value.")
        if event.tag is not None and event.tag not in _CORE_TAGS:
            self._tag(event)
        path = self._place(event.start_mark)
        data: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(path, data))

    def _end(self) -> None:
        closed = self._stack.pop()
        self._put(closed.path, closed.data)

    def _alias(self, event: yaml.AliasEvent) -> None:
        opened = self._stack[-1] if self._stack else None
        if opened is not None and opened.key is None and isinstance(opened.data, dict):
            self._stop("YAML03", event.start_mark, "A key is an alias here; keys are words.", "Write the key out.")
        detail = f"`*{str(event.anchor)[:60]}` repeats a value that is written elsewhere."
        fix = "Write the value out. Text that begins with * goes in quotes."
        self._report("YAML03", self._span(event.start_mark), detail, fix)
        self._place(event.start_mark)
        self._leave_out()

    def _place(self, mark: Mark) -> Path_:
        """Return the path of the value that begins here, and note where it stands."""
        path: Path_ = ()
        if self._stack:
            opened = self._stack[-1]
            last = len(opened.data) if opened.key is None else opened.key
            path = (*opened.path, last)
        self.tree.values[path] = _at(mark)
        return path

    def _leave_out(self) -> None:
        """Go on without a value: its place is known, so that nothing says that it is missing."""
        if self._stack and isinstance(self._stack[-1].data, list):
            self._stack[-1].data.append(None)
        elif self._stack:
            self._stack[-1].key = None

    def _put(self, path: Path_, value: Any) -> None:
        if not self._stack:
            self.tree.value = value
            return
        opened = self._stack[-1]
        if isinstance(opened.data, list):
            opened.data.append(value)
        else:
            if not opened.skipped:
                opened.data[path[-1]] = value
            opened.key = None

    def _count(self, mark: Mark) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            detail = f"The file holds more than {MOST_NODES:,} values."
            self._stop("YAML03", mark, detail, "Keep data in its own file, and name that file under `data`.")

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        detail = f"`{str(event.tag)[:60]}` is a tag, which asks for something other than plain data; it is ignored."
        fix = "Remove the tag. Text that begins with ! goes in quotes."
        self._report("YAML03", self._span(event.start_mark), detail, fix)

    def _span(self, mark: Mark) -> Span:
        return Span(self.tree.file, *_at(mark))

    def _report(self, code: str, where: Span, detail: str, fix: str) -> None:
        self.tree.findings.append(problem(code, where, detail, fix))
        if len(self.tree.findings) >= MOST_FINDINGS:
            raise Stopped

    def _stop(self, code: str, mark: Mark, detail: str, fix: str) -> None:
        self._report(code, self._span(mark), detail, fix)
        raise Stopped


def _at(mark: Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
