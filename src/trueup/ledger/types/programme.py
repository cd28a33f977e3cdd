"""What people promise, decide, report and judge: entries of a programme, which would be there without any gate."""

from __future__ import annotations

from trueup.ledger.types.event_type import SAID_BY, EventType

TYPES = (
    EventType(
        "programme.pinned",
        "The ledger's origin and public key were written into programme.yaml.",
        {"origin": "the log's name", "vkey": "its public key, in the form of signed notes"},
    ),
    EventType(
        "baseline.registered",
        "A pilot's promise and its frozen baseline were locked before anything is compared with them.",
        {
            "workflow": "the workflow's id",
            "file": "the registration, relative to the programme",
            "digest": "SHA-256 of that file's bytes",
            "registered_late": "true when the pilot had begun",
        },
    ),
    EventType(
        "baseline.replaced",
        "A registered baseline was replaced by another; the earlier one stays in git and in this record.",
        {
            "workflow": "the workflow's id",
            "file": "the registration, relative to the programme",
            "digest": "SHA-256 of the new file's bytes",
            "replaces": "SHA-256 of the file that it replaces",
            "because": "the reason given",
        },
    ),
    EventType(
        "change.decided",
        "Somebody applied or declined one change of a review.",
        {
            "review": "the review's id",
            "n": "the change's number in that review",
            "kind": "gate, autonomy, assumption, rank, expand or finding",
            "subject": "what it is about",
            "fingerprint": "what was proposed, on which definition: the same proposal is not asked twice",
            "decision": "applied or declined",
            "outcome": "for gates: go, hold, stop or unknown",
            "because": "the reason, for a declined change",
            "waivers": "what was accepted by name",
            "e_value": "for gates: what the watched sequence had gathered; a signed go keeps it",
            "signature": "armoured SSH signature of the digest of the other members",
            "claimed": "instead of a signature: the operating-system user who said so",
        },
    ),
    EventType(
        "waiver.signed",
        "Somebody accepted an open guardrail, a weak design or a missing checklist item, by name.",
        {
            "review": "the review's id",
            "n": "the change's number in that review",
            "item": "what is waived",
            "because": "the reason given",
            **SAID_BY,
        },
    ),
    EventType(
        "ranking.decided",
        "A review's changes of the ranking were decided, and at least one was accepted.",
        {
            "review": "the review's id",
            "as_of": "the instant from which it looked",
            "order": "the use cases in the order that is now decided",
            "moved": "the accepted changes: id, from, to, selected",
            "open": "use cases that the review asked about and nobody decided; later reviews ask again",
            "evidence": "what the ranking rests on: values of assumptions found false, measured readiness of data",
            **SAID_BY,
        },
    ),
    EventType(
        "review.applied",
        "A review was gone through: the weekly checkpoint. Written last, also when nothing was left to decide.",
        {
            "review": "the review's id",
            "fingerprint": "the fingerprint of what the review depended on",
            "as_of": "the instant from which it looked",
            "applied": "numbers of the changes applied",
            "declined": "numbers of the changes declined",
            "notes": "what moved, blockers, frictions",
            **SAID_BY,
        },
    ),
    EventType(
        "note.recorded",
        "Somebody wrote down something that a later reader will want to know.",
        {"text": "the note", "about": "a use case, a workflow or nothing", **SAID_BY},
    ),
    EventType(
        "spend.recorded",
        "Money was spent.",
        {
            "use_case": "its id",
            "kind": "build, run, labelling, ...",
            "amount": "in the programme's currency",
            **SAID_BY,
        },
    ),
    EventType(
        "effort.recorded",
        "Hours were worked.",
        {"use_case": "its id", "kind": "engineering, change, labelling, ...", "hours": "hours", **SAID_BY},
    ),
    EventType(
        "training.recorded",
        "Somebody was trained on a workflow.",
        {"workflow": "its id", "person": "who", "trained": "the day", **SAID_BY},
    ),
    EventType(
        "checklist.recorded",
        "Evidence for one item of the pre-expansion checklist was given.",
        {"workflow": "its id", "item": "the item", "evidence": "where it stands or what was seen", **SAID_BY},
    ),
    EventType(
        "incident.recorded",
        "Something went wrong.",
        {
            "workflow": "its id",
            "incident": "the declared kind",
            "severity": "1 to 4",
            "what": "what happened",
            **SAID_BY,
        },
    ),
    EventType(
        "threshold.chosen",
        "The confidence from which on an answer may be taken was chosen on reviewed outcomes (Learn then Test).",
        {
            "workflow": "its id",
            "at": "the confidence",
            "wrong_at_most": "the limit that was tested",
            "sure": "1 - delta of the test",
            "seen": "reviewed outcomes with a confidence",
            "accepted": "those of them at the threshold or above",
            "wrong": "those of these that were wrong",
            "p_value": "that of the last hypothesis that was rejected",
            "basis": "as in autonomy.set: it holds for that alone",
            "outcomes": "SHA-256 of the outcomes, as a list of [entry, confidence, wrong]",
            **SAID_BY,
        },
    ),
    EventType(
        "outcome.reviewed",
        "Somebody looked at one outcome and found it right or wrong.",
        {
            "workflow": "its id",
            "case": "the case",
            "wrong": "true where it would be rejected, or edited in a field that an action uses",
            "blind": "true where it was drawn at random from what was done alone, and looked at without knowing",
            "share": "the probability with which it was drawn; 1 where everything is reviewed",
            "confidence": "how sure the model was, where that was said",
            "intent": "the id of the entry action.intended, where the gate drew it",
            "how": "where the gate drew it: by answering without seeing the answer (answer), or by looking (seen)",
            **SAID_BY,
        },
    ),
)
