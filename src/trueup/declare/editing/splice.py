"""A value is set by cutting the text where the parser says that it begins and ends; the rest is copied."""

from __future__ import annotations

from typing import Any

import yaml

from trueup.declare.editing.emit import block_lines, entry_lines, inline, key_text
from trueup.declare.programme import Path_


def spliced(text: str, path: Path_, value: Any) -> str:
    """Return the text with a value set. The caller checks that the result says what it should.

    Raises yaml.YAMLError for what is not YAML, ValueError for a value that YAML cannot hold.
    """
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    newline = "\r\n" if "\r\n" in text else "\n"
    if root is None:
        return text + ("" if not text or text.endswith("\n") else newline) + _lines(_wrapped(path, value), 0, newline)
    node, key, depth = _deepest(root, path)
    if depth == len(path) or _is_null(node):
        return _replaced(text, node, key, _wrapped(path[depth:], value), newline)
    return _inserted(text, node, path[depth], _wrapped(path[depth + 1 :], value), newline)


def _deepest(root: yaml.Node, path: Path_) -> tuple[yaml.Node, yaml.Node | None, int]:
    """Return the last existing node on a path, the key that it stands under, and how many steps led there."""
    node, key = root, None
    for depth, step in enumerate(path):
        found = _child(node, step)
        if found is None:
            return node, key, depth
        key, node = found
    return node, key, len(path)


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    inside = isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
    return (None, node.value[step]) if inside else None


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _wrapped(path: Path_, value: Any) -> Any:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _replaced(text: str, node: yaml.Node, key: yaml.Node | None, value: Any, newline: str) -> str:
    start, end = node.start_mark.index, _end(text, node)
    if not _is_block(node):
        # An empty value stands right behind its colon.
        gap = " " if start == end and not text[:start].endswith((" ", "\t", "[", "{")) else ""
        return text[:start] + gap + inline(value) + text[end:]
    if isinstance(node, yaml.CollectionNode) and isinstance(value, dict | list) and value:
        column = node.start_mark.column
        return text[:start] + _lines(value, column, newline).strip(" \r\n") + text[end:]
    if key is None:
        return text[:start] + inline(value) + text[end:]
    return f"{text[: key.end_mark.index]}: {inline(value)}{text[end:]}"


def _inserted(text: str, node: yaml.Node, step: str | int, value: Any, newline: str) -> str:
    head = f"{key_text(step)}:" if isinstance(step, str) else "-"
    children = [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
    if not _is_block(node):
        entry = f"{head} {inline(value)}" if isinstance(step, str) else inline(value)
        if not children:
            opening = node.start_mark.index + 1
            return text[:opening] + entry + text[opening:]
        end = _end(text, children[-1])
        return f"{text[:end]}, {entry}{text[end:]}"
    end = _end_of_line(text, _end(text, node))
    lines = newline.join(entry_lines(head, value, node.start_mark.column))
    return f"{text[:end]}{newline}{lines}{text[end:]}"


def _is_block(node: yaml.Node) -> bool:
    if isinstance(node, yaml.CollectionNode):
        return not node.flow_style
    return isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}


def _end(text: str, node: yaml.Node) -> int:
    """Return the offset just behind a value, without the comments and blank lines that follow it."""
    if isinstance(node, yaml.CollectionNode) and _is_block(node):
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)
    end: int = node.end_mark.index
    if _is_block(node):
        # The text of a block scalar ends on the line after it.
        end = len(text[:end].rstrip(" \r\n"))
    return end


def _end_of_line(text: str, offset: int) -> int:
    stop = text.find("\n", offset)
    if stop < 0:
        return len(text)
    return stop - 1 if text[stop - 1] == "\r" else stop


def _lines(value: Any, indent: int, newline: str) -> str:
    return "".join(line + newline for line in block_lines(value, indent))
