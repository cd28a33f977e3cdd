"""The first start of several programs at once: one of them pins the ledger, the others wait, and none acts twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gateway.doors import Clock, write
from trueup.enforce.request import Request
from trueup.kernel.errors import ConflictError
from trueup.loop import journal
from trueup.sdk import governed
from trueup.workspace import opened, reading_ledger


def test_all_of_them_come_up_and_share_one_ledger(tmp_path: Path) -> None:
    write(tmp_path)

    def start(n: int) -> str:
        with governed(tmp_path, "payments", clock=Clock()) as gate:
            return str(gate.call(Request("pay", {"amount": 300}), f"s{n}", lambda _: "paid").state)

    with ThreadPoolExecutor(5) as pool:
        states = sorted(pool.map(start, range(5)))
    assert states == ["denied", "denied", "done", "done", "done"], "900 a day, and no more"
    with reading_ledger(tmp_path) as ledger:
        assert sum(1 for _ in ledger.entries("action.finished")) == 3
    assert (tmp_path / "programme.yaml").read_text("utf-8").count("vkey:") == 1


def test_who_only_reads_leaves_alone_what_a_command_has_begun_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with governed(write(tmp_path), "payments", clock=Clock()):
        pass
    begun = tmp_path / ".trueup" / "journal" / "manifest.json"
    answers: Iterator[bool] = iter([False, False])

    def interrupted(state: Path) -> bool:
        # Between one look and the next another process begins to change the programme.
        found = next(answers, True)
        begun.parent.mkdir(exist_ok=True)
        begun.write_text("{}", "utf-8")
        assert state == tmp_path / ".trueup"
        return found

    monkeypatch.setattr(journal, "interrupted", interrupted)
    with opened(tmp_path, lambda *_: None) as bench:
        assert bench.ledger.size() > 0
    assert begun.exists()


def test_a_command_that_takes_too_long_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with journal.exclusive(tmp_path), pytest.raises(ConflictError) as refused, journal.exclusive(tmp_path, 0.1):
        raise AssertionError
    assert refused.value.code == "busy"
