"""One review, or one scan of the logs that it reads: seconds from an opened interpreter, on stdout."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench._large_programme import AS_OF


def review(root: Path) -> None:
    """Open the programme and compute its review; nothing is written."""
    from trueup.kernel.progress import silent
    from trueup.loop.review import compute
    from trueup.workspace import opened

    with opened(root, silent) as bench:
        compute(bench, AS_OF)


def scan(root: Path) -> None:
    """Read every column of every normalised log, in one query a log."""
    import duckdb

    with duckdb.connect() as connection:
        for log in sorted((root / ".trueup" / "cache").rglob("*.parquet")):
            connection.execute("SELECT max(COLUMNS(*)) FROM read_parquet(?)", [str(log)]).fetchall()


def main() -> None:
    """Do what the first argument says with the folder that the second names."""
    work = {"review": review, "scan": scan}[sys.argv[1]]
    began = time.perf_counter()
    work(Path(sys.argv[2]))
    print(time.perf_counter() - began)


main()
