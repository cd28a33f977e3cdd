"""A waiver accepts a finding for a reason, by somebody, until a day; it never makes one disappear."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from trueup.declare.check import files
from trueup.declare.check.registry import COMPLETE, PAGES
from trueup.declare.check.subject import Subject
from trueup.declare.model.people import Waiver
from trueup.declare.programme import PROGRAMME_FILE, Places, Programme
from trueup.kernel.finding import Finding
from trueup.kernel.text import did_you_mean, shown

# What cannot be read, or cannot mean anything, is not a judgement that somebody may differ with.
NEVER_WAIVED = frozenset(rule.page.code for rule in files.RULES)


def apply(programme: Programme, findings: Iterable[Finding], today: date) -> list[Finding]:
    """Return the findings, those that a waiver in force covers marked with its reason; and what is wrong with waivers.

    A waiver covers findings of its `code`, at its `at`: a file, or `file:key.path`, both with `*` as the only
    wildcard; without `at`, everywhere. `until` is inclusive. A `by` that is nobody is found as REF01 in reading.
    """
    subject = Subject(programme, today)
    remaining = list(findings)
    found: list[Finding] = []
    for position, waiver in enumerate(programme.file.waivers):
        covered = [index for index, finding in enumerate(remaining) if _covers(waiver, finding, programme.places)]
        found += _faults(subject, position, waiver, matched=bool(covered))
        if waiver.until >= today:
            for index in covered:
                if remaining[index].waived is None:
                    remaining[index] = remaining[index].with_waiver(waiver.because)
    return sorted(remaining + found, key=Finding.sort_key)


def covered(programme: Programme, findings: Iterable[Finding], today: date) -> list[Finding]:
    """Return the findings in their order, those that a waiver in force covers marked; says nothing about waivers."""
    in_force = [waiver for waiver in programme.file.waivers if waiver.until >= today]
    return [_marked(finding, in_force, programme.places) for finding in findings]


def _marked(finding: Finding, in_force: Iterable[Waiver], places: Places) -> Finding:
    first = next((waiver for waiver in in_force if _covers(waiver, finding, places)), None)
    return finding if first is None else finding.with_waiver(first.because)


def _faults(subject: Subject, position: int, waiver: Waiver, *, matched: bool) -> Iterator[Finding]:
    if not _may_waive(subject, waiver.by):
        yield files.unauthorised_waiver.page.finding(
            subject.place(PROGRAMME_FILE, "waivers", position, "by"),
            f"{shown(waiver.by)} waives {shown(waiver.code)} and is neither the sponsor nor in `decides`.",
            "Have it given by the sponsor or by somebody in `operating_model.decides`.",
        )
    key = "code" if waiver.code not in PAGES or waiver.code in NEVER_WAIVED or waiver.at is None else "at"
    where = subject.place(PROGRAMME_FILE, "waivers", position, key)
    if waiver.code not in PAGES:
        detail = f"{shown(waiver.code)} is not the code of a finding.{did_you_mean(waiver.code, PAGES)}"
        yield files.idle_waiver.page.finding(where, detail, "Correct the code, or delete the waiver.")
    elif waiver.code in NEVER_WAIVED:
        detail = f"{waiver.code} cannot be waived: it says that something cannot be read or meant."
        yield files.idle_waiver.page.finding(where, detail, "Repair what it is about, and delete the waiver.")
    elif waiver.until < subject.today:
        yield files.expired_waiver.page.finding(
            subject.place(PROGRAMME_FILE, "waivers", position, "until"),
            f"The waiver of {waiver.code} by {shown(waiver.by)} ended on {waiver.until}"
            + ("; what it covered stands again." if matched else ", and nothing that it covered is left."),
            "Repair the finding and delete the waiver, or have it renewed.",
        )
    elif not matched and waiver.code in COMPLETE:
        place = f" at {shown(waiver.at)}" if waiver.at else ""
        detail = f"No finding {waiver.code}{place} exists, so this waives nothing."
        yield files.idle_waiver.page.finding(where, detail, "Delete the waiver, or correct its `code` or `at`.")


def _may_waive(subject: Subject, who: str) -> bool:
    """Tell whether somebody may waive; yes where nobody is declared who may (OWN05), or WHO is nobody (REF01)."""
    programme = subject.programme.file
    decides = programme.operating_model.decides if programme.operating_model is not None else ()
    allowed = {*decides, *([programme.sponsor] if programme.sponsor else [])}
    return not allowed or who in allowed or not subject.is_person(who)


def _covers(waiver: Waiver, finding: Finding, places: Places) -> bool:
    if waiver.code != finding.code or finding.code in NEVER_WAIVED:
        return False
    if waiver.at is None:
        return True
    file, _, path = waiver.at.partition(":")
    if not _matches(file, finding.where.file):
        return False
    return not path or any(_matches(path, spoken) for spoken in _paths(finding, places))


def _paths(finding: Finding, places: Places) -> Iterator[str]:
    """Yield the key paths that stand where the finding does."""
    for table in (places.values, places.keys):
        for (file, path), span in table.items():
            if file == finding.where.file and span == finding.where:
                yield ".".join(str(part) for part in path)


def _matches(pattern: str, text: str) -> bool:
    parts = [re.escape(part) for part in pattern.split("*")]
    return re.fullmatch(".*".join(parts), text) is not None
