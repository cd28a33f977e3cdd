"""Success that nobody can state in numbers cannot be reached, and cannot be missed either."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.declare.check.rule import Hit, rule
from trueup.declare.check.subject import Subject, listed
from trueup.declare.model.programme import Objective
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.finding import Severity


@rule("OBJ01", Severity.ERROR, "Objective without a KPI, a target or a date")
def measurable_objective(subject: Subject) -> Iterator[Hit]:
    """An objective is a number that moves by a day; anything else is a wish.

    Without the KPI nobody knows what to look at, without the target nobody knows when it is enough, and without
    the date nobody has to decide. The strategy would be measured by how it is told.

    Fix:
        Give the objective a `kpi` (as `workflow.kpi`) and at least one target with `by` and `reach`.

    Bad:
        repay-faster: {outcome: Staff are repaid quickly, owner: finance-lead}

    Good:
        repay-faster:
          outcome: Staff are repaid within a week
          kpi: expense-approval.cycle_time
          targets: [{by: 2018-12-31, reach: -30%}]
          owner: finance-lead
    """
    for name, objective in subject.programme.file.objectives.items():
        missing = [
            key for key in ("kpi", "targets") if subject.lacks(objective, PROGRAMME_FILE, "objectives", name, key)
        ]
        if missing:
            words = listed([{"kpi": "KPI", "targets": "target with a date"}[key] for key in missing])
            write = {"kpi": "`kpi: WORKFLOW.KPI`", "targets": "`targets: [{by: DATE, reach: -30%}]`"}
            yield Hit(
                subject.key(PROGRAMME_FILE, "objectives", name),
                f"Objective {name!r} has no {words}, so nobody can say whether it was reached.",
                f"Add {listed([write[key] for key in missing])}.",
            )
        yield from _targets(subject, name, objective)


def _targets(subject: Subject, name: str, objective: Objective) -> Iterator[Hit]:
    for position, target in enumerate(objective.targets):
        for key, meaning in (("by", "date"), ("reach", "value to reach")):
            path = ("objectives", name, "targets", position, key)
            refused = (PROGRAMME_FILE, path) in subject.programme.places.values and key not in target.model_fields_set
            if getattr(target, key) is None and not refused:
                yield Hit(
                    subject.place(PROGRAMME_FILE, *path[:-1]),
                    f"Target {position + 1} of objective {name!r} has no {meaning}.",
                    f"Write the target as `{{by: 2018-12-31, reach: -30%}}`; `{key}` is missing.",
                )


@rule("OBJ02", Severity.WARNING, "Use case tied to no objective")
def purposeful_use_case(subject: Subject) -> Iterator[Hit]:
    """A use case that serves no objective is technically interesting and of no business value.

    It competes for the same people and the same money as those that do, and when it works nobody can say what
    for. Ideas are asked too: the objective is the first thing to know about an idea.

    Fix:
        Name the objective that it serves, or stop it.

    Bad:
        use_case: Chat with our documents

    Good:
        use_case: Chat with our documents
        objective: repay-faster
    """
    for name, use_case, file in subject.use_cases():
        if subject.lacks(use_case, file, "objective"):
            known = ", ".join(sorted(subject.programme.file.objectives)) or "none is declared yet"
            yield Hit(
                subject.place(file, "objective"),
                f"Use case {name!r} serves no objective, so there is nothing that it could be worth.",
                f"Write `objective: ID` (declared: {known}), or set `stage: stopped`.",
            )


RULES = (measurable_objective, purposeful_use_case)
