"""What was asked for, answered, done and stopped: entries of the gate, its doors, and what watches over them."""

from __future__ import annotations

from trueup.ledger.types.event_type import SAID_BY, EventType

_STEP = {"workflow": "the workflow's id", "action": "the declared action", "step": "the step of the workflow"}

TYPES = (
    EventType(
        "case.assigned",
        "The router drew the arm of a case, before the case began.",
        {
            "workflow": "the workflow's id",
            "case": "the case",
            "unit": "what was drawn: the case, or the unit of the design that it belongs to",
            "arm": "treated or control",
            "salt": "what the draw was made with: a hash of salt and unit",
            "share": "the treated share that was declared",
            "stratum": "the stratum whose balanced blocks the arm comes from, where one was given",
        },
    ),
    EventType(
        "action.intended",
        "A request reached the gate. Written before anything is decided; a limit per day counts these.",
        {
            "workflow": "the workflow's id",
            "action": "the declared action, null where the request fits none",
            "tool": "the tool",
            "step": "the step of the workflow: the key by which it runs once",
            "digest": "keyed digest (HMAC-SHA-256) of the canonical tool and final arguments, null without such a form",
            "case": "the case that it is for",
            "requester": "who asked for it",
            "runner": "the process that asked the gate",
            "reserved": "what it takes from limited sums, by argument: sealed, readable with the programme's key",
            "confidence": "how sure the model said it was, 0 to 1; left out where it said nothing",
            "sources": "the names of what its answer rests on; left out where it named none",
            "untrusted": "names of the arguments that stem from content nobody vouches for (the first 4 kB); left out "
            "where none do",
        },
    ),
    EventType(
        "trail.extended",
        "A case that follows where values come from has read more; what it knows outlives the process.",
        {
            "workflow": "the workflow's id",
            "case": "the case",
            "digest": "keyed digest of the marks, which lie outside the ledger",
            "marks": "how many there are",
        },
    ),
    EventType(
        "action.judged",
        "The gate answered. Written before anything runs; of two processes only one can write it.",
        {
            **_STEP,
            "intent": "the id of the entry action.intended",
            "verdict": "allow, hold or deny",
            "decisive": "the rule that decided",
            "rules": "the rules that applied",
            "policy": "the version of the policy: SHA-256 of all that a verdict rests on",
            "approval": "the approval that it uses up, where it is the second answer to a step",
            "runner": "the process that asked the gate",
            "reserved": "as in action.intended, for the arguments that a person accepted",
            "review": "where it is done without a person: whether its case is drawn for a blind review, and the share",
        },
    ),
    EventType(
        "action.finished",
        "The call came back, or failed. An allowed step without this entry is unknown, and is not run again.",
        {
            **_STEP,
            "ended": "done or failed",
            "result": "keyed digest of the canonical result, null where it has no such form",
            "error": "the kind of error, for a failed one",
            "impact": "high, for an action that is declared so: it has a receipt",
            "digest": "for such an action, as in action.intended: the arguments that it was called with",
            "seconds": "how long it took",
            "cost": "what a call costs, as declared; left out where nothing is",
            "reversible_by": "the tool that undoes it, as declared; left out where none is",
        },
    ),
    EventType(
        "approval.requested",
        "A person has to say yes before a step may go on.",
        {
            "approval": "the approval's id",
            "workflow": "the workflow's id",
            "action": "the declared action",
            "tool": "the tool",
            "step": "the step of the workflow",
            "intent": "the id of the entry action.intended",
            "digest": "keyed digest of the canonical tool and final arguments; their text lies outside the ledger",
            "policy": "the version of the policy that held it",
            "reasons": "why it was held",
            "approvers": "who may decide",
            "requester": "who asked for it, and may not decide",
            "case": "the case that it is for",
            "expires_at": "from then on it is a no",
            "reversible_by": "the tool that undoes it",
            "impact": "what the action can do to the world, as declared; high where nobody said",
            "approvers_needed": "how many people have to say yes, where that is more than one",
            "escalates_at": "from then on `escalates_to` may decide too",
            "escalates_to": "to whom it is handed on by its age",
            "confidence": "as in action.intended",
            "sources": "as in action.intended",
            "untrusted": "as in action.intended",
        },
    ),
    EventType(
        "approval.seconded",
        "One of several people who have to say yes has; the last one's yes is approval.decided.",
        {
            "approval": "the approval's id",
            "intent": "the id of the entry action.intended",
            "decision": "accepted",
            "digest": "as in approval.decided",
            "policy": "as in approval.decided",
            "because": "the reason given",
            "to": "null",
            **SAID_BY,
        },
    ),
    EventType(
        "approval.decided",
        "Somebody decided on a held step, or handed it on.",
        {
            "approval": "the approval's id",
            "intent": "the id of the entry action.intended",
            "decision": "accepted, edited, rejected or escalated",
            "digest": "SHA-256 of the canonical tool and arguments that were decided on",
            "policy": "the version of the policy that was decided under",
            "because": "the reason given",
            "to": "to whom it was handed on",
            "signature": "as in change.decided",
            "claimed": "as in change.decided; over HTTP api:WHO, by whose token it came",
        },
    ),
    EventType(
        "approval.bypassed",
        "For a while an action asks no person, but for what is held for another reason. Ended by an entry with the end "
        "now, by another policy or level, and by itself.",
        {
            "workflow": "the workflow's id",
            "action": "the declared action",
            "policy": "the version of the policy under which it holds",
            "until": "from then on a person is asked again; at most 24 hours",
            "because": "the reason given",
            **SAID_BY,
        },
    ),
    EventType(
        "action.settled",
        "A person found out what became of an allowed step that has no outcome. It is not run again either way.",
        {
            **_STEP,
            "intent": "the id of the entry action.intended",
            "happened": "true when it took effect",
            "because": "what they saw",
            **SAID_BY,
        },
    ),
    EventType(
        "kill.switched",
        "Somebody stopped a workflow or the whole programme, or let it go on. Holds for the next action, everywhere.",
        {
            "workflow": "the workflow's id, null for all",
            "to": "killed or running",
            "because": "the reason given",
            **SAID_BY,
        },
    ),
    EventType(
        "tool.pinned",
        "A tool's definition was pinned: on first use, or by somebody. A call with another one is denied.",
        {
            "workflow": "the workflow's id",
            "tool": "the tool",
            "definition": "SHA-256 of the canonical definition; its text lies outside the ledger",
            "replaces": "SHA-256 of the definition that was pinned before",
            "because": "the reason given",
            **SAID_BY,
        },
    ),
    EventType(
        "tool.offered",
        "A server described a tool otherwise than it is pinned. It is denied until somebody pins it.",
        {
            "workflow": "the workflow's id",
            "tool": "the tool",
            "definition": "SHA-256 of the canonical definition that is offered",
            "pinned": "SHA-256 of the one that is pinned",
        },
    ),
    EventType(
        "body.erased",
        "A text that the ledger names by its digest was erased. Its digest stays, and no proof changes.",
        {
            "digest": "the digest under which it was kept",
            "because": "the reason given, or the rule by which it was due",
            "entry": "the newest entry that names it, null where none does",
        },
    ),
    EventType(
        "autonomy.set",
        "The level at which a workflow acts was set without a signature: noted, or taken back.",
        {
            "workflow": "the workflow's id",
            "from": "the level in force before",
            "to": "the level in force from the next action on",
            "cause": "noted (a gate saw for the first time what acts), alarm or basis",
            "because": "the numbers, or what is another one",
            "basis": "SHA-256 of what acts: model, prompts, actions, knowledge, policies",
        },
    ),
    EventType(
        "request.refused",
        "A door turned something away before the gate: no plain JSON, or a token that is none. Written for the 1st, "
        "10th, 100th ... of a day, and when the day or the door ends.",
        {
            "door": "gateway or api",
            "workflow": "the workflow that the door is for, null for a door to all",
            "reason": "why, in one word",
            "day": "the day (UTC) that is counted",
            "count": "how often on that day, by this process",
            "digest": "keyed digest of what was sent when the 1st, 10th, 100th ... was counted; the text is not kept",
            "runner": "the process",
        },
    ),
    EventType(
        "approval.told",
        "People were told that a held step has become old, and who else may decide on it now. Written before the "
        "message is sent: it is sent once at most.",
        {
            "approval": "the approval's id",
            "workflow": "the workflow's id",
            "action": "the declared action",
            "step": "escalated: whoever the workflow escalates to may decide from now on",
            "runner": "the process that told it",
        },
    ),
)
