"""A programme whose events lie in a table: the loop as over a file, and tables refused for the reasons of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from pyarrow import csv

from tests.conformance.engines import copied
from tests.loop.pilots import write_programme
from tests.running import Ran, run_trueup
from trueup.backends.engines.postgres import PostgresEngine
from trueup.backends.engines.tables import TableSpec
from trueup.kernel.errors import DataError

WEEK_8 = "2024-05-27"
SETTING = "CLAIMS_DATABASE"
SPEC = {"times": ("at",), "case": "case", "activity": "activity"}


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def in_table(folder: Path, table: str) -> Path:
    """A programme that reads its claims from a table, and has no file of them."""
    programme = write_programme(folder)
    (programme / "data" / "claims.csv").unlink()
    file = programme / "programme.yaml"
    source = f"source: {{url: env:{SETTING}, table: {table}}}"
    file.write_text(file.read_text("utf-8").replace("source: data/claims.csv", source), "utf-8")
    return programme


def test_a_programme_runs_on_a_table_as_on_a_file(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_file = write_programme(tmp_path / "file")
    rows = csv.read_csv(from_file / "data" / "claims.csv", convert_options=csv.ConvertOptions(strings_can_be_null=True))
    table = copied(postgres, rows)
    from_table = in_table(tmp_path / "table", table)
    monkeypatch.setenv(SETTING, postgres)
    found: dict[Path, dict[str, Any]] = {}
    for programme in (from_file, from_table):
        assert run("baseline", programme, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
        measured = run("measure", programme, "--as-of", WEEK_8).data
        review = run("review", programme, "--as-of", WEEK_8).data
        found[programme] = {
            "measured": measured["readings"],
            "gates": {
                one["gate"]: (one["outcome"], one["upper"]) for one in review["changes"] if one["kind"] == "gate"
            },
        }
        applied = run("apply", programme, review["id"], "--by", "chief", "--as-of", WEEK_8)
        assert applied.exit_code == 0, applied
    assert found[from_table]["gates"]["week-8"][0] == "go"
    assert found[from_table] == found[from_file]
    # One more event is another state of the table: the next review rests on other data.
    before = run("review", from_table, "--as-of", WEEK_8).data["id"]
    with psycopg.connect(postgres) as connection:
        connection.execute(sql.SQL("INSERT INTO {0} SELECT * FROM {0} LIMIT 1").format(sql.Identifier(table)))
    refused = run("review", from_table, "--as-of", WEEK_8)
    assert "duplicate-events" in refused.out
    with psycopg.connect(postgres) as connection:
        connection.execute(sql.SQL("DELETE FROM {} WHERE claim = '1'").format(sql.Identifier(table)))
    assert run("review", from_table, "--as-of", WEEK_8).out.count(before) == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "the environment has no CLAIMS_DATABASE"),
        ("postgresql://me:hunter2@127.0.0.1:1/none", "cannot be reached"),
        ("mysql://me:hunter2@host/none", "no database that events can lie in"),
    ],
)
def test_an_address_that_leads_nowhere_is_never_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, words: str
) -> None:
    programme = in_table(tmp_path / "programme", "claims")
    monkeypatch.delenv(SETTING, raising=False)
    if value is not None:
        monkeypatch.setenv(SETTING, value)
    ran = run("measure", programme, "--as-of", WEEK_8)
    assert words in ran.out
    assert "hunter2" not in ran.out + ran.err


def test_a_password_in_the_file_is_a_finding(tmp_path: Path) -> None:
    programme = in_table(tmp_path / "programme", "claims")
    file = programme / "programme.yaml"
    file.write_text(file.read_text("utf-8").replace(f"env:{SETTING}", "'postgresql://me:hunter2@host/db'"), "utf-8")
    ran = run("check", programme)
    assert ran.exit_code == 3
    assert "hunter2" not in ran.out
    file.write_text(file.read_text("utf-8").replace("table: claims", "table: claims, parquet: data"), "utf-8")
    assert run("check", programme).exit_code == 3


def rows_of(**columns: Any) -> pa.Table:
    return pa.table({"case": ["1", "1"], "at": [None, None], "activity": ["A", "B"], **columns})


NAIVE = pa.array([1_000_000, 2_000_000], pa.timestamp("us"))
AWARE = pa.array([1_000_000, 2_000_000], pa.timestamp("us", "UTC"))


@pytest.mark.parametrize(
    ("columns", "spec", "code"),
    [
        ({}, {"case": "kase"}, "missing-column"),
        ({"at": NAIVE}, {}, "no-zone"),
        ({"at": NAIVE}, {"zone": "Europe/Londonn"}, "unknown-zone"),
        ({"at": ["2024-01-01T10:00:00", "2024-01-01T10:00:00+01:00"]}, {}, "mixed-zones"),
        ({"at": ["2024-01-01T10:00:00Z", "2024-01-01T10:00:00+0100"]}, {}, "bad-time"),
        ({"at": [1, 2]}, {}, "bad-time"),
        ({"at": pa.array([None, 5], pa.timestamp("us", "UTC"))}, {}, "bad-time"),
        ({"at": pa.array([-(2**52), 5], pa.timestamp("us", "UTC"))}, {}, "bad-time"),
        ({"at": AWARE, "case": ["1", None]}, {}, "empty-case"),
        ({"at": AWARE, "case": ["1", ""]}, {}, "empty-case"),
        ({"at": AWARE, "activity": ["", "B"]}, {}, "empty-activity"),
        (
            {"at": AWARE.slice(0, 0), "case": pa.array([], "string"), "activity": pa.array([], "string")},
            {},
            "data-empty",
        ),
    ],
)
def test_a_table_is_refused_for_the_reasons_of_a_file(
    postgres: str, columns: dict[str, Any], spec: dict[str, Any], code: str
) -> None:
    table = copied(postgres, rows_of(**columns))
    with PostgresEngine(postgres, {"log": TableSpec(table, **{**SPEC, **spec})}) as engine:
        with pytest.raises(DataError) as refused:
            engine.table("log")
        assert refused.value.code == code


@pytest.mark.parametrize(("duplicates", "left"), [("keep", 3), ("drop", 2)])
def test_repeated_events_are_refused_unless_declared(postgres: str, duplicates: Any, left: int) -> None:
    rows = rows_of(at=AWARE).take(pa.array([0, 1, 1]))
    table = copied(postgres, rows)
    refusing = {"log": TableSpec(table, duplicates="refuse")}
    with PostgresEngine(postgres, refusing) as engine, pytest.raises(DataError, match="1 of 3 events"):
        engine.table("log")
    with PostgresEngine(postgres, {"log": TableSpec(table, duplicates=duplicates)}) as engine:
        assert engine.fetch(engine.table("log")).num_rows == left


def test_a_table_that_is_not_there_or_not_allowed_is_named(postgres: str) -> None:
    table = copied(postgres, rows_of(at=AWARE))
    with psycopg.connect(postgres) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(f"reader_{table}")))
    other = postgres.replace("user=postgres", f"user=reader_{table}")
    for url, name, code in ((postgres, "Events", "data-not-found"), (other, table, "data-unreadable")):
        with PostgresEngine(url, {"log": TableSpec(name)}) as engine, pytest.raises(DataError) as refused:
            engine.table("log")
        assert refused.value.code == code


def test_one_state_of_the_table_is_seen_and_nothing_is_left_behind(postgres: str) -> None:
    table = copied(postgres, rows_of(at=AWARE))
    with PostgresEngine(postgres, {"log": TableSpec(table)}) as engine:
        before, digest = engine.fetch(engine.table("log")).num_rows, engine.digest("log")
        kept = engine.keep(engine.table("log"))
        with psycopg.connect(postgres) as connection:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        assert (engine.fetch(engine.table("log")).num_rows, engine.digest("log")) == (before, digest)
        assert engine.fetch(kept).num_rows == before
    with PostgresEngine(postgres, {"log": TableSpec(table)}) as engine:
        assert engine.digest("log") != digest
    with psycopg.connect(postgres) as connection:
        found = connection.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'trueup!_%' ESCAPE '!'").fetchone()
    assert found == (0,)
