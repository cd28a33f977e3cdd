"""Who is told when a step is held: the addresses stand in the environment, because they hold passwords."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.connectors.notify import Notifier
    from trueup.declare.programme import Programme

_LOG = logging.getLogger("trueup.notify")


def notifier_of(programme: Programme) -> Notifier | None:
    """Return what tells people; None where the programme names nobody, or the setting is not there (it is logged)."""
    if programme.file.notify is None:
        return None
    name = programme.file.notify.removeprefix("env:")
    addresses = os.environ.get(name, "").split()
    if not addresses:
        _LOG.warning("the setting %s is empty, so nobody is told of held steps", name)
        return None
    from trueup.connectors.notify import Notifier

    return Notifier(addresses)
