"""`tools`: what the servers behind the gateway say of their tools, and whether that is what was pinned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.cli.answer import Answer, answering
from trueup.cli.options import programme_argument
from trueup.cli.progress import progress_on_stderr
from trueup.cli.runtime.upstreams import require_runtime, servers_of, servers_options
from trueup.cli.views import runtime as view

if TYPE_CHECKING:
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.standing.pins import Pin, Registry
    from trueup.loop.workbench import Workbench


@click.group()
def tools() -> None:
    """See what tools say of themselves, and pin it."""


@tools.command()
@programme_argument
@servers_options
@click.option(
    "--read",
    "reads",
    multiple=True,
    metavar="TOOL",
    help="You say so too: it only reads (a name, or a pattern with *); repeatable. What its server does not say only "
    "reads stays of high impact.",
)
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=60.0, metavar="SECONDS", help="For a server.")
@answering("tools draft")
def draft(directory: Path, reads: tuple[str, ...], timeout: float, **options: Any) -> Answer:
    """Draft a workflow's `actions` from the tools that servers offer. Nothing is written, recorded or called.

    Everything has a high impact, and a person decides each time, until you say otherwise. Servers are those of
    programme.yaml, or one given here: its command behind --, or --http.
    """
    require_runtime()
    import anyio

    from trueup.connectors.mcp.offering import offered
    from trueup.connectors.mcp.upstream import silence
    from trueup.declare.drafting import draft as drafted

    silence()
    made = drafted(anyio.run(offered, servers_of(directory, None, options), timeout), reads)
    data = {"actions": [one.to_json() for one in made.actions], "left_out": list(made.left_out), "yaml": made.text()}
    return Answer(data, view.draft)


@tools.command("list")
@programme_argument
@click.argument("workflow")
@answering("tools list")
def list_(directory: Path, workflow: str) -> Answer:
    """List the tools that a server has offered, with the pinned definition and another one that is offered now."""
    from trueup.workspace import opened

    with progress_on_stderr() as progress, opened(directory, progress, workflow=workflow) as bench:
        registry = _registry(bench, workflow)
        found = [_shown(pin, registry.bodies) for pin in registry.pins.all()]
    return Answer({"tools": found}, view.tools)


@tools.command()
@programme_argument
@click.argument("workflow")
@click.argument("tool")
@click.option("--by", metavar="WHO", required=True, help="Who says so: a person's id in programme.yaml.")
@click.option("--because", metavar="WHY", required=True, help="The reason, for the record.")
@answering("tools pin")
def pin(directory: Path, workflow: str, tool: str, by: str, because: str) -> Answer:
    """Pin the definition that is offered now: from then on it may be called, under the same policy."""
    from trueup.workspace import opened, signer_for

    with progress_on_stderr() as progress, opened(directory, progress, write=True, workflow=workflow) as bench:
        registry = _registry(bench, workflow)
        entry = registry.pin(bench.programme, tool, by, because, bench.clock.now(), signer_for(bench, by))
        pinned = next(pin for pin in registry.pins.all() if pin.tool == tool)
        found = _shown(pinned, registry.bodies)
    return Answer({"entry": entry, "tools": [found]}, view.pinned)


def _registry(bench: Workbench, workflow: str) -> Registry:
    from trueup.enforce.policy import compile_policy
    from trueup.enforce.standing.pins import Pins, Registry
    from trueup.workspace import bodies_of

    compile_policy(bench.programme, workflow)
    return Registry(workflow, bench.ledger, bodies_of(bench.root), Pins(bench.ledger, workflow))


def _shown(pin: Pin, bodies: Bodies) -> dict[str, Any]:
    import json

    texts = {"text": bodies.get(pin.definition), "offered_text": bodies.get(pin.offered) if pin.offered else None}
    return pin.to_json() | {key: json.loads(text) if text else None for key, text in texts.items()}
