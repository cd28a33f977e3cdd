"""The parts of readiness, measured: what is declared of a source against what its records hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import DataError
from trueup.observe.profiles import described, reader_of
from trueup.observe.readiness.record import Part, Readiness, not_asked

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from trueup.declare.model.data import DataSource
    from trueup.ledger.records import Profile
    from trueup.observe.formats import Writing
    from trueup.observe.keeping.sources import Sources

_NOTHING_DECLARED = "no field is declared under `fields` or `expects`, so nothing says what has to be there"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the declarations ask of the records: fields that have to be there, those with an expectation, labels."""

    required: tuple[str, ...]
    expected: tuple[str, ...]
    labels: str | None

    @classmethod
    def of(cls, source: DataSource) -> Asked:
        """Read it from a source. The field of the labels is asked for by its number alone."""
        labels = source.labels.field if source.labels else None
        names = dict.fromkeys([*source.fields, *source.expects])
        required = tuple(name for name in names if name != labels or name in source.expects)
        return cls(required, tuple(source.expects), labels)

    @property
    def together(self) -> list[tuple[str, ...]]:
        """The tuples of fields to be counted together."""
        labels = (self.labels,) if self.labels else ()
        return [fields for fields in (self.required, self.expected, labels) if fields]


def readiness_of(sources: Sources, data: str, as_of: datetime, digest: str) -> Readiness:
    """Return how ready a source was at an instant.

    A declared column that the source lacks makes the parts about fields unknown, and no others.
    Raises NotFoundError for data that are not declared, DataError for a source that cannot be read.
    """
    source = described(sources.programme, data)
    asked = Asked.of(source)
    rows = sources.rows(data, as_of)
    try:
        profile = sources.profile(data, as_of, asked.together, digest)
        writing = sources.writings(data, as_of)
    except DataError as error:
        if error.code not in {"missing-column", "bad-pattern"}:
            raise
        why = error.message.rstrip(".")
        lost = [Part(name, None, None, why) for name in ("completeness", "validity", "consistency", *_more(source))]
        kept = [_uniqueness(sources, data, source, rows)]
        return Readiness(data, (*lost, *kept), None, error)
    return Readiness(
        data,
        (
            _completeness(profile, asked),
            _validity(profile, asked),
            _uniqueness(sources, data, source, rows),
            _consistency(writing),
            _freshness(profile, source, as_of),
            _volume(profile, source),
            _labels(profile, source),
        ),
        profile,
    )


def _more(source: DataSource) -> list[str]:
    asked = {"freshness": source.fresh_within, "volume": source.volume, "labels": source.labels}
    return [name for name, declared in asked.items() if declared is not None]


def _completeness(profile: Profile, asked: Asked) -> Part:
    """The share of records in which every declared field has a value."""
    if not asked.required:
        return Part("completeness", None, None, _NOTHING_DECLARED)
    if not profile.records:
        return Part("completeness", None, 0, "there are no records yet")
    filled = profile.joint[asked.required]
    because = f"{filled:,} of {profile.records:,} {profile.per}s have all of {', '.join(asked.required)}"
    worst = min((profile.fields[name] for name in asked.required), key=lambda field: field.present)
    if worst.present < profile.records and len(asked.required) > 1:
        because += f"; {worst.name} is missing most"
    return Part("completeness", filled / profile.records, profile.records, because)


def _validity(profile: Profile, asked: Asked) -> Part:
    """Of the records in which every field with an expectation has a value, the share that meets all of them."""
    if not asked.expected:
        return not_asked("validity", "nothing is declared under `expects`")
    given = profile.joint[asked.expected]
    if not given:
        return Part("validity", None, 0, f"no {profile.per} has all of {', '.join(asked.expected)}")
    valid = profile.joint_valid[asked.expected]
    because = f"{valid:,} of {given:,} {profile.per}s are as expected in {', '.join(asked.expected)}"
    wrong = next((repr(text) for name in asked.expected for text in profile.fields[name].examples_invalid), None)
    return Part("validity", valid / given, given, because + (f"; not so is {wrong}" if wrong and valid < given else ""))


def _uniqueness(sources: Sources, data: str, source: DataSource, rows: int) -> Part:
    """The share of rows that repeat no other in every column."""
    if source.duplicates == "keep":
        return not_asked("uniqueness", "`duplicates: keep` says that repeated rows are work done twice")
    if not rows:
        return Part("uniqueness", None, 0, "there are no rows yet")
    if reader_of(sources.programme, data) is not None:
        how = "refused" if source.duplicates == "refuse" else "dropped"
        return Part("uniqueness", 1.0, rows, f"repeated rows are {how} when it is read")
    repeated = sources.duplicates(data)
    return Part("uniqueness", 1 - repeated / rows, rows, f"{repeated:,} of {rows:,} rows repeat another")


def _consistency(written: list[Writing]) -> Part:
    """The share of values written in the commonest way, in the field where that is least."""
    looked = [one for one in written if one.n]
    if not looked:
        return not_asked("consistency", "no declared field holds text that could be written in several ways")
    worst = max(looked, key=lambda one: one.rarer)
    if not worst.mixtures:
        fields = ", ".join(one.field for one in looked)
        return Part("consistency", 1.0, sum(one.n for one in looked), f"{fields}: each is written in one way")
    mixture = max(worst.mixtures, key=lambda one: one.share)
    shown = " and ".join(repr(example) for example in mixture.examples)
    return Part("consistency", 1 - worst.rarer, worst.n, f"{worst.field} mixes {mixture.what}: {shown}")


def _freshness(profile: Profile, source: DataSource, as_of: datetime) -> Part:
    """1 up to the declared age, then that age over the age of the newest event."""
    if source.fresh_within is None:
        return not_asked("freshness", "no `fresh_within` is declared")
    if profile.newest is None:
        return Part("freshness", None, 0, "no workflow says when its records were, or there are none yet")
    age, limit = as_of - parse_instant(profile.newest), source.fresh_within.delta()
    because = f"the newest event is {_days(age)} days old; {source.fresh_within} is declared"
    return Part("freshness", 1.0 if age <= limit else limit / age, 1, because)


def _days(length: timedelta) -> str:
    return f"{max(length.total_seconds(), 0) / 86_400:.1f}".removesuffix(".0")


def _volume(profile: Profile, source: DataSource) -> Part:
    """Records over those needed, at most 1."""
    if source.volume is None:
        return not_asked("volume", "no `volume` is declared as needed")
    return _against("volume", profile.records, source.volume.needed, f"{profile.per}s")


def _labels(profile: Profile, source: DataSource) -> Part:
    """Labels over those needed, at most 1."""
    if source.labels is None:
        return not_asked("labels", "no `labels` are declared as needed")
    return _against("labels", profile.fields[source.labels.field].present, source.labels.needed, "labels")


def _against(name: str, have: int, need: int, what: str) -> Part:
    return Part(name, 1.0 if have >= need else have / need, have, f"{have:,} of {need:,} {what} needed")
