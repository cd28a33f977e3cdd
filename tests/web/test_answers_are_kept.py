"""Answers are computed once while nothing has changed; a change shows at once; long work is not done without end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.web.consoles import HandClock
from trueup.web.site import Site


def counted(site: Site, given: str | None = None) -> Any:
    """Ask for an answer that counts how often it was computed."""
    calls: list[int] = site.remembered("calls", list)

    def compute() -> int:
        calls.append(1)
        return len(calls)

    return site.kept("answer", site.look(given), compute)


@pytest.fixture
def site(copied: Path) -> Site:
    return Site(copied, HandClock())


def note(root: Path) -> None:
    with (root / ".trueup" / "ledger.db").open("ab") as record:
        record.write(b"\0")


def test_the_same_look_is_computed_once(site: Site) -> None:
    assert [counted(site) for _ in range(3)] == [1, 1, 1]
    assert [counted(site, "2024-05-01"), counted(site, "2024-05-02"), counted(site, "2024-05-01")] == [2, 3, 2]


def test_a_changed_file_and_a_new_entry_are_seen_at_once(site: Site) -> None:
    counted(site)
    file = site.root / "data" / "claims.csv"
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    assert counted(site) == 2
    note(site.root)
    assert counted(site) == 3


def test_now_moves_on_after_a_minute(site: Site) -> None:
    clock = site.clock
    assert isinstance(clock, HandClock)
    first = site.look(None)
    clock.at += timedelta(seconds=59)
    assert site.look(None) == first
    clock.at += timedelta(seconds=2)
    assert site.look(None).as_of == clock.at


def test_while_answers_take_long_new_entries_wait_and_changed_files_do_not(site: Site) -> None:
    clock = site.clock
    assert isinstance(clock, HandClock)
    site._longest = timedelta(seconds=10)
    counted(site)
    note(site.root)
    assert counted(site) == 1
    (site.root / "programme.yaml").write_text((site.root / "programme.yaml").read_text("utf-8") + "# more\n", "utf-8")
    assert counted(site) == 2
    note(site.root)
    clock.at += timedelta(seconds=201)
    assert counted(site) == 3
