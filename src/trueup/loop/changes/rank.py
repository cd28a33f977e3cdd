"""A use case whose place, or whose selection, measured evidence overturned (PORT04)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.declare.programme import PROGRAMME_FILE, use_case_file
from trueup.kernel.canonical import digest
from trueup.loop.permission import may_change_strategy
from trueup.loop.rankings.overturned import overturning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from trueup.declare.programme import Programme
    from trueup.loop.changes.assumption import AssumptionChange
    from trueup.loop.changes.change import Chain, Edit
    from trueup.loop.rankings.overturned import Overturning, Place
    from trueup.loop.workbench import Workbench


@dataclass(frozen=True, slots=True)
class RankChange:
    """One use case in another place than was decided. `rests_on` are assumptions that the same review proposes."""

    id: str
    whole: Overturning
    because: str
    assumptions: tuple[str, ...]
    rests_on: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Always `rank`."""
        return "rank"

    @property
    def was(self) -> Place:
        """Where it stood in the ranking that was decided."""
        return self.whole.before[self.id]

    @property
    def now(self) -> Place:
        """Where what was learned puts it."""
        return self.whole.after[self.id]

    def fingerprint(self) -> str:
        """Digest of the places, the selection and the assumptions found out about; never of the probabilities."""
        return digest(
            {
                "kind": self.kind,
                "id": self.id,
                "from": self.was.place,
                "to": self.now.place,
                "selected": [self.was.selected, self.now.selected],
                "assumptions": list(self.assumptions),
            }
        )

    def waivable(self) -> tuple[str, ...]:
        """Nothing: a ranking is taken or declined."""
        return ()

    def outcome(self, waived: Sequence[str]) -> str:  # noqa: ARG002 -- the signature of every change
        """`selected`, `left out`, or `moved` where the selection stays."""
        if self.was.selected == self.now.selected:
            return "moved"
        return "selected" if self.now.selected else "left out"

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:  # noqa: ARG002 -- every change answers the same questions
        """Coordination, the sponsor, or anybody who decides."""
        return may_change_strategy(programme)

    def edits(
        self,
        programme: Programme,  # noqa: ARG002 -- every change answers the same questions
        by: str,  # noqa: ARG002 -- as above
        on: date,  # noqa: ARG002 -- as above
        waived: Sequence[str],  # noqa: ARG002 -- as above
    ) -> list[Edit]:
        """Nothing by itself: `apply` writes the order that follows from all of them together."""
        return []

    def to_json(self) -> dict[str, Any]:
        """Return the published form of a rank change."""
        return {
            "kind": self.kind,
            "id": self.id,
            "subject": self.id,
            "from": self.was.place,
            "to": self.now.place,
            "p_funded": round(self.now.p_funded, 3),
            "p_funded_from": round(self.was.p_funded, 3),
            "selected": self.now.selected,
            "selected_from": self.was.selected,
            "success": round(self.now.success, 4),
            "success_from": round(self.was.success, 4),
            "expected_net": _rounded(self.now.net),
            "expected_net_from": _rounded(self.was.net),
            "because": self.because,
            "assumptions": list(self.assumptions),
            "rests_on": list(self.rests_on),
            "finding": "PORT04",
            "evidence": [],
            "fingerprint": self.fingerprint(),
        }

    def chain(self) -> Chain:
        """Return both rankings with what each rests on, and the sum by which places are given."""
        inputs = {
            "decided": self.whole.decided.to_json(),
            "present": self.whole.present.to_json(),
            "places": {name: _step(self.whole, name) for name in self.whole.order()},
        }
        expression = (
            f"chance {self.was.success:.4g} -> {self.now.success:.4g}, "
            f"expected net {_shown(self.was.net)} -> {_shown(self.now.net)}, "
            f"P(funded) {self.was.p_funded:.3f} -> {self.now.p_funded:.3f}"
        )
        declared = [PROGRAMME_FILE, "assumptions", self.assumptions[0]] if self.assumptions else []
        return {
            "readings": [],
            "inputs": inputs,
            "formula": {
                "name": "place by P(funded), then by expected net value; the same draws on both sides",
                "expression": expression,
                "inputs": inputs,
            },
            "declared": declared or [use_case_file(self.id), "feasibility"],
        }


def rank_changes(bench: Workbench, as_of: datetime, proposed: Sequence[AssumptionChange]) -> Iterator[RankChange]:
    """Yield what the evidence overturned since the ranking decided last: what it is about first, then what follows.

    `proposed` are the assumptions that this review asks about: a ranking that follows from them stands beside them.
    """
    asked = {change.id: None if change.verdict.holds else change.verdict.measured for change in proposed}
    whole = overturning(bench, as_of, asked)
    if whole is None:
        return
    overturned = sorted(whole.overturned(), key=lambda name: not whole.moved_by_evidence(name))
    for name in overturned:
        found = _assumptions(bench.programme, whole, name)
        chance = f"its chance {whole.before[name].success:.2f} -> {whole.after[name].success:.2f}"
        reasons = [*_beliefs(whole, found), *_data(bench.programme, whole, name), chance]
        if not whole.moved_by_evidence(name):
            others = [other for other in overturned if whole.moved_by_evidence(other)]
            found = tuple(sorted({one for other in others for one in _assumptions(bench.programme, whole, other)}))
            room = "makes room for it" if whole.after[name].selected else "takes its room"
            reasons = [f"what was learned about {', '.join(others) or 'others'} {room}"]
        yield RankChange(name, whole, "; ".join(reasons), found, tuple(belief for belief in found if belief in asked))


def _assumptions(programme: Programme, whole: Overturning, name: str) -> tuple[str, ...]:
    was, now = whole.decided.false, whole.present.false
    changed = {belief for belief in {*was, *now} if was.get(belief) != now.get(belief)}
    beliefs = programme.file.assumptions
    return tuple(sorted(one for one in changed if one in beliefs and name in beliefs[one].supports))


def _beliefs(whole: Overturning, beliefs: Sequence[str]) -> Iterator[str]:
    for belief in beliefs:
        if belief in whole.present.false:
            yield f"the assumption {belief} is false ({whole.present.false[belief]:.3g} measured)"
        else:
            yield f"the assumption {belief} holds again"


def _data(programme: Programme, whole: Overturning, name: str) -> Iterator[str]:
    feasibility = programme.use_cases[name].feasibility
    source = str(feasibility.data if feasibility else "").removeprefix("data.")
    was, now = whole.decided.readiness.get(source), whole.present.readiness.get(source)
    then, today = (None if one is None else f"{one:.2f}" for one in (was, now))
    if then != today:
        before = "not measured before" if then is None else f"{then} before"
        yield f"readiness of data.{source} is {'not known' if today is None else today}, {before}"


def _step(whole: Overturning, name: str) -> str:
    was, now = whole.before[name], whole.after[name]
    chosen = "in" if now.selected else "out"
    return f"{was.place} -> {now.place}, P(funded) {was.p_funded:.2f} -> {now.p_funded:.2f}, {chosen}"


def _rounded(net: float | None) -> float | None:
    return None if net is None else round(net, 2)


def _shown(net: float | None) -> str:
    return "not known" if net is None else f"{net:,.0f}"
