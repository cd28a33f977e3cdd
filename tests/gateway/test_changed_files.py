"""Whatever a gate is made from is looked at before each action: no change of a file escapes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.gateway.doors import write
from trueup.declare.programme import Programme
from trueup.declare.read import read_programme
from trueup.sdk.stamps import Stamps


def made(root: Path) -> Programme:
    write(root)
    (root / "policies" / "deeper").mkdir(parents=True)
    (root / "policies" / "a.cedar").write_text("// a")
    (root / "policies" / "deeper" / "b.cedar").write_text("// b")
    return read_programme(root, date(2024, 5, 6)).programme


CHANGES: dict[str, Callable[[Path], object]] = {
    "the programme": lambda root: (root / "programme.yaml").write_text("programme: Another\n"),
    "the workflow": lambda root: (root / "workflows" / "payments.yaml").unlink(),
    "a policy": lambda root: (root / "policies" / "a.cedar").write_text("// c and more"),
    "a policy deeper down": lambda root: (root / "policies" / "deeper" / "b.cedar").write_text("// of another size"),
    "a new policy": lambda root: (root / "policies" / "deeper" / "c.cedar").write_text(""),
    "no policies": lambda root: (root / "policies").rename(root / "gone"),
    "another in its place": lambda root: (root / "policies" / "a.cedar").rename(root / "policies" / "z.cedar"),
    "the same size at another time": lambda root: os.utime(root / "policies" / "a.cedar", ns=(5, 5)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_shows(what: str, tmp_path: Path) -> None:
    programme = made(tmp_path)
    stamps = Stamps(tmp_path, "payments")
    before = stamps.now(programme)
    assert stamps.now(programme) == before
    CHANGES[what](tmp_path)
    assert stamps.now(programme) != before


def test_a_link_that_leads_back_is_followed_nowhere(tmp_path: Path) -> None:
    programme = made(tmp_path)
    (tmp_path / "policies" / "deeper" / "up").symlink_to(tmp_path / "policies")
    found = [path for path, *_ in Stamps(tmp_path, "payments").now(programme)]
    assert len(found) == len(set(found)) == 7
