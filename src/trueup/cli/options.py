"""Arguments that several commands share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trueup.kernel.clock import parse_instant
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import Callable


class InstantType(click.ParamType[datetime]):
    """An ISO 8601 date or instant; without a zone it is UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the text, or fail with how to write it."""
        try:
            return parse_instant(str(value))
        except TrueupError as error:
            self.fail(f"{error.message} {error.hint}", param, ctx)


def programme_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the programme folder as the first argument."""
    return click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))(function)


def as_of_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--as-of T`."""
    return click.option(
        "--as-of", metavar="T", type=InstantType(), help="Look from this date or instant (UTC); default: now."
    )(function)
