"""The written policy of an airline's service desk, as far as it can be declared; and the facts that it speaks of.

`ON_ARGUMENTS` needs nothing but the final arguments. `ON_FACTS` needs what the case has looked up: an adapter before
the gate puts those facts beside the arguments. What was not looked up is missing, and then a person decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

# The desk's clock in these runs; only differences of a day and dates are taken from it.
NOW = datetime(2024, 5, 15, 15, tzinfo=UTC)
WRITES = (
    "book_reservation",
    "cancel_reservation",
    "send_certificate",
    "update_reservation_baggages",
    "update_reservation_flights",
    "update_reservation_passengers",
)
FACTS = ("cabin_now", "fresh", "flown", "insured", "member", "same_flights", "bags_now", "same_number", "in_profile")

ON_ARGUMENTS = """
@id("one-certificate") @reason("at most one travel certificate a booking")
forbid(principal, action == Action::"book_reservation", resource)
when { context.texts has payment_methods && context.texts.payment_methods like "*certificate_*certificate_*" };
@id("one-card") @reason("at most one credit card a booking")
forbid(principal, action == Action::"book_reservation", resource)
when { context.texts has payment_methods && context.texts.payment_methods like "*credit_card_*credit_card_*" };
@id("three-gift-cards") @reason("at most three gift cards a booking")
forbid(principal, action == Action::"book_reservation", resource)
when { context.texts has payment_methods &&
       context.texts.payment_methods like "*gift_card_*gift_card_*gift_card_*gift_card_*" };
@id("five-passengers") @reason("at most five passengers a booking")
forbid(principal, action == Action::"book_reservation", resource)
when { context.texts has passengers && context.texts.passengers like "*dob*dob*dob*dob*dob*dob*" };
@id("card-for-changes") @reason("changed flights are paid with a card, or refunded to one")
forbid(principal, action == Action::"update_reservation_flights", resource)
when { context.texts has payment_id && context.texts.payment_id like "certificate_*" };
"""

ON_FACTS = """
@id("basic-economy") @reason("flights of basic economy are not changed")
forbid(principal, action == Action::"update_reservation_flights", resource)
when { context.texts has cabin_now && context.texts.cabin_now == "basic_economy" &&
       context.texts has same_flights && context.texts.same_flights == "no" };
@id("flown") @reason("what has been flown in part is not cancelled")
forbid(principal, action == Action::"cancel_reservation", resource)
when { context.texts has flown && context.texts.flown == "yes" };
@id("flown-cabin") @reason("the cabin of what has been flown in part is not changed")
forbid(principal, action == Action::"update_reservation_flights", resource)
when { context.texts has flown && context.texts.flown == "yes" && context.texts has cabin_now &&
       context.texts has cabin && context.texts.cabin != context.texts.cabin_now };
@id("cancel-grounds") @reason("neither a day old at most, nor business, nor insured: a person finds out the grounds")
forbid(principal, action == Action::"cancel_reservation", resource)
unless { context.approved ||
         (context.texts has fresh && context.texts.fresh == "yes") ||
         (context.texts has cabin_now && context.texts.cabin_now == "business") ||
         (context.texts has insured && context.texts.insured == "yes") };
@id("bags-stay") @reason("checked bags are added, not removed")
forbid(principal, action == Action::"update_reservation_baggages", resource)
when { context.numbers has total_baggages && context.numbers has bags_now &&
       context.numbers.total_baggages.lessThan(context.numbers.bags_now) };
@id("same-number") @reason("the number of passengers stays")
forbid(principal, action == Action::"update_reservation_passengers", resource)
when { context.texts has same_number && context.texts.same_number == "no" };
@id("in-profile") @reason("payment methods are in the user's profile")
forbid(principal, action, resource)
when { context.texts has in_profile && context.texts.in_profile == "no" };
@id("no-grounds") @reason("no compensation for regular members without insurance outside business")
forbid(principal, action == Action::"send_certificate", resource)
when { context.texts has member && context.texts.member == "regular" && context.texts has insured &&
       context.texts.insured == "no" && context.texts has cabin_now && context.texts.cabin_now != "business" };
@id("unknown") @reason("what the rules speak of was not looked up")
forbid(principal, action in [Action::"cancel_reservation", Action::"update_reservation_flights",
                             Action::"update_reservation_baggages"], resource)
unless { context.approved || context.texts has cabin_now };
"""


class Desk:
    """What a case has looked up, kept as the facts of its next call."""

    def __init__(self) -> None:
        self._reservations: dict[str, Mapping[str, Any]] = {}
        self._user: Mapping[str, Any] = {}
        self._last = ""

    def saw(self, tool: str, result: str) -> None:
        """Take note of a result; what is no object is no fact."""
        try:
            content = json.loads(result)
        except ValueError:
            return
        if tool == "get_user_details":
            self._user = content
        elif isinstance(content, dict) and "reservation_id" in content:
            self._last = str(content["reservation_id"])
            self._reservations[self._last] = content

    def facts(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts that belong to a call's arguments."""
        found = self._of_reservation(
            self._reservations.get(str(arguments.get("reservation_id", self._last))), arguments
        )
        if self._user:
            found["member"] = str(self._user.get("membership"))
            paid = [
                arguments.get("payment_id"),
                *(one.get("payment_id") for one in _objects(arguments, "payment_methods")),
            ]
            known = self._user.get("payment_methods", {})
            found["in_profile"] = _yes(all(one in known for one in paid if one is not None))
        return found

    def _of_reservation(self, known: Mapping[str, Any] | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if known is None:
            return {}
        flights = [(one["flight_number"], one["date"]) for one in known["flights"]]
        wanted = [(one.get("flight_number"), one.get("date")) for one in _objects(arguments, "flights")]
        return {
            "cabin_now": known["cabin"],
            "insured": known["insurance"],
            "fresh": _yes(NOW - datetime.fromisoformat(known["created_at"]).replace(tzinfo=UTC) <= timedelta(hours=24)),
            "flown": _yes(any(date < NOW.date().isoformat() for _, date in flights)),
            "bags_now": known["total_baggages"],
            "same_flights": _yes(flights == wanted),
            "same_number": _yes(len(_objects(arguments, "passengers")) in {0, len(known["passengers"])}),
        }


def _objects(arguments: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = arguments.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _yes(value: object) -> str:
    return "yes" if value else "no"
