"""A programme whose events lie in Spark: register, measure and review give the figures of the same rows in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from pyspark.sql import SparkSession

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup

WEEK_8 = "2024-05-27"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def in_spark(folder: Path) -> Path:
    """The programme with its claims as a folder of two Parquet files, named by the URL of a master."""
    programme = write_programme(folder, Truth(per_week=20))
    log = programme / "data" / "claims.csv"
    rows = csv.read_csv(log, convert_options=csv.ConvertOptions(strings_can_be_null=True))
    rows = rows.set_column(2, "time", pc.cast(rows["time"], pa.timestamp("us", "UTC")))
    (programme / "data" / "claims").mkdir()
    for number, part in enumerate((rows.slice(0, 900), rows.slice(900))):
        pq.write_table(part, programme / "data" / "claims" / f"part-{number}.parquet")
    log.unlink()
    file = programme / "programme.yaml"
    source = "source: {url: 'local[2]', parquet: data/claims}"
    file.write_text(file.read_text("utf-8").replace("source: data/claims.csv", source), "utf-8")
    return programme


@pytest.mark.long
def test_a_programme_runs_on_spark_as_on_a_file(spark: SparkSession, tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    made = {"file": write_programme(tmp_path / "file", Truth(per_week=20)), "spark": in_spark(tmp_path / "spark")}
    for name, programme in made.items():
        registered = run("baseline", programme, "claims", "--by", "owner", "--as-of", "2024-03-31")
        assert registered.exit_code == 0, registered
        measured = run("measure", programme, "--as-of", WEEK_8).data
        review = run("review", programme, "--as-of", WEEK_8).data
        gates = [one for one in review["changes"] if one["kind"] == "gate"]
        found[name] = {
            "measured": measured["readings"],
            "gates": [(one["gate"], one["outcome"], one["estimate"], one["upper"], one["guardrails"]) for one in gates],
            "registered": registered.data["summary"],
        }
    assert found["spark"] == found["file"]
    assert found["spark"]["gates"]
    # The session was there before the commands, and is there after them.
    assert spark.sql("SELECT 1").collect()[0][0] == 1
