"""What the reference pages say of the ledger's file is what stands in it."""

from __future__ import annotations

import ast
import inspect
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.ledger.logs import make_log
from trueup.backends import sqlite_layout
from trueup.backends.sqlite_layout import COLUMNS
from trueup.ledger import verify, walk
from trueup.ledger.verify import PROBLEM_KINDS


def test_every_column_is_documented(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_log(path)
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in sorted(tables)
        }
    assert found == {table: list(columns) for table, columns in sorted(COLUMNS.items())}


def test_every_kind_of_problem_that_the_code_names_is_in_the_table() -> None:
    named: set[str] = set()
    for module in (verify, walk, sqlite_layout):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {
                "add",
                "_report",
                "Defect",
            }:
                named |= {str(item.value) for item in node.args[:1] if isinstance(item, ast.Constant)}
    assert {"entry-missing", "schema", "not-pinned"} <= named
    assert named <= set(PROBLEM_KINDS)


def test_kinds_are_words_joined_by_hyphens() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", kind) for kind in PROBLEM_KINDS)
