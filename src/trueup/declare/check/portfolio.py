"""Attention, money and data are scarce: what is chosen is chosen on ranges, evidence and alternatives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from trueup.declare.check.rule import Hit, elsewhere, rule
from trueup.declare.check.subject import CHOSEN, PROPOSED, Subject, listed
from trueup.declare.model.use_case import Stage, UseCase
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.finding import Severity
from trueup.kernel.quantities import Range

# Share of words in common (Jaccard) from which two use cases are called alike: of ten different words, six in both.
ALIKE = 0.6
_STOP_WORDS = frozenset(
    ["a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "our", "the", "to", "up", "with"]
)


@rule("PORT01", Severity.WARNING, "More parallel pilots than the declared limit")
def parallel_pilots(subject: Subject) -> Iterator[Hit]:
    """Attention is the scarcest budget.

    Each pilot asks the same people to change how they work, and the same few to decide. Beyond a handful they tire
    of tools, and every pilot looks flat for a reason that is not its own.

    Fix:
        Stop or postpone the pilots that rank lowest, or raise `limits.parallel_pilots` if the people are there.

    Bad:
        limits: {parallel_pilots: 3}      # and four workflows are piloted

    Good:
        limits: {parallel_pilots: 3}      # and the fourth waits as a candidate
    """
    limits = subject.programme.file.limits
    if limits is None or limits.parallel_pilots is None:
        return
    running = {
        name for name, *_ in subject.planned_pilots() if subject.stage(subject.programme.workflows[name]) in CHOSEN
    }
    for name, _use_case, _file in subject.use_cases(frozenset({Stage.PILOT})):
        if not running.intersection(subject.workflows_of[name]):
            running.add(name)
    if len(running) > limits.parallel_pilots:
        yield Hit(
            subject.place(PROGRAMME_FILE, "limits", "parallel_pilots"),
            f"{len(running)} pilots run at the same time ({listed(sorted(running))}); "
            f"the limit is {limits.parallel_pilots}.",
            "Stop or postpone those that rank lowest (`trueup rank`), or raise the limit.",
        )


@rule("PORT02", Severity.WARNING, "Two use cases that look alike in different teams")
def look_alikes(subject: Subject) -> Iterator[Hit]:
    """Two teams that build the same thing apart pay twice and agree on nothing.

    Names, scopes and objectives are compared as sets of words: common words of one pair divided by all words of the
    pair, 0.6 or more counts as alike. Plural endings and the smallest words are left out. A use case stands in
    one finding at most, with the one most like it.

    Fix:
        Join them under one owner, or let one wait for the other (`needs`). Where both are known and meant to
        compete, `excludes` says so and ends the finding.

    Bad:
        use_case: Invoice matching    # team: finance-ops; and in team procurement: Matching of invoices

    Good:
        use_case: Invoice matching    # team: finance-ops, also serves procurement
    """
    for name, file, other, likeness in _closest(list(subject.use_cases())):
        mine, theirs = subject.programme.use_cases[name], subject.programme.use_cases[other]
        yield Hit(
            subject.place(file, "use_case"),
            f"Use case {name!r} of team {mine.team!r} looks like {other!r} of team {theirs.team!r} "
            f"({likeness:.0%} of their words are the same).",
            f"Join them, or write `needs: [{other}]` or `excludes: [{other}]` when both are meant.",
        )


def _closest(cases: list[tuple[str, UseCase, str]]) -> Iterator[tuple[str, str, str, float]]:
    """Yield id, file, id of the most similar earlier use case of another team, and how alike they are.

    Sets of n words that are alike to a degree t share one of the rarest `floor((1 - t) n) + 1` words of each (prefix
    filtering: Chaudhuri, Ganti, Kaushik 2006), so only those are looked up. Sets are bits of an integer.
    """
    cases = [entry for entry in cases if entry[1].team]
    words = [_words(case) for _name, case, _file in cases]
    frequency = Counter(word for mine in words for word in mine)
    bit = {word: 1 << position for position, word in enumerate(frequency)}
    bits = [sum(bit[word] for word in mine) for mine in words]
    by_word: dict[str, list[int]] = {}
    for this, (name, _case, file) in enumerate(cases):
        rarest = sorted(words[this], key=lambda word: (frequency[word], word))
        rarest = rarest[: int(len(rarest) * (1 - ALIKE)) + 1]
        best, closest = 0.0, this
        for other in sorted(set().union(*(by_word.get(word, ()) for word in rarest))):
            likeness = (bits[this] & bits[other]).bit_count() / (bits[this] | bits[other]).bit_count()
            if likeness >= ALIKE and likeness > best and _apart(cases[this], cases[other]):
                best, closest = likeness, other
        if best:
            yield name, file, cases[closest][0], best
        for word in rarest:
            by_word.setdefault(word, []).append(this)


def _apart(one: tuple[str, UseCase, str], other: tuple[str, UseCase, str]) -> bool:
    """Tell whether two use cases belong to different teams and do not know of each other."""
    (name, case, _), (its_name, its, _) = one, other
    known = its_name in {*case.needs, *case.excludes} or name in {*its.needs, *its.excludes}
    return not known and (case.team or "").casefold() != (its.team or "").casefold()


def _words(case: UseCase) -> frozenset[str]:
    words = re.findall(r"\w+", f"{case.use_case} {case.scope or ''}".casefold())
    stems = {word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words}
    return frozenset(stems - _STOP_WORDS) | ({f"objective {case.objective}"} if case.objective else frozenset())


@elsewhere("PORT03", Severity.WARNING, "Spend running past the value now expected")
def spend_past_value() -> None:
    """Money that is spent says nothing about the value that is still to come.

    When what has been spent, and what the rest will cost, exceeds the value that the measurements now support, the
    case that was approved no longer exists.

    Fix:
        Decide again on today's figures: stop, cut the scope to the part that carries its cost, or approve the new
        case as what it is.

    Bad:
        promised 60,000 a year, measured 14,000, spent 71,000, next: phase two

    Good:
        stop phase two; keep the part that saves 14,000 and costs 3,000
    """


@elsewhere("PORT04", Severity.NOTE, "Ranking overturned by measured evidence")
def overturned_ranking() -> None:
    """The order was an estimate; a measurement that changes it is what the measurement was for.

    A strategy that keeps its order when the figures behind it have moved is followed out of habit.

    Fix:
        Look at which figure moved, and sign the new order or the reason to keep the old one:

          trueup review DIR

    Bad:
        ranking: {decided: [contract-summary, triage]}      # the assumption behind the first is false

    Good:
        ranking: {decided: [triage, contract-summary]}
    """


@rule("PORT05", Severity.WARNING, "Use case chosen with no evidence that its data is ready")
def data_evidence(subject: Subject) -> Iterator[Hit]:
    """Most failures are data found out too late.

    A score that somebody gave in a meeting is an opinion about data. A declared source is measured: how complete
    its fields are, how valid, how fresh, how many labels there are. Use cases that are piloted or in production
    name one.

    Fix:
        Declare the source under `data` in `programme.yaml` and name it in `feasibility.data`.

    Bad:
        feasibility: {data: 2, integration: 2, process: 1, risk: 1}

    Good:
        feasibility: {data: data.declarations, integration: 2, process: 1, risk: 1}
    """
    for name, use_case, file in subject.use_cases(CHOSEN):
        data = use_case.feasibility.data if use_case.feasibility is not None else None
        named = isinstance(data, str) and (data.startswith("data.") or data in subject.programme.file.data)
        judged = data is not None and not named
        if judged or subject.lacks(use_case.feasibility, file, "feasibility", "data"):
            reason = "only a judgement says that its data is ready" if judged else "nothing says that its data is ready"
            yield Hit(
                subject.place(file, "feasibility", "data"),
                f"Use case {name!r} was chosen (stage {use_case.stage}) and {reason}.",
                "Write `feasibility.data: data.SOURCE` with a source declared in `programme.yaml`.",
            )


@rule("PORT06", Severity.WARNING, "Build or buy not decided, or decided without alternatives")
def build_or_buy(subject: Subject) -> Iterator[Hit]:
    """The decision to build or to buy is part of every proposal, and a choice without an alternative is none.

    What was turned down, at what cost and why, is the first question of whoever pays, and the first thing to look at
    again when the market moves.

    Fix:
        Write `approach.choice` and at least one alternative with its `cost` or `because_not`.

    Bad:
        approach: {choice: build}

    Good:
        approach:
          choice: build
          alternatives: {buy: {cost: [15000, 20000, 30000], because_not: no model allowed off premises}}
    """
    for name, use_case, file in subject.use_cases(PROPOSED):
        approach = use_case.approach
        if subject.lacks(approach, file, "approach", "choice"):
            detail = f"Use case {name!r} does not say whether it is built or bought."
            yield Hit(subject.place(file, "approach", "choice"), detail, "Write `approach: {choice: build}` or `buy`.")
        elif approach is not None and not any(
            other.cost is not None or other.because_not for other in approach.alternatives.values()
        ):
            yield Hit(
                subject.key(file, "approach", "alternatives"),
                f"Use case {name!r} is to be done by {approach.choice!r}, and no alternative was weighed.",
                "Add `alternatives: {buy: {cost: [LOW, MIDDLE, HIGH], because_not: WHY}}`.",
            )


@rule("PORT07", Severity.WARNING, "Value, cost or effort given as a single number")
def ranges(subject: Subject) -> Iterator[Hit]:
    """A point estimate hides what is not known.

    The ranking draws from the ranges: whether a use case belongs in the funded set depends on how wide they are, and
    a single number claims that nothing is uncertain. A zero may stand alone.

    Fix:
        Write `[p10, p50, p90]`: in one case of ten it is lower, in one of ten higher.

    Bad:
        cost: {build: 35000}

    Good:
        cost: {build: [20000, 35000, 60000]}
    """
    for name, use_case, file in subject.use_cases():
        for path, amount in _amounts(use_case):
            if amount is not None and amount.point and amount.p50 != 0:
                yield Hit(
                    subject.place(file, *path),
                    f"{'.'.join(path)} of use case {name!r} is the single number {amount.p50:g}.",
                    "Write it as `[p10, p50, p90]`.",
                )


def _amounts(use_case: UseCase) -> Iterator[tuple[tuple[str, ...], Range | None]]:
    for line, value in use_case.value.items():
        yield ("value", line, "range"), value.range
    for part in ("cost", "effort"):
        holder = getattr(use_case, part)
        for key in sorted(holder.model_fields_set) if holder is not None else ():
            yield (part, key), getattr(holder, key)
    for choice, alternative in (use_case.approach.alternatives if use_case.approach else {}).items():
        yield ("approach", "alternatives", choice, "cost"), alternative.cost


RULES = (
    parallel_pilots,
    look_alikes,
    spend_past_value,
    overturned_ranking,
    data_evidence,
    build_or_buy,
    ranges,
)
