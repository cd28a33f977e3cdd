"""What can happen: the closed table of event types. An entry of any other type is refused.

A type is `noun.past_tense`, and stands once: either people say it of the programme, or it happens under it at run time.
What an entry carries is documented there and on the reference page of the ledger; a test keeps the two equal.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from trueup.ledger.types import programme, runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.ledger.types.event_type import EventType

EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {item.name: item for item in (*programme.TYPES, *runtime.TYPES)}
)
