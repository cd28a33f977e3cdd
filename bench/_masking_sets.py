"""Texts with personal data whose places are known, and texts with numbers that only look like it. All made up."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.connectors.masking.recognisers import british_vat_check, nhs_check

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and its personal data as (kind, start, end)."""

    text: str
    spans: tuple[tuple[str, int, int], ...] = ()


def digits(rng: random.Random, count: int) -> str:
    """Return so many digits."""
    return "".join(rng.choice(string.digits) for _ in range(count))


def _until(rng: random.Random, make: Maker, check: Callable[[str], bool]) -> str:
    while True:
        made = make(rng)
        if check(made):
            return made


def _nhs(rng: random.Random) -> str:
    number = _until(rng, lambda rng: digits(rng, 10), nhs_check)
    return rng.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}", f"{number[:3]}-{number[3:6]}-{number[6:]}"))


def _nino(rng: random.Random) -> str:
    two = rng.choice("ABCEGHJKLMPRSTW") + rng.choice("ABCEHJKLMPRSTWXYZ")
    parts = [digits(rng, 2) for _ in range(3)]
    joint = rng.choice(("", " "))
    return joint.join([two, *parts, rng.choice("ABCD")])


def _postcode(rng: random.Random) -> str:
    area = rng.choice(("SW1A", "M1", "B33", "CR2", "DN55", "EC1A", "LS6", "EH12", "BS8", "NE3"))
    inward = f"{rng.choice(string.digits)}{rng.choice('ABDEFGH')}{rng.choice('JLNPQRST')}"
    return f"{area}{rng.choice((' ', ' ', ' ', ''))}{inward}"


def _phone(rng: random.Random) -> str:
    # Numbers that the regulator keeps free for fiction.
    last = f"{rng.randrange(1000):03d}"
    return rng.choice(
        (
            f"07700 900{last}",
            f"+44 7700 900{last}",
            f"020 7946 0{last}",
            f"0161 496 0{last}",
            f"+44 (0)20 7946 0{last}",
            f"07700900{last}",
            f"+49 30 23125 {last}",
            f"+33 1 99 00 {last[:2]} {last[1:]}",
        )
    )


def _iban(rng: random.Random) -> str:
    bank = "".join(rng.choice(string.ascii_uppercase) for _ in range(4))
    country, body = rng.choice(
        (("GB", bank + digits(rng, 14)), ("DE", digits(rng, 18)), ("NL", bank + digits(rng, 10)))
    )
    numbers = "".join(str(int(one, 36)) for one in body + country + "00")
    whole = f"{country}{98 - int(numbers) % 97:02d}{body}"
    return rng.choice((whole, " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))))


def _card(rng: random.Random) -> str:
    body = rng.choice(("4", "51", "55")) + digits(rng, 14)
    body = body[:15]
    doubled = sum(sum(divmod(2 * int(one), 10)) for one in body[::-2])
    check = -(doubled + sum(int(one) for one in body[-2::-2])) % 10
    whole = f"{body}{check}"
    return rng.choice((whole, " ".join(whole[at : at + 4] for at in range(0, 16, 4))))


def _vat(rng: random.Random) -> str:
    number = _until(rng, lambda rng: digits(rng, 9), british_vat_check)
    return rng.choice((f"GB{number}", f"GB {number[:3]} {number[3:7]} {number[7:]}", f"DE{digits(rng, 9)}"))


def _email(rng: random.Random) -> str:
    name = rng.choice(("ada.osei", "t_reyes", "mara+bills", "j-abara", "ines.falk99"))
    return f"{name}@{rng.choice(('example.co.uk', 'mail.example.org', 'example.com', 'büro.example.de'))}"


def _sort_code(rng: random.Random) -> str:
    return "-".join(digits(rng, 2) for _ in range(3))


def _date(rng: random.Random) -> str:
    return f"{rng.randrange(1, 29):02d}-{rng.randrange(1, 13):02d}-{rng.randrange(20, 30)}"


POSITIVE: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "nhs_number": (_nhs, ("The patient's NHS number is {}.", "NHS no: {}", "Please book {} (NHS) for Tuesday.")),
    "nino": (_nino, ("My NI number is {}.", "National Insurance: {}", "Payroll needs {} by Friday.")),
    "postcode": (_postcode, ("She moved to {} last year.", "Deliver to the address at {}, please.", "Postcode: {}")),
    "phone": (_phone, ("Ring me on {} after five.", "Tel. {}", "You can reach the driver at {}.", "My mobile is {}")),
    "iban": (_iban, ("Please pay to {}.", "IBAN {}", "The refund went to {} yesterday.")),
    "card": (_card, ("My card {} was charged twice.", "Visa card number {}", "Paid by credit card: {}")),
    "vat_number": (_vat, ("Our VAT number is {}.", "VAT reg. {}", "USt-ID {}, see the imprint.")),
    "email": (_email, ("Write to {} please.", "From: {}", "cc {}, as agreed")),
    "sort_code": (_sort_code, ("Sort code {}, Barclays.", "The bank's sort code is {}.")),
    "account_number": (lambda rng: digits(rng, 8), ("Account {} is overdrawn.", "Account number: {}")),
}
HARD: tuple[tuple[str, Maker], ...] = (
    ("Order {} was shipped today.", lambda rng: digits(rng, 10)),
    ("Your order number is {}.", lambda rng: digits(rng, 8)),
    ("Invoice {} is due on 12-11-24.", lambda rng: digits(rng, 8)),
    ("Parcel {} left the depot.", lambda rng: digits(rng, 16)),
    ("Tracking {}", lambda rng: f"{digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)}"),
    (
        "Meeting on {} at ten.",
        lambda rng: f"{rng.randrange(1, 29):02d}-{rng.randrange(1, 13):02d}-{rng.randrange(20, 30)}",
    ),
    ("Version {} is out.", lambda rng: ".".join(str(rng.randrange(20)) for _ in range(4))),
    ("Part no. {} does not fit.", lambda rng: f"AB{digits(rng, 6)}{rng.choice('ABCD')}"),
    ("The total is {} pounds.", lambda rng: f"{digits(rng, 6)}.{digits(rng, 2)}"),
    ("Ticket {} was closed.", lambda rng: f"{rng.choice(('INC', 'REQ'))}{digits(rng, 7)}"),
    ("Case {} was reopened.", lambda rng: f"{digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 4)}"),
    ("It measured {} in the run.", lambda rng: digits(rng, 10)),
    ("ISBN 978{}", lambda rng: digits(rng, 10)),
    ("Timestamp {} in the log", lambda rng: f"17{digits(rng, 8)}"),
    ("Policy {} covers it.", lambda rng: f"{rng.choice(('M1', 'B3'))}-{digits(rng, 5)}"),
    ("SKU {}", lambda rng: f"GB{digits(rng, 9)}"),
)


def british(seed: int, size: int) -> list[Sample]:
    """Return `size` texts, half of them with personal data of each kind in turn, half with what looks like it."""
    rng = random.Random(seed)
    kinds = list(POSITIVE)
    made = []
    for n in range(size):
        if n % 2:
            text, make = HARD[(n // 2) % len(HARD)]
            made.append(Sample(text.format(make(rng))))
            continue
        kind = kinds[(n // 2) % len(kinds)]
        make, texts = POSITIVE[kind]
        value, text = make(rng), rng.choice(texts)
        start = text.index("{}")
        made.append(Sample(text.format(value), ((kind, start, start + len(value)),)))
    return made
