"""The key file: made once, for its owner alone, never used when others can read it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.ledger.logs import ORIGIN, SIGNER, VKEY
from trueup.kernel.errors import LedgerBrokenError, StorageError, UsageError
from trueup.ledger.keys import check_pin, default_origin, new_signer, parse_key, read_key, store_key
from trueup.ledger.note import Signer, checked_name


def test_a_key_is_stored_for_its_owner_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    assert read_key(path) is None
    assert store_key(path, SIGNER).verifier.text == VKEY
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key"]
    again = read_key(path)
    assert again is not None
    assert again.verifier.text == VKEY


def test_a_key_that_is_there_is_kept(tmp_path: Path) -> None:
    store_key(tmp_path / "key", SIGNER)
    assert store_key(tmp_path / "key", new_signer(ORIGIN)).verifier.text == VKEY


def test_of_many_who_make_a_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    got: list[str] = []
    threads = [
        threading.Thread(target=lambda: got.append(store_key(tmp_path / "key", new_signer(ORIGIN)).text))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    store_key(tmp_path / "key", SIGNER)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(StorageError, match="Others may read") as refused:
        read_key(tmp_path / "key")
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("content", ["", "nonsense", SIGNER.text[:-6], VKEY])
def test_a_key_that_is_none_is_refused_without_quoting_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(LedgerBrokenError, match="cannot be used") as refused:
        read_key(tmp_path / "key")
    assert not content or content.rsplit("+", 1)[-1] not in refused.value.message


def test_a_key_that_cannot_be_read_or_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_key(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        store_key(tmp_path / "file" / "key", SIGNER)


def test_a_key_from_the_environment_is_the_same_text() -> None:
    assert parse_key(f" {SIGNER.text}\n", "env:TRUEUP_LEDGER_KEY").verifier.text == VKEY


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_an_origin_that_cannot_name_a_key(origin: str) -> None:
    with pytest.raises(UsageError, match="origin"):
        new_signer(origin)


@pytest.mark.parametrize(
    ("folder", "origin"),
    [
        ("acme", "acme.trueup.local/ledger"),
        ("Acme Co. (UK)+1", "acme-co.-uk-1.trueup.local/ledger"),
        ("\u4e16\u754c", "programme.trueup.local/ledger"),
        ("", "programme.trueup.local/ledger"),
    ],
)
def test_every_folder_gives_a_usable_origin(folder: str, origin: str) -> None:
    assert default_origin(folder) == origin
    assert checked_name(origin) == origin


def test_the_pinned_key_has_to_be_ours() -> None:
    check_pin(SIGNER, VKEY)
    for vkey in (Signer(ORIGIN, bytes(32)).verifier.text, SIGNER.renamed("other.example/x").verifier.text):
        with pytest.raises(LedgerBrokenError, match=r"but programme\.yaml pins"):
            check_pin(SIGNER, vkey)
    with pytest.raises(LedgerBrokenError, match="vkey"):
        check_pin(SIGNER, "nonsense")
