"""Texts that the ledger names by digest: how long they may stay, how they go, and that no proof changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.enforce.governed import NOW, Clock, Tool, pay, write
from tests.running import run_trueup
from trueup.backends.bodies import FolderBodies
from trueup.enforce.approvals import Ask
from trueup.enforce.keeping.retention import Kept, erase, retention_of, stock
from trueup.enforce.policy import compile_policy
from trueup.kernel.errors import NotFoundError
from trueup.kernel.progress import silent
from trueup.sdk import governed
from trueup.workspace import approval_desk, opened, stores

RULES = """\
data:
  payments: {source: data/payments.csv, sensitivity: confidential}
sensitivity:
  confidential: {mask: [email], models: [on-premises], retain: 30d}
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    programme = write(tmp_path / "programme", "approve")
    with (programme / "programme.yaml").open("a") as file:
        file.write(RULES)
    with (programme / "workflows" / "payments.yaml").open("a") as file:
        file.write("events: {data: payments}\n")
    return programme


def held(root: Path, clock: Clock, step: str = "one", amount: int = 120) -> str:
    with governed(root, "payments", clock=clock) as gate:
        outcome = gate.call(pay(amount), step, Tool())
    assert outcome.approval is not None
    return outcome.approval


def standing(root: Path, clock: Clock) -> list[Kept]:
    with opened(root, silent, clock=clock) as bench:
        return stock(approval_desk(bench), clock.now())


def test_a_text_waits_is_kept_and_falls_due(root: Path, clock: Clock) -> None:
    held(root, clock)
    (kept,) = standing(root, clock)
    assert (kept.state, kept.workflow, kept.level) == ("waiting", "payments", "confidential")
    clock.move(days=3)
    assert standing(root, clock)[0].state == "kept"
    clock.move(days=28)
    (due,) = standing(root, clock)
    assert (due.state, due.until) == ("due", NOW + timedelta(days=30))


def test_the_ledger_never_holds_a_digest_that_can_be_guessed(root: Path, clock: Clock) -> None:
    held(root, clock)
    with opened(root, silent, clock=clock) as bench:
        digests = [item.entry.data.get("digest") for item in bench.ledger.entries()]
    assert pay(120).digest not in digests
    assert any(str(digest).startswith("hmac-sha256:") for digest in digests)


def test_erasing_leaves_a_tombstone_and_every_proof(root: Path, clock: Clock) -> None:
    held(root, clock)
    before = run_trueup("ledger", "verify", root, "--json").data
    (kept,) = standing(root, clock)
    ran = run_trueup("ledger", "erase", root, kept.digest, "--by", "lead", "--because", "asked for", "--json")
    assert run_trueup("ledger", "entry", root, str(ran.data["tombstone"]), "--json").data["entry"]["data"] == {
        "digest": kept.digest,
        "because": "asked for",
        "entry": kept.entry,
    }
    after = run_trueup("ledger", "verify", root, "--json").data
    assert (after["ok"], after["uncovered"], after["size"]) == (True, 0, before["size"] + 1)
    assert standing(root, clock) == []
    waiting = run_trueup("approvals", "list", root, "--as-of", "2024-05-06T12:30:00Z", "--json").data["approvals"]
    assert [item["arguments"] for item in waiting] == [None]
    again = run_trueup("ledger", "erase", root, kept.digest, "--by", "lead", "--because", "asked for", "--json")
    assert again.data == ran.data


def test_a_crash_between_tombstone_and_text_is_finished(root: Path, clock: Clock) -> None:
    held(root, clock)
    with opened(root, silent, write=True, clock=clock) as bench:
        bodies = approval_desk(bench).bodies
        (digest,) = bodies.kept()
        body = bodies.get(digest)
        assert body is not None
        erase(bench.ledger, bodies, digest, "lead", "asked for", clock.now())
        bodies.put(digest, body)
    assert [kept.state for kept in standing(root, clock)] == ["tombstone"]
    shown = run_trueup("ledger", "retain", root, "--json").data
    assert ([item["state"] for item in shown["bodies"]], shown["erased"]) == (["tombstone"], [])
    done = run_trueup("ledger", "retain", root, "--erase", "--by", "lead", "--json").data
    assert ([item["state"] for item in done["erased"]], done["bodies"]) == (["erased"], [])


def test_nothing_goes_without_being_told_and_only_what_is_due(root: Path, clock: Clock) -> None:
    """Both were held in 2024, long ago by the machine's clock; one has a rule, the other's workflow has none."""
    held(root, clock, "one", 120)
    shown = run_trueup("ledger", "retain", root, "--json").data["bodies"]
    assert [item["state"] for item in shown] == ["due"]
    assert "1 text kept, 1 to be erased." in run_trueup("ledger", "retain", root).out
    assert run_trueup("ledger", "retain", root, "--erase", "--json").exit_code == 2
    refused = run_trueup("ledger", "retain", root, "--erase", "--by", "nobody", "--json")
    assert (refused.exit_code, refused.error["code"]) == (4, "unknown-person")
    assert len(standing(root, clock)) == 1
    (root / "programme.yaml").write_text((root / "programme.yaml").read_text().replace(", retain: 30d", ""))
    done = run_trueup("ledger", "retain", root, "--erase", "--by", "lead", "--json").data
    assert ([item["state"] for item in done["bodies"]], done["erased"]) == (["unruled"], [])


def test_the_same_arguments_later_are_another_text_with_a_tombstone_of_its_own(root: Path, clock: Clock) -> None:
    held(root, clock, "one")
    (digest,) = [kept.digest for kept in standing(root, clock)]
    erased = ("ledger", "erase", root, digest, "--by", "lead", "--because", "asked for", "--json")
    first = run_trueup(*erased).data["tombstone"]
    held(root, clock, "two")
    assert [(kept.digest, kept.state) for kept in standing(root, clock)] == [(digest, "waiting")]
    assert run_trueup(*erased).data["tombstone"] > first
    assert standing(root, clock) == []


def test_what_nobody_names_is_said_and_what_is_not_there_refused(root: Path, clock: Clock) -> None:
    held(root, clock)
    with opened(root, silent, write=True, clock=clock) as bench:
        bodies = approval_desk(bench).bodies
        bodies.put(bodies.digest(b"alone"), b"alone")
        with pytest.raises(NotFoundError):
            erase(bench.ledger, bodies, "sha256:" + "0" * 64, "lead", "why", clock.now())
    assert sorted(kept.state for kept in standing(root, clock)) == ["unnamed", "waiting"]
    ran = run_trueup("ledger", "erase", root, "no digest", "--by", "lead", "--because", "why", "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "no-such-body")
    ran = run_trueup("ledger", "erase", root, "x", "--by", "lead", "--because", "  ", "--json")
    assert (ran.exit_code, ran.error["code"]) == (2, "no-reason")


def test_of_several_levels_the_shortest_counts(root: Path, clock: Clock) -> None:
    text = (root / "programme.yaml").read_text()
    (root / "programme.yaml").write_text(text + "  secret: {retain: 7d}\n")
    with opened(root, silent, clock=clock) as bench:
        assert retention_of(bench.programme, "payments") == ("confidential", timedelta(days=30))
        assert retention_of(bench.programme, "elsewhere") is None


def test_a_yes_holds_over_the_change_to_keyed_digests(
    root: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was held before digests were keyed is the same step still, and runs after a yes."""
    with monkeypatch.context() as earlier:
        earlier.setattr(stores, "bodies_of", lambda *_: FolderBodies(root / ".trueup" / "bodies"))
        approval = held(root, clock)
    assert standing(root, clock)[0].digest == pay(120).digest
    tool = Tool()
    with governed(root, "payments", clock=clock) as gate:
        assert gate.call(pay(120), "one", tool).state == "held"
        with opened(root, silent, write=True, clock=clock) as bench:
            desk, policy = approval_desk(bench), compile_policy(bench.programme, "payments")
            desk.decide(Ask(approval, "accept", "lead"), policy, clock.now(), lambda _: {"claimed": "lead"})
        assert gate.resume(approval, tool).state == "done"
    assert len(tool.calls) == 1
