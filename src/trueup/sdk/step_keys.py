"""The key by which a call runs once: made of its case and arguments, and refused where it would be made of nothing."""

from __future__ import annotations

import inspect
from string import Formatter
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def check_step(action: str, step: str | None, function: Callable[..., Any]) -> None:
    """Refuse a step that no call could fill in, before there is a call. Raises UsageError."""
    try:
        fields = _fields(step or "")
    except ValueError as error:
        hint = 'Write it as "{case}/{NAME}".'
        raise UsageError("unreadable-step", f"The step of {action!r} cannot be read: {error}.", hint) from None
    parameters = inspect.signature(function).parameters
    open_ended = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    for name in fields:
        if name not in {"case", *parameters} and not (open_ended and name.isidentifier()):
            raise _no_such_field(action, name, parameters)


def step_key(step: str, action: str, workflow: str, case: str | None, arguments: Mapping[str, Any]) -> str:
    """Return a step, filled in. Raises UsageError: without a case, all calls of nobody's case would be one step."""
    known = ({} if case is None else {"case": case}) | dict(arguments)
    missing = [name for name in _fields(step) if name not in known]
    if "case" in missing:
        hint = f"Call it within one:\n    with {workflow}.case('CASE'):"
        raise UsageError("no-case", f"The step of {action!r} is made of a case, and there is none.", hint)
    if missing:
        raise _no_such_field(action, missing[0], arguments)
    try:
        return step.format(**known)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        says = f"The step of {action!r} cannot be filled in with these arguments: {error}."
        raise UsageError("step-of-nothing", says, 'Make it of plain arguments, as in "{case}/{NAME}".') from None


def _fields(step: str) -> list[str]:
    """Return the names that a step is made of. Raises ValueError for what is no format."""
    found = []
    for _, name, form, _ in Formatter().parse(step):
        if name is not None:
            # How wide a field is written may be made of another one.
            found += [name.partition(".")[0].partition("[")[0], *_fields(form or "")]
    return found


def _no_such_field(action: str, name: str, known: Iterable[str]) -> UsageError:
    hint = f"There are: {', '.join(dict.fromkeys(['case', *known]))}."
    return UsageError("step-of-nothing", f"The step of {action!r} is made of {name!r}, which is no argument.", hint)
