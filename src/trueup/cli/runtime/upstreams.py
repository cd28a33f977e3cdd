"""How commands are told of tool servers: by a command, by an address, or by `servers` in programme.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from trueup.connectors.mcp.upstream import Server
    from trueup.declare.programme import Programme

_DRAFT = "    trueup tools draft DIR"
_HINT = """Declare it under `servers`, or name it at the end of this command: by what starts it, or with --http URL.
    -- npx -y SERVER"""


_OPTIONS = (
    click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]"),
    click.option(
        "--http", "url", metavar="URL", help="The tool server's address, where it is not started by a command."
    ),
    click.option("--name", default="", metavar="NAME", help="Show its tools as NAME.TOOL; default: their own names."),
    click.option("--env", multiple=True, metavar="KEY=env:NAME", help="Give the server a variable; may be repeated."),
    click.option("--header", multiple=True, metavar="KEY=env:NAME", help="Send a header to --http; repeatable."),
)


def servers_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a server's command, or its address, its name, and what it is given."""
    for add in reversed(_OPTIONS):
        function = add(function)
    return function


def require_runtime() -> None:
    """Raise UsageError where the libraries are not installed that speak with tool servers."""
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        hint = "Install them:\n    pip install 'trueup[runtime]'"
        raise UsageError("no-runtime", "This needs the runtime's libraries.", hint)


def servers_of(directory: Path, workflow: str | None, options: Mapping[str, Any]) -> list[Server]:
    """Return the servers that are given, else the declared ones that a workflow uses; without a workflow, all of them.

    Raises UsageError for two ways to one server, for none, and for a setting that is not there.
    """
    from trueup.connectors.mcp.upstream import Server

    command, url = options["command"], options["url"]
    if command and url:
        raise UsageError("two-servers", "A command and --http name two servers.", "Give one, or declare `servers`.")
    if not command and not url:
        return _declared(directory, workflow)
    env, hidden = values_of(_pairs(options["env"]))
    headers, more = values_of(_pairs(options["header"]))
    return [Server(options["name"], tuple(command), url, env, headers, hidden + more)]


def _declared(directory: Path, workflow: str | None) -> list[Server]:
    """Return the declared servers whose tools the workflow uses; all of them without one."""
    from trueup.connectors.mcp.upstream import Server
    from trueup.workspace import SystemClock, checked_programme

    programme = checked_programme(directory, SystemClock()).programme
    declared = programme.file.servers
    used = set(declared) if workflow is None else _used(programme, workflow)
    found = []
    for name, item in declared.items():
        if name in used:
            env, hidden = values_of(item.env)
            headers, more = values_of(item.headers)
            found.append(Server(name, tuple(item.command), item.url, env, headers, hidden + more, str(directory)))
    if not found and declared:
        known = ", ".join(f"{name}.TOOL" for name in declared)
        hint = f"Write `tool: {known}`. What the servers offer, as a draft of `actions`:\n{_DRAFT}"
        raise UsageError("no-server", f"No action of {workflow!r} uses a tool of a declared server.", hint)
    if not found:
        raise UsageError("no-server", "No tool server is given, and none is declared.", _HINT)
    return found


def _used(programme: Programme, workflow: str) -> set[str]:
    from trueup.enforce.policy import compile_policy

    actions = compile_policy(programme, workflow).actions
    return {action.tool.partition(".")[0] for action in actions.values() if action.tool}


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise UsageError("bad-pair", f"{text!r} is not KEY=VALUE.", "Write KEY=env:NAME.")
        found[key] = value
    return found


def values_of(texts: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return values with what the environment alone may say, and the secrets among them. Raises UsageError."""
    from trueup.workspace import from_environment

    return from_environment(texts)
