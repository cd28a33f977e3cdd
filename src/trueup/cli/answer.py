"""One envelope for every command: a typed answer becomes JSON, or the text that is rendered from the same model."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from trueup.kernel.errors import Exit, TrueupError
from trueup.kernel.text import quiet_json, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
# What is printed for people breaks its own lines; every other character that a terminal obeys was somebody else's.
_OURS = "\n\t"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: the model, how people read it, and the exit code that says what it means.

    `then` goes on after the text was printed for a person; programs that asked for JSON get their answer, and the end.
    """

    data: Mapping[str, Any]
    text: Callable[[Mapping[str, Any]], str]
    exit: Exit = Exit.DONE
    then: Callable[[], None] | None = None


def answering(command: str) -> Callable[[Callable[P, Answer]], Callable[P, None]]:
    """Turn a function that returns an Answer into a command that prints it and exits as designed.

    Adds `--json`. A TrueupError becomes an envelope with `ok: false`, or a message on stderr.
    """

    def wrap(function: Callable[P, Answer]) -> Callable[P, None]:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON envelope on stdout.")
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            # `--format json`, where a command has formats, is another word for `--json`.
            as_json = bool(kwargs.pop("as_json", False)) or kwargs.get("form") == "json"
            try:
                answer = function(*args, **kwargs)
            except TrueupError as error:
                refuse(command, error, as_json=as_json)
            except Exception as error:  # noqa: BLE001 -- programs get their envelope even where Trueup itself is wrong
                refuse(command, defect(error), as_json=as_json)
            else:
                deliver(command, answer, as_json=as_json)
                go_on(command, answer, as_json=as_json)
                sys.exit(answer.exit)

        return run

    return wrap


def defect(error: Exception) -> TrueupError:
    """Turn an error that nobody foresaw into one that can be shown; its traceback goes to stderr."""
    import traceback

    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    return TrueupError(
        "defect",
        f"Trueup itself failed: {type(error).__name__}.",
        "This is a defect in Trueup, not in your files. Please report it with the lines above.",
    )


def deliver(command: str, answer: Answer, *, as_json: bool) -> None:
    """Print an answer."""
    if as_json:
        click.echo(quiet_json({"ok": True, "command": command, "data": answer.data}))
    else:
        text = answer.text(answer.data)
        if text:
            click.echo(visible(text, keep=_OURS))


def go_on(command: str, answer: Answer, *, as_json: bool) -> None:
    """Do what follows the text, for a person."""
    if answer.then is None or as_json:
        return
    try:
        answer.then()
    except TrueupError as error:
        refuse(command, error, as_json=False)


def refuse(command: str, error: TrueupError, *, as_json: bool) -> None:
    """Print what failed and what to do next, and exit with the error's code."""
    if as_json:
        click.echo(quiet_json({"ok": False, "command": command, "error": error.to_json()}))
    else:
        click.echo(visible(f"trueup {command}: {error.message}", keep=_OURS), err=True)
        for finding in error.findings:
            click.echo(visible(f"  {finding.where}: {finding.code} {finding.summary}", keep=_OURS), err=True)
            click.echo(visible(f"      {finding.detail}", keep=_OURS), err=True)
        if error.hint:
            click.echo(visible(error.hint, keep=_OURS), err=True)
    sys.exit(error.exit_code)
