"""What the strategy believes of its data is measured; these pages are about what the measurement finds."""

from __future__ import annotations

from trueup.declare.check.rule import elsewhere
from trueup.kernel.finding import Severity


@elsewhere("DATA01", Severity.WARNING, "Data readiness measured below what was declared or is needed")
def unready() -> None:
    """The assumption behind the ranking is false.

    The use case was chosen because its data was believed to be complete, valid and fresh. Where the measurement says
    less, its probability of success is lower than the one that it was ranked by.

    Fix:
        Look at the fields that the finding names. Repair them at their source, narrow the scope to the cases that
        have them, or let the ranking follow the measurement.

    Bad:
        completeness(amount, budget_number) = 0.81, at least 0.90 assumed

    Good:
        scope: cases with a budget number; the others wait for the new form
    """


@elsewhere("DATA02", Severity.WARNING, "Key fields or formats not normalised")
def not_normalised() -> None:
    """Inconsistent input is the first cause of automation that nobody can predict.

    The same date in two orders, amounts in two units, names in two casings, times in two zones: people read past
    them, programs do not.

    Fix:
        Normalise at the source. Until then declare how it is to be read: `zone`, `dates`, `missing`, `expects`.

    Bad:
        opened_at: 29/2/2016 01:16 and 2016-03-01T09:00

    Good:
        data: {incidents: {source: data/incidents.csv, zone: UTC, dates: day-first}}
    """


@elsewhere("DATA03", Severity.NOTE, "Labels or human effort above the budgeted hours")
def labelling_effort() -> None:
    """Labelling is the commonest surprise of an implementation.

    It is done by the people who know the work, in the hours in which they would do the work.

    Fix:
        Raise the budget openly, or ask for fewer and better chosen labels.

    Bad:
        labelling-is-cheap: at most 120h; 190h are recorded

    Good:
        the assumption is signed as false, and the ranking follows
    """


RULES = (unready, not_normalised, labelling_effort)
