"""Files that are no text: said where, and never read further than needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trueup.declare.reading.source import LARGEST_BYTES, Source, open_questions, read_source
from trueup.kernel.finding import Finding


def unreadable(root: Path, content: bytes) -> Finding:
    (root / "x.yaml").write_bytes(content)
    found = read_source(root, "x.yaml")
    assert isinstance(found, Finding)
    assert found.code == "FILE01"
    return found


def test_a_zero_byte_makes_a_file_binary(tmp_path: Path) -> None:
    found = unreadable(tmp_path, b"a: 1\nb: \x00\n")
    assert (found.where.line, found.where.col) == (2, 4)
    assert "Byte 9 " in found.detail


def test_bytes_that_are_not_utf_8_are_named_with_line_and_offset(tmp_path: Path) -> None:
    found = unreadable(tmp_path, "a: 1\nå: ".encode() + b"\xe9t\xe9\n")
    assert (found.where.line, found.where.col) == (2, 4)
    assert "Byte 10 (0xe9)" in found.detail


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_other_unicode_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    unreadable(tmp_path, "a: 1\n".encode(encoding))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "x.yaml").open("wb") as stream:
        stream.truncate(1 << 30)
    found = read_source(tmp_path, "x.yaml")
    assert isinstance(found, Finding)
    assert "1,073,741,824 bytes" in found.detail


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"#" * LARGEST_BYTES)
    assert isinstance(read_source(tmp_path, "x.yaml"), Source)
    unreadable(tmp_path, b"#" * (LARGEST_BYTES + 1))


def test_a_folder_a_pipe_and_a_dangling_link_are_findings(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "pipe", "link"):
        found = read_source(tmp_path, f"{name}.yaml")
        assert isinstance(found, Finding)
        assert found.code == "FILE01"


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    source = read_source(tmp_path, "x.yaml")
    assert isinstance(source, Source)
    assert source.text == "a: 1\n"


def test_a_todo_in_a_comment_is_an_open_question() -> None:
    source = Source("x.yaml", "a:  # TODO: who pays\n# TODO\nb: TODO in a value\nc: x#TODO no comment\n", "")
    found = list(open_questions(source))
    assert [(item.code, item.where.line, item.where.col) for item in found] == [("FILE03", 1, 5), ("FILE03", 2, 1)]
    assert "who pays" in found[0].detail
