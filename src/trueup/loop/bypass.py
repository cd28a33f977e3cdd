"""Who may have an action ask nobody for a while: whoever may sign more autonomy, for it is that, for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.enforce.autonomy.rung import policy_in_force
from trueup.enforce.standing.bypass import bypassing
from trueup.kernel.errors import NotPermittedError
from trueup.loop.measure import require_workflow
from trueup.loop.permission import may_expand, may_stop, require_person
from trueup.loop.pin import put_on_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trueup.enforce.standing.bypass import Wanted
    from trueup.kernel.canonical import Json
    from trueup.loop.workbench import Workbench

    Sign = Callable[[bytes], Mapping[str, Json]]


def bypass(bench: Workbench, wanted: Wanted, sign: Sign) -> int:
    """Record a bypass, or its end; return the entry's index. Raises as `bypassing`, and NotPermittedError."""
    require_workflow(bench.programme, wanted.workflow)
    require_person(bench.programme, wanted.by)
    may = may_stop if wanted.lasts is None else may_expand
    able = sorted(may(bench.programme, wanted.workflow))
    if wanted.by not in able:
        raise NotPermittedError(
            "may-not-bypass",
            f"{wanted.by!r} may not say when {wanted.action!r} asks nobody.",
            f"These may: {', '.join(able) or 'nobody is declared who may'}.",
        )
    policy = policy_in_force(bench.programme, wanted.workflow, bench.ledger)
    at = bench.clock.now()
    return put_on_record(bench, bypassing(bench.ledger, policy, wanted, at, sign), wanted.by, at).entries[0]
