"""The programs that the bench times against each other answer the same question alike: three ways to one number."""

from __future__ import annotations

from pathlib import Path

from bench._loan_log import write_loan_log
from bench._weekly_contenders import with_pandas, with_polars, with_trueup


def test_trueup_pandas_and_polars_agree_in_every_complete_week(tmp_path: Path) -> None:
    log = tmp_path / "loans.parquet"
    write_loan_log(log, 40_000)
    ours, pandas, polars = (contender(log)() for contender in (with_trueup, with_pandas, with_polars))
    assert len(ours) > 90
    assert {week: pandas[week] for week in ours} == ours
    assert {week: polars[week] for week in ours} == ours


def test_the_log_is_the_same_for_the_same_numbers(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_loan_log(tmp_path / name, 2_000)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
