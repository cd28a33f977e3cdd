"""A log of a few lines, read from a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from trueup.connectors.logs.normalise import LogSpec, NormalisedLog, normalised
from trueup.kernel.errors import DataError
from trueup.kernel.progress import silent


@dataclass(frozen=True)
class Read:
    """A log that was read, and the rows of its file."""

    log: NormalisedLog
    table: pa.Table

    def column(self, name: str) -> list[Any]:
        """Return the values of a column, in the order of the source."""
        values: list[Any] = self.table.column(name).to_pylist()
        return values


Reader = Callable[..., Read]
Refuser = Callable[..., DataError]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read text or bytes as a log: `read(text, "log.csv", times=("at",), zone="UTC")`."""

    def act(content: str | bytes, name: str = "log.csv", **spec: Any) -> Read:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        log = normalised(path, LogSpec(**spec), tmp_path / "cache", silent)
        return Read(log, pq.read_table(log.path))

    return act


@pytest.fixture
def refused(read: Reader, tmp_path: Path) -> Refuser:
    """Read text or bytes as a log that must be refused; return the refusal."""

    def act(content: str | bytes, name: str = "log.csv", **spec: Any) -> DataError:
        before = set((tmp_path / "cache").glob("*"))
        with pytest.raises(DataError) as caught:
            read(content, name, **spec)
        assert caught.value.hint, "a refusal says the way out"
        left = set((tmp_path / "cache").glob("*")) - before - {tmp_path / "cache" / "digests"}
        assert not left, "nothing half-written stays behind"
        return caught.value

    return act
