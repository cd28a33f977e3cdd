"""Pages of what stands before every rule: files that cannot be read, values that cannot be meant, waivers."""

from __future__ import annotations

from trueup.declare.check.rule import elsewhere
from trueup.kernel.finding import Severity


@elsewhere("FILE01", Severity.ERROR, "File that cannot be read")
def unreadable() -> None:
    """A declared file is text that a person can read and compare.

    A binary file, one that is not UTF-8, or one of a size that no person wrote, is not read at all. The other
    files are still checked; what this one declares counts as unknown, not as absent.

    Fix:
        Save it as UTF-8 text, or move it out of the programme's folders. Data belongs where `source` points.

    Bad:
        use-cases/triage.yaml         # a spreadsheet that was renamed

    Good:
        use-cases/triage.yaml         # text, UTF-8
    """


@elsewhere("FILE02", Severity.ERROR, "File in a place or under a name that is not read")
def misplaced() -> None:
    """A file that nobody reads declares nothing, while somebody believes that it does.

    An id is the stem of a file's name and stands in other files, in the ledger and in addresses of pages. So the
    name is `ID.yaml`, in small letters, digits and dashes, directly in `use-cases/`, `workflows/` or
    `registrations/`.

    Fix:
        Rename or move the file.

    Bad:
        workflows/Expense Approval.yml

    Good:
        workflows/expense-approval.yaml
    """


@elsewhere("FILE03", Severity.NOTE, "Question that is still open")
def open_question() -> None:
    """A `TODO` in a comment says that somebody owes an answer.

    `trueup new` leaves one behind every key for which there was no answer. What the answer is needed for may be
    refused until it is given.

    Fix:
        Write the value, and delete the comment.

    Bad:
        sponsor:  # TODO: the id of the person who pays and decides

    Good:
        sponsor: coo
    """


@elsewhere("YAML01", Severity.ERROR, "Text that is not YAML")
def syntax() -> None:
    """Where the syntax breaks, nothing after it can be trusted to mean what it seems to.

    Tabs used as indentation, brackets and quotes that are never closed, and a `key:value` without its space are
    the usual causes. The place is where the reader gave up; the cause is there or a line above.

    Fix:
        Close the bracket or quote, use spaces for indentation, put a space behind the colon.

    Bad:
        people: {coo: {name: Ada Osei}

    Good:
        people: {coo: {name: Ada Osei}}
    """


@elsewhere("YAML02", Severity.ERROR, "Key that is given twice")
def duplicate_key() -> None:
    """Of two values under one key only one can count, and a reader cannot see which.

    Readers of YAML keep the last and say nothing. Here it is an error, because the first may be the one that
    everybody believes in.

    Fix:
        Delete one of the two.

    Bad:
        owner: clerk
        owner: finance-lead

    Good:
        owner: finance-lead
    """


@elsewhere("YAML03", Severity.ERROR, "Aliases, tags, or nesting beyond what a person reads")
def expansion() -> None:
    """A few lines of aliases can stand for gigabytes, and nesting without end for a crash.

    Declared files say what they mean where they say it, so that a line in a review is the whole of what changed.
    Aliases are not read, and neither are tags, which ask a reader to construct something.

    Fix:
        Write the value out where it is needed.

    Bad:
        first: &same [20000, 35000, 60000]
        second: *same

    Good:
        first: [20000, 35000, 60000]
        second: [20000, 35000, 60000]
    """


@elsewhere("KEY01", Severity.ERROR, "Unknown key")
def unknown_key() -> None:
    """A key that nobody reads is a rule that silently does nothing.

    Most are misspelt. Somebody believes that they declared a limit, and it does not exist.

    Fix:
        Correct the spelling (the finding says what comes close), or delete the key. Notes belong in comments.

    Bad:
        worth_haveing: -10%

    Good:
        worth_having: -10%
    """


@elsewhere("TYPE01", Severity.ERROR, "Value that cannot be meant")
def wrong_value() -> None:
    """A value of the wrong kind is never turned into another behind somebody's back.

    A word outside a closed list, a range out of order, a date that does not exist, a number where a length of time
    belongs: each could be read in two ways, so it is read in none.

    Fix:
        Write it in the form that the finding names.

    Bad:
        matures_after: 21             # days? weeks?

    Good:
        matures_after: 21d
    """


@elsewhere("REF01", Severity.ERROR, "Reference to something that does not exist")
def dangling_reference() -> None:
    """Files refer to each other by id; an id that leads nowhere leaves a promise without its object.

    The id of a use case or a workflow is its file's name without `.yaml`; people, objectives and data are named by
    their keys in `programme.yaml`; a KPI is `workflow.kpi`.

    Fix:
        Correct the id (the finding says what comes close), or declare what it refers to.

    Bad:
        objective: repay-fast

    Good:
        objective: repay-faster       # stands under objectives in programme.yaml
    """


@elsewhere("WAIV01", Severity.WARNING, "Waiver that has expired")
def expired_waiver() -> None:
    """A waiver is a promise to come back to it by a date.

    Past the date the finding stands again, and the waiver says only that somebody knew. `until` is inclusive.

    Fix:
        Repair what was waived and delete the waiver, or have it renewed by the person who may.

    Bad:
        waivers: [{code: PORT06, because: tender open, by: coo, until: 2018-02-01}]      # it is March

    Good:
        waivers: [{code: PORT06, because: tender extended, by: coo, until: 2018-05-01}]
    """


@elsewhere("WAIV02", Severity.WARNING, "Waiver without effect")
def idle_waiver() -> None:
    """A waiver that matches nothing will one day match something that nobody meant.

    Its code may be misspelt or may not be waivable (files that cannot be read or understood are not), its place may
    name a file that is not there, or what it waived has been repaired.

    Fix:
        Delete it, or correct its `code` or `at`. `at` is a file, or a file and a key path, with `*` as wildcard.

    Bad:
        waivers: [{code: PORT6, because: tender open, by: coo, until: 2018-02-01}]

    Good:
        waivers: [{code: PORT06, at: use-cases/triage.yaml, because: tender open, by: coo, until: 2018-02-01}]
    """


@elsewhere("WAIV03", Severity.WARNING, "Waiver by somebody who may not waive")
def unauthorised_waiver() -> None:
    """Whoever is measured by a rule does not excuse themselves from it.

    Waivers belong to the sponsor and to those in `operating_model.decides`. The waiver is still shown and still
    counts, with this finding beside it.

    Fix:
        Have it given by the sponsor or by somebody in `operating_model.decides`.

    Bad:
        waivers: [{code: PORT06, because: tender open, by: clerk, until: 2018-02-01}]

    Good:
        waivers: [{code: PORT06, because: tender open, by: coo, until: 2018-02-01}]
    """


RULES = (
    unreadable,
    misplaced,
    open_question,
    syntax,
    duplicate_key,
    expansion,
    unknown_key,
    wrong_value,
    dangling_reference,
    expired_waiver,
    idle_waiver,
    unauthorised_waiver,
)
