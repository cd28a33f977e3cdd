"""The events of a Parquet file brought into other databases, so that every engine is asked about the same rows."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv
from pyspark.sql import SparkSession

from trueup.backends.engines.postgres import PostgresEngine
from trueup.backends.engines.spark import SparkEngine
from trueup.backends.engines.tables import TableSpec

_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_floating, "double precision"),
    (pa.types.is_date, "date"),
)
_numbers = itertools.count()


def column_type(kind: pa.DataType) -> str:
    """The name that PostgreSQL has for a type of Arrow."""
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return next((name for test, name in _TYPES if test(kind)), "text")


def copied(url: str, rows: pa.Table) -> str:
    """Bring rows into a new table; return its name."""
    name = f"events_{next(_numbers)}"
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(column_type(field.type))) for field in rows.schema
    )
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), columns))
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(name))) as copy:
            copy.write(text.getvalue())
    return name


def on_postgres(url: str, paths: Mapping[str, Path]) -> PostgresEngine:
    """An engine over copies of Parquet files in a real PostgreSQL."""
    specs = {data: TableSpec(copied(url, pq.read_table(path))) for data, path in paths.items() if path.is_file()}
    return PostgresEngine(url, specs)


def on_spark(session: SparkSession, paths: Mapping[str, Path]) -> SparkEngine:
    """An engine over Parquet files in a real Spark."""
    specs = {data: TableSpec(parquet=str(path)) for data, path in paths.items() if path.is_file()}
    return SparkEngine(session, specs, Path())
