"""`approvals reverse`: a step undone by the tool that is declared for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.runtime import given
from trueup.cli.runtime.upstreams import require_runtime, servers_of, servers_options
from trueup.cli.views import enforce as view
from trueup.kernel.errors import ConflictError, Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.connectors.mcp.once.calling import Call
    from trueup.enforce.acting.outcome import Outcome
    from trueup.kernel.canonical import Json
    from trueup.sdk.reversing import Undoing


@click.command()
@programme_argument
@click.argument("step", metavar="ID")
@servers_options
@click.option("--by", metavar="WHO", required=True, help="Who asks: a person's id in programme.yaml.")
@click.option(
    "--arguments",
    "arguments",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The arguments of the tool that undoes it, a JSON object; default: those that the step was called with.",
)
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=60.0, metavar="SECONDS", help="For the tool.")
@answering("approvals reverse")
def reverse(directory: Path, step: str, by: str, arguments: Path | None, **options: Any) -> Answer:
    """Undo a step that was done, by the tool of its `reversible_by`, through the gate, once.

    Where a person has to say yes, it waits for one, who is not the one who asked; asked for again, it runs. Servers are
    those of programme.yaml, or one given here: its command behind --, or --http.
    """
    require_runtime()
    import anyio

    from trueup.connectors.mcp.once.calling import with_tool
    from trueup.connectors.mcp.upstream import silence
    from trueup.enforce.steps import State
    from trueup.sdk.reversing import reversed_json, reversing

    silence()
    others = given.arguments(arguments) if arguments else None
    with progress_on_stderr() as progress, reversing(directory, step, by, others, progress=progress) as undoing:
        servers = servers_of(directory, undoing.reversal.workflow, options)
        use = partial(_through, undoing)
        outcome = anyio.run(with_tool, servers, undoing.reversal.tool, options["timeout"], _say, use)
        data = reversed_json(undoing, outcome)
    if outcome.state is State.DONE and outcome.verdict is None:
        raise ConflictError("done-before", f"{step!r} was undone before (step {undoing.reversal.step!r}).", "")
    return Answer(data, view.reversal, Exit.DONE if outcome.state is State.DONE else Exit.HELD)


async def _through(undoing: Undoing, definition: Mapping[str, Json], call: Call) -> Outcome:
    """Take the call through the gate, held against the definition that is pinned."""
    from trueup.connectors.mcp.upstream import ToolFailedError, UnreachableError
    from trueup.enforce.acting.outcome import UncertainError

    reversal = undoing.reversal
    try:
        offered = undoing.gate.offer(reversal.tool, definition)
    except (ValueError, RecursionError) as error:
        says = f"{reversal.of!r} is not undone: {reversal.tool!r} is described so that it cannot be pinned ({error})."
        raise ConflictError("tool-failed", says, "Have its server mended; it can be asked for again.") from None
    try:
        return await undoing.run_async(call, offered)
    except UncertainError:
        hint = "Look where it acts, then say what you found:\n    trueup approvals unknown DIR"
        raise ConflictError("outcome-unknown", f"Nobody knows whether {reversal.of!r} is undone.", hint) from None
    except (ToolFailedError, UnreachableError) as error:
        says = f"{reversal.of!r} is not undone: {reversal.tool!r} failed ({type(error).__name__})."
        raise ConflictError(
            "tool-failed", says, "Look what it says where it acts; it can be asked for again."
        ) from None


def _say(line: str) -> None:
    click.echo(f"trueup approvals reverse: {line}", err=True)
