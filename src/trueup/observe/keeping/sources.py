"""What is asked of a source as it lies: how full it is, how it is written, how fresh. Kept like the cases."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.kernel.canonical import canonical
from trueup.kernel.clock import format_instant, parse_instant
from trueup.ledger.records import FieldProfile, Profile
from trueup.observe.formats import Mixture, Writing, writings
from trueup.observe.keeping.answers import named
from trueup.observe.profiles import Profiler, described, duplicates, newest, reader_of, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.observe.engine import Engine
    from trueup.observe.keeping.answers import Answers

_LAST = "9999-12-31T23:59:59Z"


@dataclass(frozen=True, slots=True)
class Sources:
    """Answers about the declared sources, each computed once.

    After the last event of a source nothing changes with the instant of the question: such questions have one answer.
    Every method raises NotFoundError for data that are not declared, DataError for a source that cannot be read.
    """

    programme: Programme
    engine: Engine
    answers: Answers
    _found: dict[tuple[str, ...], Any] = field(default_factory=dict, init=False, repr=False)

    def newest(self, data: str, as_of: datetime) -> str | None:
        """Return the ISO instant of the newest event of a source up to `as_of`; None without events or times."""
        source, reader = described(self.programme, data), reader_of(self.programme, data)

        def until(instant: datetime) -> str | None:
            return newest(self.engine, data, reader, instant, source.fields)

        last: str | None = self._asked(data, ("newest",), lambda: until(parse_instant(_LAST)))
        if last is None or parse_instant(last) <= as_of:
            return last
        found: str | None = self._asked(data, ("newest", format_instant(as_of)), lambda: until(as_of))
        return found

    def profile(self, data: str, as_of: datetime, joint: Sequence[tuple[str, ...]], digest: str) -> Profile:
        """Return how the declared fields are filled; see `Profiler`."""
        profiler = Profiler(self.engine, data, described(self.programme, data), reader_of(self.programme, data), as_of)
        question = ("profile", self._until(data, as_of), json.dumps(joint))
        return _profile(
            self._asked(data, question, lambda: _profiled(profiler.profile(joint, ""), joint)), joint, digest
        )

    def writings(self, data: str, as_of: datetime) -> list[Writing]:
        """Return how each declared field that holds text is written; see `writings`."""
        found = self._asked(
            data,
            ("writings", self._until(data, as_of)),
            lambda: [asdict(one) for one in writings(self.engine, self.programme, data, as_of)],
        )
        return [Writing(one["field"], one["n"], tuple(map(_mixture, one["mixtures"]))) for one in found]

    def rows(self, data: str, as_of: datetime) -> int:
        """Return how many rows are about instants up to `as_of`; all where no workflow says when they were."""

        def count() -> int:
            source, reader = described(self.programme, data), reader_of(self.programme, data)
            rows = visible(self.engine, data, reader, as_of, source.fields)
            return int(self.engine.fetch(rows.aggregate(n=rows.count())).to_pylist()[0]["n"])

        return int(self._asked(data, ("rows", self._until(data, as_of)), count))

    def duplicates(self, data: str) -> int:
        """Return how many rows of a source repeat another one in every column."""
        return int(self._asked(data, ("duplicates",), lambda: duplicates(self.engine, data)))

    def _until(self, data: str, as_of: datetime) -> str:
        """Return the instant that an answer depends on: none at all, where the source holds nothing later."""
        last = self._last(data)
        return "" if last is None or parse_instant(last) <= as_of else format_instant(as_of)

    def _last(self, data: str) -> str | None:
        return self.newest(data, parse_instant(_LAST))

    def _asked(self, data: str, question: tuple[str, ...], compute: Callable[[], Any]) -> Any:
        key = (data, *question)
        if key not in self._found:
            self._found[key] = self._kept(data, question, compute)
        return self._found[key]

    def _kept(self, data: str, question: tuple[str, ...], compute: Callable[[], Any]) -> Any:
        declared = self.programme.file.data.get(data)
        in_a_file = declared is not None and isinstance(declared.source, str)
        content = self.answers.content(data) if in_a_file else None
        if content is None:
            return compute()
        subject = f"{question[0]} of {data}"
        name = named(content, [*map(repr, (declared, reader_of(self.programme, data))), *question])
        kept = self.answers.get(subject, name)
        if kept is not None:
            return json.loads(kept)
        answer = compute()
        self.answers.put(subject, name, canonical(answer))
        return answer


def _profiled(profile: Profile, joint: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    fields = [asdict(one) for one in profile.fields.values()]
    together = {"joint": [profile.joint[names] for names in joint]}
    together["joint_valid"] = [profile.joint_valid[names] for names in joint]
    return {**asdict(profile), "fields": fields, **together}


def _profile(kept: dict[str, Any], joint: Sequence[tuple[str, ...]], digest: str) -> Profile:
    fields = {one["name"]: FieldProfile(**{**one, **_examples(one)}) for one in kept["fields"]}
    return Profile(
        data=kept["data"],
        per=kept["per"],
        records=kept["records"],
        fields=fields,
        digest=digest,
        newest=kept["newest"],
        joint=dict(zip(joint, kept["joint"], strict=True)),
        joint_valid=dict(zip(joint, kept["joint_valid"], strict=True)),
    )


def _examples(one: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(one[name]) for name in ("examples_missing", "examples_invalid")}


def _mixture(one: dict[str, Any]) -> Mixture:
    return Mixture(one["field"], one["what"], tuple(one["examples"]), one["share"])
