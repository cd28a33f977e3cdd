"""The end of a log, read once for all who follow it: the same entries as the log itself gives, at every look."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.logs import START, note, open_log
from trueup.kernel.errors import LedgerBrokenError
from trueup.ledger.entry import Entry, Recorded
from trueup.ledger.upkeep import tail as module
from trueup.ledger.upkeep.tail import Tail

KINDS = ("note.recorded", "kill.switched", "action.intended", "action.judged")


def entry(n: int, kind: str) -> Entry:
    return Entry(kind, f"{kind}/{n}", START, None, {"text": '"type":"kill.switched"}'})


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(st.sampled_from(KINDS), max_size=6), max_size=4), st.integers(0, 3))
def test_whoever_follows_sees_what_the_log_has(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[str]], before: int
) -> None:
    with closing(open_log(tmp_path_factory.mktemp("tail") / "ledger.db")) as log:
        log.append([note(n) for n in range(before)])
        tail, n = Tail(log), 0
        with pytest.MonkeyPatch.context() as patch:
            # So few are kept that all ways of finding them are taken.
            patch.setattr(module, "_KEPT", 3)
            for kinds in steps:
                for kind in kinds:
                    log.append([entry(n, kind)])
                    n += 1
                assert tail.look() == tail.size() == log.size()
                for wanted in (None, *KINDS):
                    for after in (None, *range(-1, log.size())):
                        want = list(log.entries(wanted, after=after))
                        assert list(tail.entries(wanted, after=after)) == want, (wanted, after)


def test_what_was_written_since_is_seen_at_the_next_look(tmp_path: Path) -> None:
    with closing(open_log(tmp_path / "ledger.db")) as log, closing(open_log(tmp_path / "ledger.db")) as other:
        tail = Tail(log)
        assert (tail.look(), list(tail.entries())) == (0, [])
        other.append([note(0)])
        assert (tail.size(), list(tail.entries())) == (0, [])
        assert tail.look() == 1
        assert [item.id for item in tail.entries("note.recorded")] == ["note/0"]


def test_an_entry_that_says_nothing_is_damage_when_it_is_read() -> None:
    item = Recorded(3, b'{"half')
    with pytest.raises(LedgerBrokenError, match="damaged"):
        _ = item.entry
