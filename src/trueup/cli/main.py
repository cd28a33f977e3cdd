"""`trueup`: commands are found by name and imported only when they are called, so that start-up stays short."""

from __future__ import annotations

import importlib
import os
import sys

import click

from trueup import __version__
from trueup.cli.answer import refuse
from trueup.kernel.errors import UsageError
from trueup.kernel.text import did_you_mean

# name -> (module, attribute, one line for --help); the order is the order in which a newcomer meets them.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "new": ("trueup.cli.programme", "new", "Write a starter programme from a file of answers."),
    "check": ("trueup.cli.programme", "check", "Find what is wrong in the declared files: file:line:col, why, fix."),
    "explain": ("trueup.cli.programme", "explain", "Print the page of a finding code."),
    "schema": ("trueup.cli.programme", "schema", "Write the JSON Schemas of the declared files, for editors."),
    "assess": ("trueup.cli.choose", "assess", "Say where to begin: readiness, route, next four weeks."),
    "rank": ("trueup.cli.choose", "rank", "Rank the use cases: ranges, what fits, how sure, and why."),
    "roadmap": ("trueup.cli.choose", "roadmap", "Plan 30, 60 and 90 days, and the twelve weeks of each pilot."),
    "brief": ("trueup.cli.choose", "brief", "Write the strategy on one page, as Markdown or HTML."),
    "baseline": ("trueup.cli.evidence", "baseline", "Measure and lock what a pilot will be compared with."),
    "measure": ("trueup.cli.evidence", "measure", "Compute the KPIs from the events."),
    "record": ("trueup.cli.record", "record", "Put spend, effort, training, evidence or an incident on record."),
    "review": ("trueup.cli.review", "review", "List what the evidence changes."),
    "why": ("trueup.cli.review", "why", "Open a change: readings, formula, events, declared line."),
    "apply": ("trueup.cli.review", "apply", "Sign a review: files, record and git follow."),
    "gate": ("trueup.cli.enforce", "gate", "Say what the gate would answer to a request, and why."),
    "approvals": ("trueup.cli.enforce", "approvals", "See what waits for a person, and decide."),
    "autonomy": ("trueup.cli.runtime.autonomy", "autonomy", "Choose the confidence that is enough; review blind."),
    "gateway": ("trueup.cli.runtime.gateway", "gateway", "Put the gate before an agent: its tools, governed (MCP)."),
    "tools": ("trueup.cli.runtime.tools", "tools", "See what tools say of themselves, and pin it."),
    "kill": ("trueup.cli.runtime.switch", "kill", "Stop a workflow, or all of them, at the next action."),
    "resume": ("trueup.cli.runtime.switch", "resume", "Let what was stopped go on."),
    "assign": ("trueup.cli.enforce", "assign", "Draw the arm of a case before it starts."),
    "ledger": ("trueup.cli.ledger", "ledger", "Verify the record, open an entry, export a proof."),
    "serve": ("trueup.cli.serve", "serve", "Look at it in a browser, on this machine only."),
    "demo": ("trueup.cli.demo", "demo", "Take a simulated programme through fifteen weeks."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        """Import and return a command; its help opens with the line that lists it."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, attribute, line = entry
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            return None
        command.help = command.help or line
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            message = f"There is no command {name!r}.{did_you_mean(name, COMMANDS)}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- as above
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trueup")
def cli() -> None:
    """Keep the strategy and what runs in one loop: files declare, measures observe, gates decide."""


def main() -> None:
    """Run the command line; usage errors leave the same envelope as every other error."""
    try:
        cli.main(prog_name="trueup", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.format_message())
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader has gone (`trueup review | head`) with what it wanted; the interpreter's last flush must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except click.ClickException as error:
        refuse_usage(error)


def refuse_usage(error: click.ClickException) -> None:
    """Say how the command is called."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "trueup"
    hint = context.get_usage() if context is not None else "trueup --help lists the commands."
    name = path.removeprefix("trueup").strip() or "trueup"
    refuse(name, UsageError("usage", error.format_message(), hint), as_json="--json" in sys.argv)
