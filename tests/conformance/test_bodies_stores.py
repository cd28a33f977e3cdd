"""What every place promises in which texts lie outside the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from trueup.backends.bodies import FolderBodies
from trueup.backends.postgres_bodies import PostgresBodies
from trueup.enforce.bodies import Bodies
from trueup.kernel.canonical import digest_bytes
from trueup.kernel.errors import StorageError

BODY = b'{"arguments":{"amount":120},"tool":"erp.pay"}'


@pytest.fixture(params=["folder", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Bodies]:
    keys = iter(bytes([n]) * 32 for n in range(9))
    if request.param == "folder":
        return lambda: FolderBodies(tmp_path / "bodies", lambda: next(keys))
    url = request.getfixturevalue("postgres")
    return lambda: PostgresBodies(url, f"{tmp_path}", lambda: next(keys))


def test_what_was_put_is_there_for_everybody(opened: Callable[[], Bodies]) -> None:
    first, second = opened(), opened()
    digest = first.digest(BODY)
    first.put(digest, BODY)
    second.put(digest, BODY)
    assert (second.get(digest), list(second.kept())) == (BODY, [digest])
    assert second.digest(BODY) == digest


def test_a_digest_cannot_be_found_by_trying(opened: Callable[[], Bodies]) -> None:
    """Who has the ledger alone has the digest, and may guess the text: the key is not there."""
    digest = opened().digest(BODY)
    assert digest.startswith("hmac-sha256:")
    assert digest.partition(":")[2] != hashlib.sha256(BODY).hexdigest()
    assert opened().digest(b"yes") != opened().digest(b"no")


def test_digests_from_before_there_was_a_key_are_understood(opened: Callable[[], Bodies]) -> None:
    bodies, plain = opened(), digest_bytes(BODY)
    bodies.put(plain, BODY)
    assert bodies.get(plain) == BODY
    assert bodies.matches(plain, BODY)
    assert bodies.matches(bodies.digest(BODY), BODY)
    assert not bodies.matches(plain, b"other")
    assert not bodies.matches(bodies.digest(BODY), b"other")
    assert plain in set(bodies.kept())


def test_a_text_that_was_altered_is_not_there(opened: Callable[[], Bodies]) -> None:
    bodies = opened()
    digest = bodies.digest(BODY)
    bodies.put(digest, b"something else")
    assert bodies.get(digest) is None
    bodies.put(digest, BODY)
    assert bodies.get(digest) == BODY


def test_what_is_erased_is_gone_and_may_come_again(opened: Callable[[], Bodies]) -> None:
    bodies = opened()
    digest = bodies.digest(BODY)
    bodies.put(digest, BODY)
    assert bodies.erase(digest)
    assert (bodies.get(digest), list(bodies.kept()), bodies.erase(digest)) == (None, [], False)
    bodies.put(digest, BODY)
    assert bodies.get(digest) == BODY


@pytest.mark.parametrize("name", ["", "x", "sha256:", "sha256:" + "g" * 64, "md5:" + "0" * 64, "sha256:../../key"])
def test_what_is_no_digest_is_refused(opened: Callable[[], Bodies], name: str) -> None:
    for call in (lambda: opened().get(name), lambda: opened().erase(name), lambda: opened().put(name, BODY)):
        with pytest.raises(ValueError, match="no digest"):
            call()


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    bodies = FolderBodies(tmp_path, lambda: bytes(32))
    bodies.digest(BODY)
    assert (tmp_path / "digest-key").stat().st_mode & 0o077 == 0
    (tmp_path / "digest-key").write_bytes(b"short")
    with pytest.raises(StorageError, match="damaged"):
        FolderBodies(tmp_path, lambda: bytes(32)).digest(BODY)
