"""Tokens stand for values and come back as them; what cannot be masked does not go on."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.enforce.masking.finder import Found, MaskingError, apart, fold
from trueup.enforce.masking.payload import Masking
from trueup.enforce.masking.stream import HELD, StreamMasking
from trueup.enforce.masking.tokens import Vault

KEY = b"a key of a vault in a test"


class Codes:
    """Finds codes such as X123 as `email`, whatever stands around them."""

    def find(self, text: str) -> list[Found]:
        return [Found("email", match.start(), match.end()) for match in re.finditer(r"X\d{3}", text)]


class Broken:
    def find(self, text: str) -> list[Found]:
        raise RuntimeError(text)


def masking(finder: Any = None) -> Masking:
    return Masking(finder or Codes(), Vault(KEY))


def test_one_value_has_one_token_and_another_vault_has_another() -> None:
    first, other = Vault(KEY), Vault(b"another key of another vault")
    assert first.token("email", "a@example.org") == first.token("email", "a@example.org")
    assert first.token("email", "a@example.org") != first.token("email", "b@example.org")
    assert first.token("email", "a@example.org") != other.token("email", "a@example.org")
    assert "example" not in first.token("email", "a@example.org")


def test_a_token_that_was_never_given_is_refused() -> None:
    with pytest.raises(MaskingError) as refused:
        Vault(KEY).restore("send it to [[email:0123456789abcdef]]")
    assert refused.value.code == "unknown-token"


def test_a_weak_key_is_refused() -> None:
    with pytest.raises(MaskingError, match="16 bytes"):
        Vault(b"short")


def test_texts_keys_and_numbers_of_a_payload_are_masked_and_come_back() -> None:
    one = masking()
    payload: dict[str, Any] = {"to": "X123", "list": ["hello", {"X456": 1}], "n": 5, "on": True, "none": None}
    masked: Any = one.json(payload)
    assert "X123" not in str(masked)
    assert "X456" not in str(masked)
    assert masked["n"] == 5
    assert masked["on"] is True
    assert one.restore(masked) == payload


def test_a_key_is_context_for_its_value_and_never_part_of_what_is_replaced() -> None:
    class Behind:
        def find(self, text: str) -> list[Found]:
            return [Found("nino", 0, len(text))] if text.startswith("ni number: ") else []

    vault = Vault(KEY)
    assert Masking(Behind(), vault).json({"ni_number": 123456}) == {"ni_number": next(iter(vault.known()))}


def test_names_of_files_are_read_as_words() -> None:
    assert "X123" not in masking(re_words()).text("scan_X123_final.pdf")


def re_words() -> Any:
    class Words:
        def find(self, text: str) -> list[Found]:
            return [Found("nino", match.start(), match.end()) for match in re.finditer(r"\bX\d{3}\b", text)]

    return Words()


@pytest.mark.parametrize("hidden", ["X\u200b123", "X１２３", "X1\u00ad2\u200d3"])
def test_what_is_invisible_or_looks_alike_hides_nothing(hidden: str) -> None:
    masked = masking().text(f"it is {hidden}, as said")
    assert hidden not in masked
    assert masked.startswith("it is [[email:")
    assert masked.endswith("]], as said")


def test_what_fails_inside_fails_the_call() -> None:
    with pytest.raises(MaskingError) as refused:
        masking(Broken()).text("secret words")
    assert refused.value.code == "masking-failed"
    assert "secret words" not in str(refused.value)


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = "X123"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(MaskingError, match="nested"):
        masking().json(deep)


@given(st.text(max_size=60))
def test_folding_keeps_a_place_for_every_character_it_keeps(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.origin)
    for start in range(len(folded.text)):
        first, last = folded.original(start, start + 1)
        assert 0 <= first < last <= len(text)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=12))
def test_findings_that_overlap_leave_one(spans: list[tuple[int, int]]) -> None:
    kept = apart(Found("email", start, start + length) for start, length in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(kept))
    assert bool(kept) == bool(spans)


PIECES = st.lists(st.sampled_from(["X123", " ", "word", "\n", "X", "12", "3 ", "a" * 50, "é", "[["]), max_size=120)


@given(PIECES, st.integers(1, 40))
def test_a_stream_says_what_the_whole_would_say_however_it_is_cut(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    stream = StreamMasking(masking())
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join([*(stream.push(piece) for piece in cut), stream.finish()]) == masking().text(text)


@given(st.integers(0, 400), st.integers(1, 30))
def test_a_stream_never_lets_a_finding_through_in_two_parts(before: int, size: int) -> None:
    text = "w " * before + "X123 and so on " + "w " * HELD
    stream, out = StreamMasking(masking()), ""
    for at in range(0, len(text), size):
        out += stream.push(text[at : at + size])
        assert "X12" not in out
    assert "X123" not in out + stream.finish()


@given(st.text(alphabet="X0123456789 ab_[]:", max_size=80))
def test_what_was_masked_comes_back_as_it_was(text: str) -> None:
    one = masking()
    assert one.vault.restore(one.text(text)) == text
