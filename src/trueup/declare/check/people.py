"""Tools change nothing; people who use them do, once they can, and once they are left able to go on alone."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from trueup.declare.check.rule import Hit, rule
from trueup.declare.check.subject import Subject, listed
from trueup.declare.model.use_case import Stage
from trueup.declare.model.workflow import Workflow
from trueup.declare.programme import PROGRAMME_FILE
from trueup.kernel.finding import Severity

_LIVE = frozenset({Stage.PRODUCTION})
_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_TRAINING = re.compile("train|adoption|onboard|enable", re.IGNORECASE)


@rule("PPL01", Severity.WARNING, "Users of a live workflow not known to be trained, or too few", complete=False)
def trained_users(subject: Subject) -> Iterator[Hit]:
    """Tools that no one uses are the commonest end of a success.

    A workflow in production has users. Somebody planned how they learn it, and a record says who has; without the
    record an adoption below target cannot be told from a tool that people reject. Data show the rest: training behind
    its plan, use in fewer of the treated cases or by fewer of the eligible people than the target says.

    Fix:
        Say who is trained by when (`pilot.scale_plan.training`, or a workstream for it), and declare where the record
        stands (`actuals.people`).

    Bad:
        stage: production             # no training in the scale plan, no actuals.people

    Good:
        actuals: {people: {source: actuals/people.csv, person: person, workflow: workflow, trained_on: trained}}
    """
    programme = subject.programme.file
    live = list(subject.workflows(_LIVE))
    if live and subject.lacks(programme.actuals, PROGRAMME_FILE, "actuals", "people"):
        names = [repr(name) for name, *_ in live]
        yield Hit(
            subject.place(PROGRAMME_FILE, "actuals", "people"),
            f"No source says who is trained, and {listed(names)} {'is' if len(names) == 1 else 'are'} in production.",
            "Add `actuals.people: {source: actuals/people.csv, person: person, trained_on: trained}`.",
        )
    for name, workflow, file in live:
        if not _planned(subject, workflow, file):
            yield Hit(
                subject.place(file, "pilot", "scale_plan", "training"),
                f"Workflow {name!r} is in production and nothing says how its users learn it.",
                "Add `pilot.scale_plan.training: WHO by WHEN`, or a workstream `training: ID`.",
            )


def _planned(subject: Subject, workflow: Workflow, file: str) -> bool:
    plan = workflow.pilot.scale_plan if workflow.pilot is not None else None
    in_plan = not subject.lacks(plan, file, "pilot", "scale_plan", "training")
    return in_plan or any(_TRAINING.search(stream) for stream in workflow.workstreams)


@rule("PPL02", Severity.NOTE, "No plan to take over the knowledge of a supplier")
def handover(subject: Subject) -> Iterator[Hit]:
    """What only the supplier knows has to be bought again every year.

    Prompts, evaluations, edge cases and the reasons behind them are the work; they leave with the consultants unless
    somebody has said when, and to whom, they are handed over.

    Fix:
        Add `handover` to the supplier: what, to whom, by when.

    Bad:
        suppliers: {acme-ai: {process: expense triage, owner: finance-lead}}

    Good:
        suppliers: {acme-ai: {process: expense triage, owner: finance-lead, handover: documented by month 3}}
    """
    for name, supplier in subject.programme.file.suppliers.items():
        if subject.lacks(supplier, PROGRAMME_FILE, "suppliers", name, "handover"):
            yield Hit(
                subject.place(PROGRAMME_FILE, "suppliers", name, "handover"),
                f"Nothing says how the knowledge of supplier {name!r} stays here when it leaves.",
                "Add `handover: WHAT to WHOM by WHEN`.",
            )


@rule("PPL03", Severity.WARNING, "Supplier without a plan that can be checked in 90 days, or past it", complete=False)
def checkable_supplier(subject: Subject) -> Iterator[Hit]:
    """Without process, owner, baseline, expected movement and cadence you are buying risk, not certainty.

    These five are what can be looked at after 90 days. A supplier who cannot fill them in before the contract will
    not be able to do so after it. With `kpi` and `since` the promise is measured: 90 days on, movement that surely
    falls short of `expected` is this finding too.

    Fix:
        Fill in `process`, `owner` (a person of yours), `baseline`, `expected` and `cadence`.

    Bad:
        suppliers: {acme-ai: {process: expense triage}}

    Good:
        suppliers:
          acme-ai: {process: expense triage, owner: finance-lead, baseline: 11.6d, expected: -25%, cadence: weekly}
    """
    keys = ("process", "owner", "baseline", "expected", "cadence")
    for name, supplier in subject.programme.file.suppliers.items():
        missing = [key for key in keys if subject.lacks(supplier, PROGRAMME_FILE, "suppliers", name, key)]
        if missing:
            yield Hit(
                subject.key(PROGRAMME_FILE, "suppliers", name),
                f"The plan of supplier {name!r} has no {listed(missing)}: nothing can be checked in 90 days.",
                f"Add {listed([f'`{key}`' for key in missing])}.",
            )


@rule("PPL04", Severity.WARNING, "Public key that no signature can be checked with")
def readable_keys(subject: Subject) -> Iterator[Hit]:
    """A person whose key cannot be read cannot sign, and finds that out on the day of the decision.

    `key` holds one line as it stands in a `.pub` file: the type, the key, perhaps a comment. Ed25519, ECDSA and RSA
    are read; keys on security tokens and certificates are not. Without `key` decisions are claimed, not signed.

    Fix:
        Copy the line from the person's `.pub` file in quotes, or delete `key`.

    Bad:
        coo: {name: Ada Osei, key: 'ssh-ed25519 AAAA...'}

    Good:
        coo: {name: Ada Osei, key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMg0wuAej6a3F5g5oGqGczT2bQ4iHaABzE3ipw5D10Fh'}
    """
    for name, person in subject.programme.file.people.items():
        if person.key is not None and not _is_key(person.key):
            yield Hit(
                subject.place(PROGRAMME_FILE, "people", name, "key"),
                f"The key of {name!r} is not a public key line of a type that is read ({', '.join(_KEY_TYPES)}).",
                f"Copy the line from {name!r}'s .pub file, or delete `key`.",
            )


def _is_key(line: str) -> bool:
    """Tell whether a line is a type and a key of that type; whether the numbers are a key is seen when it signs."""
    kind, _, rest = line.strip().partition(" ")
    try:
        wire = base64.b64decode(rest.split(" ")[0], validate=True)
    except ValueError:
        return False
    return kind in _KEY_TYPES and wire.startswith(len(kind).to_bytes(4, "big") + kind.encode()) and len(wire) > 50


RULES = (trained_users, handover, checkable_supplier, readable_keys)
