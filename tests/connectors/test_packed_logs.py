"""Compressed and archived logs: found out by their content, read as a stream, refused where they are not whole."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.connectors.conftest import Reader, Refuser
from trueup.connectors.logs.normalise import LogSpec, normalised
from trueup.kernel.errors import DataError
from trueup.kernel.progress import silent

_LOG = b"case,n\n" + b"".join(b"case %d,%d\n" % (number, number * 7919 % 1000) for number in range(2000))


def _zip(**files: bytes) -> bytes:
    return _zip_of(files)


def _zip_of(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.zip", "log"])
def test_the_content_decides_not_the_name(read: Reader, name: str) -> None:
    for content in (_LOG, gzip.compress(_LOG), _zip_of({"a.csv": _LOG}), _zip_of({"in/a.csv.gz": gzip.compress(_LOG)})):
        assert read(content, name).log.rows == 2000


def test_what_archives_carry_along_is_passed_over(read: Reader) -> None:
    inner = _zip_of({"log.csv": _LOG})
    found = read(_zip_of({"log.csv.zip": inner, "x.idp": b"-", "__MACOSX/._log.csv": b"-", "d/": b"", ".x.csv": b"-"}))
    assert found.log.rows == 2000
    assert found.log.notes == ("log.csv: not read, because no log: x.idp, .x.csv.",)


def test_several_logs_in_an_archive_are_refused_by_name(refused: Refuser) -> None:
    error = refused(_zip_of({"a.csv": _LOG, "b.csv": _LOG}), "log.zip")
    assert error.code == "several-files-in-zip"
    assert "'a.csv', 'b.csv'" in error.message


def test_an_archive_without_a_log_is_refused(refused: Refuser) -> None:
    assert refused(_zip_of({"readme.md": b"hello"}), "log.zip").code == "data-empty"
    assert refused(_zip_of({}), "log.zip").code == "data-empty"


def test_an_office_document_is_not_a_table(refused: Refuser) -> None:
    error = refused(_zip_of({"[Content_Types].xml": b"<x/>", "xl/sheet.xml": b"<x/>"}), "log.xlsx")
    assert (error.code, "Save the sheet as CSV" in error.hint) == ("not-a-log", True)


def test_archives_within_archives_end_somewhere(refused: Refuser) -> None:
    content = _LOG
    for _ in range(6):
        content = gzip.compress(content)
    assert refused(content).code == "not-a-log"


def test_a_packed_parquet_file_and_json_are_refused(refused: Refuser) -> None:
    assert refused(gzip.compress(b"PAR1 and so on PAR1"), "log.parquet.gz").code == "not-a-log"
    assert refused(b'[{"case": 1}]', "log.json").code == "not-a-log"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["log.csv.gz", "log.zip"])
def test_a_cut_file_is_truncated(refused: Refuser, name: str, share: float) -> None:
    content = gzip.compress(_LOG) if name.endswith("gz") else _zip_of({"log.csv": _LOG})
    assert refused(content[: int(len(content) * share)], name).code == "truncated"


@pytest.mark.parametrize("name", ["log.csv.gz", "log.zip"])
def test_damage_inside_is_found(refused: Refuser, name: str) -> None:
    content = bytearray(gzip.compress(_LOG) if name.endswith("gz") else _zip_of({"log.csv": _LOG}))
    middle = len(content) // 2
    content[middle] ^= 0xFF
    assert refused(bytes(content), name).code in {"damaged", "truncated", "ragged-rows", "bad-encoding", "not-a-log"}


def test_a_wrong_checksum_is_found(refused: Refuser) -> None:
    content = bytearray(gzip.compress(_LOG))
    content[-8] ^= 0xFF
    assert refused(bytes(content), "log.csv.gz").code == "damaged"


def test_an_encrypted_archive_is_refused(refused: Refuser) -> None:
    content = bytearray(_zip_of({"log.csv": _LOG}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    error = refused(bytes(content), "log.zip")
    assert (error.code, "encrypted" in error.message) == ("not-a-log", True)


def test_an_empty_file_is_refused(refused: Refuser) -> None:
    assert refused(b"").code == "data-empty"
    assert refused(gzip.compress(b""), "log.csv.gz").code == "data-empty"


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        normalised(tmp_path / "none.csv", LogSpec(), tmp_path / "cache", silent)
    assert caught.value.code == "data-not-found"
    with pytest.raises(DataError) as caught:
        normalised(tmp_path, LogSpec(), tmp_path / "cache", silent)
    assert caught.value.code == "not-a-log"
