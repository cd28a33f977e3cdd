"""`gate`, `approvals` and `assign`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import InstantType, as_of_option, programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.runtime import given
from trueup.cli.runtime.bypassing import bypass
from trueup.cli.runtime.reversing import reverse
from trueup.cli.runtime.settling import remind, settle, unknown
from trueup.cli.views import enforce as view
from trueup.kernel.errors import Exit, UsageError

if TYPE_CHECKING:
    from datetime import datetime


_ID = click.argument("approval", metavar="ID")
_BY = click.option("--by", metavar="WHO", required=True, help="Who decides: a person's id in programme.yaml.")
_BECAUSE = click.option("--because", metavar="WHY", help="The reason, for the record.")


@click.command()
@programme_argument
@click.argument("workflow")
@click.option(
    "--request",
    "request",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The request as JSON (- reads standard input): {tool, arguments, action, case, requester, untrusted, "
    "confidence, sources}.",
)
@click.option(
    "--recorded",
    type=click.IntRange(min=0),
    metavar="INDEX",
    help="Instead: the verdict of an entry of the ledger, with every rule.",
)
@click.option("--replay", is_flag=True, help="Instead: what recorded requests would be answered now.")
@click.option(
    "--under",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="With --replay: under the policy of another folder's files; default: those of DIR.",
)
@click.option("--since", metavar="T", type=InstantType(), help="With --replay: only requests from this instant on.")
@as_of_option
@answering("gate")
def gate(directory: Path, workflow: str, request: Path | None, as_of: datetime | None, **options: Any) -> Answer:
    """Say what the gate would answer to a request, and why. Nothing is recorded and nothing runs."""
    if [options["replay"], request is not None, options["recorded"] is not None].count(True) != 1:
        hint = "Give a request, or let recorded ones be judged again:\n    trueup gate DIR WORKFLOW --replay"
        raise UsageError("one-question", "The gate is asked about one request, or about the recorded ones.", hint)
    if options["recorded"] is not None:
        return _recorded(directory, workflow, options["recorded"])
    if request is None:
        return _replayed(directory, workflow, options["under"], options["since"], as_of)
    from trueup.enforce.verdict import Decision
    from trueup.sdk.deciding import judged

    with progress_on_stderr() as progress:
        verdict = judged(directory, workflow, lambda: given.content(request), as_of, progress=progress)
    return Answer(verdict.to_json(), view.verdict, Exit.DONE if verdict.decision is Decision.ALLOW else Exit.HELD)


def _recorded(directory: Path, workflow: str, index: int) -> Answer:
    from trueup.sdk.replaying import recorded

    with progress_on_stderr() as progress:
        data = recorded(directory, workflow, index, progress=progress)
    return Answer(data, view.recorded)


def _replayed(
    directory: Path, workflow: str, under: Path | None, since: datetime | None, as_of: datetime | None
) -> Answer:
    from trueup.sdk.replaying import replayed

    with progress_on_stderr() as progress:
        data = replayed(directory, workflow, under, since, as_of, progress=progress)
    return Answer(data, view.replay)


@click.group()
def approvals() -> None:
    """See what waits for a person, and decide."""


@approvals.command("list")
@programme_argument
@as_of_option
@answering("approvals list")
def list_(directory: Path, as_of: datetime | None) -> Answer:
    """List what waits for a person, oldest first."""
    from trueup.sdk.deciding import bypasses, waiting

    with progress_on_stderr() as progress:
        found = waiting(directory, as_of, progress=progress)
        passed = bypasses(directory, as_of, progress=progress)
    return Answer({"approvals": [approval.to_json() for approval in found], "bypasses": passed}, view.approvals)


@approvals.command()
@programme_argument
@_ID
@as_of_option
@answering("approvals show")
def show(directory: Path, approval: str, as_of: datetime | None) -> Answer:
    """Show one held step: final arguments, why it is held, until when, what undoes it, how the last like it went."""
    from trueup.sdk.deciding import approval as held

    with progress_on_stderr() as progress:
        found = held(directory, approval, as_of, progress=progress)
    return Answer(found, view.approval)


@approvals.command()
@programme_argument
@click.argument("approval", metavar="ID...", nargs=-1, required=True)
@_BY
@_BECAUSE
@answering("approvals accept")
def accept(directory: Path, approval: tuple[str, ...], by: str, because: str | None) -> Answer:
    """Say yes to a held step, once, exactly as it is; to several if they are alike and of no high impact.

    The waiting program then runs it. Of several either all are accepted, or none.
    """
    return _decided(directory, approval, "accept", by, because)


@approvals.command()
@programme_argument
@_ID
@_BY
@click.option(
    "--arguments",
    "arguments",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="The arguments to run it with instead: a JSON object.",
)
@_BECAUSE
@answering("approvals edit")
def edit(directory: Path, approval: str, by: str, arguments: Path, because: str | None) -> Answer:
    """Say yes with other arguments, which the policy has to permit."""
    return _decided(directory, (approval,), "edit", by, because, arguments)


@approvals.command()
@programme_argument
@_ID
@_BY
@_BECAUSE
@answering("approvals reject")
def reject(directory: Path, approval: str, by: str, because: str | None) -> Answer:
    """Say no to a held step."""
    return _decided(directory, (approval,), "reject", by, because)


@approvals.command()
@programme_argument
@_ID
@_BY
@_BECAUSE
@answering("approvals escalate")
def escalate(directory: Path, approval: str, by: str, because: str | None) -> Answer:
    """Hand a held step on to whom the workflow escalates."""
    return _decided(directory, (approval,), "escalate", by, because)


approvals.add_command(unknown)
approvals.add_command(settle)
approvals.add_command(remind)
approvals.add_command(reverse)
approvals.add_command(bypass)


@click.command()
@programme_argument
@click.argument("workflow")
@click.argument("case")
@click.option("--unit", metavar="U", help="The unit that the design draws by, where that is not the case.")
@click.option("--stratum", metavar="S", help="Keep the share within this stratum, in balanced blocks.")
@answering("assign")
def assign(directory: Path, workflow: str, case: str, unit: str | None, stratum: str | None) -> Answer:
    """Draw the arm of a case before it starts: the same answer ever after."""
    from trueup.sdk import routed
    from trueup.workspace import SystemClock

    with progress_on_stderr() as progress, routed(directory, workflow, progress=progress) as router:
        assignment = router.assign(case, SystemClock().now(), unit=unit, stratum=stratum)
    return Answer(assignment.to_json(), view.assignment)


def _decided(
    directory: Path,
    approvals: tuple[str, ...],
    decision: str,
    by: str,
    because: str | None,
    arguments: Path | None = None,
) -> Answer:
    from trueup.enforce.approvals import Ask
    from trueup.sdk.deciding import decide, decided_json, workflow_about
    from trueup.workspace import signer_for

    workflow_about(directory, approvals[0])
    changed = given.arguments(arguments) if arguments else None
    asks = [Ask(approval, decision, by, changed, because) for approval in dict.fromkeys(approvals)]
    with progress_on_stderr() as progress:
        decided = decide(directory, asks, lambda bench: signer_for(bench, by), progress=progress)
    held = any(one.denied is not None for one in decided)
    return Answer(decided_json(decided), view.decided, Exit.HELD if held else Exit.DONE)
