"""`gateway`: an MCP server that shows other servers' tools, governed."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.runtime.upstreams import require_runtime, servers_of, servers_options, values_of
from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.connectors.mcp.gateway import Gateway
    from trueup.enforce.untrusted.provenance import Provenance
    from trueup.sdk.governed import GovernedWorkflow

_LOOPBACK = "127.0.0.1"


@click.command()
@programme_argument
@click.argument("workflow")
@servers_options
@click.option("--listen", type=click.IntRange(0, 65535), metavar="PORT", help="Serve over HTTP instead of stdio.")
@click.option("--host", default=_LOOPBACK, show_default=True, help="The address that --listen binds.")
@click.option("--token", metavar="env:NAME", help="With --listen: agents have to send this as a bearer token.")
@click.option("--case", metavar="CASE", help="The case that all calls are for.")
@click.option("--requester", metavar="WHO", help="On whose behalf the agent calls: they cannot approve it.")
@click.option(
    "--request",
    "asked",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What the person asked for, as text: arguments that stem from what tools return instead are held.",
)
@click.option("--wait", type=click.FloatRange(0, 3600), default=0.0, metavar="SECONDS", help="Let held calls wait.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=60.0, metavar="SECONDS", help="For a tool to end.")
@answering("gateway")
def gateway(directory: Path, workflow: str, **options: Any) -> Answer:
    """Show another server's tools to an agent, each call through the gate."""
    require_runtime()
    import anyio

    from trueup.connectors.mcp.gateway import Gateway, Terms
    from trueup.sdk import governed
    from trueup.workspace import new_token

    servers = servers_of(directory, workflow, options)
    _require_open_door_is_meant(options)
    with progress_on_stderr() as progress, governed(directory, workflow, progress=progress) as gate:
        # Before anybody is served: what cannot be masked is not passed on in silence.
        gate.masking()
        terms = Terms(
            new_token,
            options["case"],
            options["requester"],
            options["wait"],
            options["timeout"],
            trail=_trail(gate, options),
        )
        made = Gateway(gate, servers, terms, _say)
        with suppress(KeyboardInterrupt):
            anyio.run(_serve, made, options)
    return Answer({"workflow": workflow, "servers": [server.name for server in servers]}, lambda _: "")


async def _serve(made: Gateway, options: Mapping[str, Any]) -> None:
    from trueup.connectors.mcp.serving import over_http, over_stdio

    # What is loaded by now stays to the end: it is not looked through again and again for what nobody needs.
    gc.collect()
    gc.freeze()
    if options["listen"] is None:
        await over_stdio(made)
        return
    token = values_of({"token": options["token"]})[0]["token"] if options["token"] else None
    await over_http(made, options["host"], options["listen"], lambda link: _say(f"The gateway listens: {link}"), token)


def _trail(gate: GovernedWorkflow, options: Mapping[str, Any]) -> Provenance | None:
    """Return the trail of a case: of one whose request is known, or that was followed before."""
    asked, case = options["asked"], options["case"]
    try:
        text = None if asked is None else asked.read_text("utf-8")
        return gate.trail(case, text) if case or text else None
    except (OSError, UnicodeDecodeError):
        raise UsageError("bad-request", f"{asked.name!r} cannot be read as text.", "Save it as UTF-8.") from None


def _require_open_door_is_meant(options: Mapping[str, Any]) -> None:
    if (
        options["listen"] is not None
        and options["host"] not in {_LOOPBACK, "localhost", "::1"}
        and not options["token"]
    ):
        raise UsageError(
            "open-door",
            f"Whoever reaches {options['host']} could call these tools.",
            "Add a token that agents have to know:\n    --token env:NAME",
        )


def _say(line: str) -> None:
    click.echo(f"trueup gateway: {line}", err=True)
