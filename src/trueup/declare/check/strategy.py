"""A strategy says which outcomes, who decides and when it is looked at again; a list of tools says none of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trueup.declare.check.rule import Hit, elsewhere, rule
from trueup.declare.check.subject import PROPOSED, Subject, listed
from trueup.declare.model.programme import Organisation
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.finding import Severity

_ROLL_OUT = re.compile(
    r"\s*(?:adopt|build|buy|choose|deploy|evaluate|implement|install|integrate|introduce|launch|licen[cs]e|migrate"
    r"|procure|purchase|roll\W?out|select|set up|use)(?:ing|ment|ation)?\b",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"\b(?:ai|agents?|assistants?|chat\W?bots?|copilots?|gen\W?ai|gpt|licen[cs]es?|llms?|models?|platforms?|software"
    r"|suites?|tools?|tooling|vendors?)\b",
    re.IGNORECASE,
)
_SCATTERED_OVER = 2


@elsewhere("STRAT01", Severity.WARNING, "Strategy phase over its limit with no pilot running")
def analysis_paralysis() -> None:
    """Plans that are never tested go stale.

    Four weeks (a small organisation) or eight (an enterprise) are enough to choose what to try. Past that every week
    adds pages and takes away the reason to believe them.

    Fix:
        Start the smallest pilot that could prove the first use case wrong.

    Bad:
        adopted: 2017-11-01           # it is February; every use case is a candidate

    Good:
        stage: pilot                  # one of them, with gates
    """


@elsewhere("STRAT02", Severity.WARNING, "No system in production six months after adoption")
def nothing_in_production() -> None:
    """A strategy that has put nothing into production in six months is not working.

    The data shows which of three causes it is: pilots that were never decided, pilots that failed on data, or use
    cases that nobody has started.

    Fix:
        Follow the cause that the finding names; it is the first subject of the next review.

    Bad:
        adopted: 2017-11-01           # it is June; three pilots, no decision

    Good:
        decide the three pilots; scale the one that cleared its bar
    """


@elsewhere("STRAT03", Severity.WARNING, "Strategy not reviewed within its cadence")
def overdue_review() -> None:
    """A strategy is a living document, and one that nobody looks at is a dead one.

    Objectives, assumptions and ranking age at different speeds; the review finds which of them has.

    Fix:
        Review it, or declare the cadence that is really kept (`reviews.strategy`):

          trueup review DIR

    Bad:
        reviews: {strategy: 30d}      # the last is 74 days old

    Good:
        reviews: {strategy: 30d}      # a signed review in the ledger every month
    """


@elsewhere("STRAT04", Severity.WARNING, "Assumption that is false, or that the declared data cannot measure")
def false_assumption() -> None:
    """When a belief that the plan rests on is false, the plan no longer holds for the reason it gives.

    An assumption that cannot be measured is worse: it can never be found false.

    Fix:
        Sign what was found, and let the ranking follow; or correct `measure` so that declared data answers it.

    Bad:
        forms-are-complete: {measure: data.declarations.completeness(amount), at_least: 0.90}      # 0.81 measured

    Good:
        forms-are-complete: {found: {value: 0.81, on: 2018-03-03, holds: false}}
    """


@rule("STRAT05", Severity.WARNING, "Tools or vendors where outcomes belong")
def outcomes_not_tools(subject: Subject) -> Iterator[Hit]:
    """A technology roadmap is not a strategy, and a vendor shortlist with a stamp is not one either.

    An outcome says what will be different for somebody. `Roll out an assistant` is done when it is installed, whether
    or not anything changed. An outcome is taken for a tool when it names a declared supplier, or begins with a verb
    of procurement (deploy, implement, roll out ...) and names a kind of tool.

    Fix:
        Write what will be different, for whom. The tool belongs in a use case, its vendor under `suppliers`.

    Bad:
        outcome: Roll out an AI assistant to all teams

    Good:
        outcome: Staff are repaid within a week
    """
    programme = subject.programme.file
    for name, objective in programme.objectives.items():
        outcome = objective.outcome or ""
        vendor = next((who for who in programme.suppliers if _names(outcome, who)), None)
        tool = _TOOL.search(outcome) if _ROLL_OUT.match(outcome) else None
        if vendor or tool:
            what = f"the supplier {vendor!r}" if vendor else f"a tool ({tool[0]!r})" if tool else ""
            yield Hit(
                subject.place(PROGRAMME_FILE, "objectives", name, "outcome"),
                f"The outcome of objective {name!r} is {what}: it is done when that is installed.",
                "Write what will be different, and for whom.",
            )
    if programme.suppliers and subject.lacks(programme, PROGRAMME_FILE, "objectives"):
        yield Hit(
            subject.key(PROGRAMME_FILE, "suppliers"),
            f"{len(programme.suppliers)} suppliers are declared and no objective: nothing says what they are for.",
            "Declare the outcomes under `objectives` first.",
        )


def _names(outcome: str, supplier: str) -> bool:
    # An id is written with hyphens, a sentence with spaces; short ids are words of their own.
    spoken = re.escape(supplier).replace(r"\-", r"[\s-]").replace("_", r"[\s_-]")
    return re.search(rf"\b{spoken}\b", outcome, re.IGNORECASE) is not None


@rule("STRAT06", Severity.WARNING, "Activity in several teams with no coordination owner")
def coordination(subject: Subject) -> Iterator[Hit]:
    """Scattered activity makes problems of compliance and reliability that are hard to unwind.

    Each team chooses its own tools, handles data by its own rules and learns on its own. Two teams are enough for
    two answers to the same question; one person who coordinates is enough for one.

    Fix:
        Name a person in `operating_model.coordination`.

    Bad:
        operating_model: {kind: bottom-up}      # and use cases in three teams

    Good:
        operating_model: {kind: bottom-up, coordination: coo}
    """
    programme = subject.programme.file
    teams = sorted({case.team for _name, case, _file in subject.use_cases(PROPOSED) if case.team}, key=str.casefold)
    scattered = programme.assessment is not None and programme.assessment.landscape == "scattered"
    if len(teams) < _SCATTERED_OVER and not scattered:
        return
    if subject.lacks(programme.operating_model, PROGRAMME_FILE, "operating_model", "coordination"):
        where = f"{len(teams)} teams ({listed(teams)})" if len(teams) >= _SCATTERED_OVER else "a scattered landscape"
        yield Hit(
            subject.place(PROGRAMME_FILE, "operating_model", "coordination"),
            f"There are use cases in {where} and nobody coordinates them.",
            "Write `operating_model: {coordination: ID}` with the id of a person.",
        )


@rule("STRAT07", Severity.NOTE, "Operating model at odds with the organisation")
def fitting_model(subject: Subject) -> Iterator[Hit]:
    """Each operating model fails in a known way in the wrong place.

    Bottom-up under strict regulation builds every control as often as there are teams; with little experience it
    scatters; with little money it pays for the same thing twice. Top-down waits for one desk where teams are
    experienced, and is politely ignored where they are used to deciding for themselves.

    Fix:
        Choose `hybrid` (standards and platform in one place, use cases in the teams), or say in a waiver what is done
        about the known failure.

    Bad:
        assessment: {organisation: {regulation: high}}
        operating_model: {kind: bottom-up}

    Good:
        assessment: {organisation: {regulation: high}}
        operating_model: {kind: hybrid, coordination: coo}
    """
    programme = subject.programme.file
    if programme.operating_model is None or programme.assessment is None or programme.assessment.organisation is None:
        return
    kind = programme.operating_model.kind
    reasons = list(_odds(kind or "", programme.assessment.organisation))
    if reasons:
        yield Hit(
            subject.place(PROGRAMME_FILE, "operating_model", "kind"),
            f"The operating model is {kind!r} and {listed(reasons)}.",
            "Consider `kind: hybrid`, or waive this with what is done about it.",
        )


def _odds(kind: str, organisation: Organisation) -> Iterator[str]:
    factors = (
        ("bottom-up", organisation.regulation, "high", "regulation is high: every team builds its own controls"),
        ("bottom-up", organisation.maturity, "low", "maturity is low: activity scatters before anybody has learned"),
        ("bottom-up", organisation.resources, "constrained", "resources are constrained: the same is paid for twice"),
        ("top-down", organisation.maturity, "high", "maturity is high: experienced teams wait for one desk"),
        ("top-down", organisation.culture, "autonomous", "teams are used to deciding: mandates are not adopted"),
    )
    return (reason for model, found, odd, reason in factors if kind == model and found == odd)


RULES = (
    analysis_paralysis,
    nothing_in_production,
    overdue_review,
    false_assumption,
    outcomes_not_tools,
    coordination,
    fitting_model,
)
