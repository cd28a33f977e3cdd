"""Which patterns are somebody's number, how sure each is by itself, and which words make it surer.

A check digit alone proves little: one random number in eleven passes modulus 11, one in ten Luhn. So what a check
lets through is only believed where it is written as such numbers are written, or stands behind a word for it.
Scores: `SURE` by form or check, `LIKELY` as it is written, `DOUBTFUL` without a word for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import IbanRecognizer, IpRecognizer, PhoneRecognizer

from trueup.connectors.masking.areas import POSTCODE_AREAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from presidio_analyzer import RecognizerResult

SURE, LIKELY, DOUBTFUL = 0.9, 0.5, 0.15
LANGUAGE = "en"
# How numbers are read that do not begin with +; each region costs a pass over the text.
PHONE_REGIONS = ("GB", "US")
WORDS: dict[str, tuple[str, ...]] = {
    "email": ("email", "mail"),
    "phone": (
        "phone",
        "telephone",
        "tel",
        "mobile",
        "cell",
        "cellphone",
        "call",
        "ring",
        "fax",
        "text",
        "whatsapp",
        "reach",
    ),
    "iban": ("iban", "bank", "account"),
    "card": ("card", "cc", "visa", "mastercard", "maestro", "amex", "credit", "debit"),
    "nino": ("nino", "insurance", "ni"),
    "nhs_number": ("nhs", "patient", "health"),
    "postcode": ("postcode", "postal", "address", "zip", "live", "lives", "delivery"),
    "sort_code": ("sort", "sortcode", "bank", "branch"),
    "account_number": ("account", "acct", "bank"),
    "vat_number": ("vat", "tva", "btw", "mwst", "ust", "iva", "tax"),
    "ip_address": ("ip", "address", "host", "server"),
}
# What stands before a number that is nobody's: a word of these, nearer than one of its own, takes it out.
_OTHERS = (
    "order invoice ref reference ticket case policy po sku part model item parcel tracking shipment serial batch "
    "version release build isbn voucher booking id amount total"
)
OTHERS = frozenset(_OTHERS.split())


class _Formed(PatternRecognizer):
    """Patterns of one kind, with a check that a match has to pass."""

    def __init__(self, kind: str, patterns: dict[str, float], check: Callable[[str], bool] | None = None) -> None:
        super().__init__(
            supported_entity=kind,
            name=kind,
            patterns=[Pattern(f"{kind} {n}", pattern, score) for n, (pattern, score) in enumerate(patterns.items())],
            context=list(WORDS.get(kind, ())),
            supported_language=LANGUAGE,
        )
        self._check = check

    def validate_result(self, pattern_text: str) -> bool | None:
        """Return False for what fails its check; None leaves the score that the form gives."""
        return None if self._check is None or self._check(pattern_text) else False


class _Phone(PhoneRecognizer):
    """Telephone numbers: believed as they are written abroad or at home, else only behind a word for them."""

    def __init__(self) -> None:
        super().__init__(
            context=list(WORDS["phone"]),
            supported_entity="phone",
            supported_language=LANGUAGE,
            supported_regions=PHONE_REGIONS,
            leniency=0,
            name="phone",
        )

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """Find numbers that are possible, and score them by how they are written."""
        found: list[RecognizerResult] = super().analyze(text, entities, nlp_artifacts)
        kept = [one for one in found if self._alone(text, one)]
        for one in kept:
            one.score = _phone_score(text[one.start : one.end])
        return EntityRecognizer.remove_duplicates(kept)

    def _alone(self, text: str, one: RecognizerResult) -> bool:
        # Part of a longer run of digits, letters or decimals is no telephone number.
        before, after = text[max(0, one.start - 1) : one.start], text[one.end : one.end + 1]
        return not (before.isalnum() or after.isalnum() or before in (".", "/"))


_ABROAD = re.compile(r"(?:\+|00)[1-9]\d{0,2}(?:[ ./-]|\(0\)|\d)", re.ASCII)
_AT_HOME = re.compile(
    r"\(?0\d{1,5}\)?(?:[ .-]\d{2,8}){1,5}|0[127]\d{9}|0[127]\d{8}"
    r"|\(?\d{3}\)?[ -.]\d{3}[-. ]\d{4}(?: ?x\d+)?",
    re.ASCII,
)


def _phone_score(text: str) -> float:
    digits = sum(one.isdigit() for one in text)
    if not 7 <= digits <= 15:
        return 0.0
    if _ABROAD.match(text):
        return SURE if digits >= 9 else DOUBTFUL
    return LIKELY if _AT_HOME.fullmatch(text) else DOUBTFUL


def _dialled(text: str) -> bool:
    return 7 <= sum(one.isdigit() for one in text) <= 15


class _Email(_Formed):
    """Addresses of e-mail. Presidio's own recogniser asks the internet for the list of domains; a form is enough."""

    def __init__(self) -> None:
        local = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
        super().__init__("email", {rf"(?<![\w.@]){local}@(?:[\w](?:[\w-]{{0,61}}\w)?\.)+[^\W\d_]{{2,24}}\b": SURE})


def nhs_check(text: str) -> bool:
    """Tell whether ten digits pass the modulus 11 of NHS numbers (NHS Data Dictionary)."""
    digits = [int(one) for one in text if one.isdigit()]
    rest = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return rest != 10 and digits[-1] == rest % 11


def british_vat_check(text: str) -> bool:
    """Tell whether nine digits pass the modulus 97 of British VAT numbers (either series)."""
    digits = [int(one) for one in text if one.isdigit()][:9]
    total = sum(digit * weight for digit, weight in zip(digits, range(8, 1, -1), strict=False))
    total += 10 * digits[7] + digits[8]
    return total % 97 in {0, 42}


def _postcode(text: str) -> bool:
    area = re.match(r"[A-Za-z]+", text)
    return area is not None and area[0].upper() in POSTCODE_AREAS


# The structure of each country's number, as the European Commission's service for checking them publishes it.
_EUROPEAN_VAT = (
    r"\b(?:ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE ?\d{9}|DK\d{8}|EE\d{9}|EL\d{9}"
    r"|ES[A-Z]\d{7}[A-Z0-9]|FI\d{8}|FR ?[A-Z0-9]{2} ?\d{9}|HR\d{11}|HU\d{8}|IE\d[A-Z0-9]\d{5}[A-Z]{1,2}"
    r"|IT ?\d{11}|LT(?:\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}|NL\d{9}B\d{2}|PL\d{10}|PT\d{9}|RO\d{6,10}"
    r"|SE\d{12}|SI\d{8}|SK\d{10})\b"
)


class _Iban(IbanRecognizer):
    """International account numbers, however they are typed."""

    def __init__(self) -> None:
        super().__init__(context=list(WORDS["iban"]), supported_entity="iban", supported_language=LANGUAGE, name="iban")

    def analyze(self, text: str, entities: list[str], *more: Any, **named: Any) -> list[RecognizerResult]:
        """Find numbers in small letters too."""
        # Character by character: a letter that becomes two would move everything behind it.
        large = "".join(one.upper() if len(one.upper()) == 1 else one for one in text)
        found: list[RecognizerResult] = super().analyze(large, entities, *more, **named)
        return found


def _luhn(text: str) -> bool:
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ip() -> EntityRecognizer:
    return IpRecognizer(
        context=list(WORDS["ip_address"]), supported_entity="ip_address", supported_language=LANGUAGE, name="ip_address"
    )


_MAKERS: dict[str, Callable[[], EntityRecognizer]] = {
    "email": _Email,
    "phone": _Phone,
    "iban": _Iban,
    # Issuers hand out ever more ranges, so any may begin one: a number in groups, else one behind a word for it.
    "card": lambda: _Formed(
        "card",
        {
            r"(?<![\d-])[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{1,7}(?![\d-])": LIKELY,
            r"(?<![\d-])3[47]\d{2}([ -])\d{6}\1\d{5}(?![\d-])": LIKELY,
            r"(?<![\d.-])\d{12,19}(?![\d.-]\d|\d)": DOUBTFUL,
        },
        _luhn,
    ),
    "nino": lambda: _Formed(
        "nino",
        {r"\b(?!BG|GB|NK|KN|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b": LIKELY},
    ),
    "nhs_number": lambda: _Formed(
        "nhs_number", {r"(?<![\d-])\d{3}[ -]\d{3}[ -]\d{4}(?![\d-])": LIKELY, r"\b\d{10}\b": DOUBTFUL}, nhs_check
    ),
    "postcode": lambda: _Formed(
        "postcode",
        {
            r"\b[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b": LIKELY,
            r"\b[A-Z]{1,2}\d[A-Z\d]?\d[ABD-HJLNP-UW-Z]{2}\b": DOUBTFUL,
        },
        _postcode,
    ),
    "sort_code": lambda: _Formed("sort_code", {r"(?<![\d-])\d{2}([ -]?)\d{2}\1\d{2}(?![\d-])": DOUBTFUL}),
    "account_number": lambda: _Formed("account_number", {r"(?<![\d-])\d{8}(?![\d-])": DOUBTFUL}),
    "vat_number": lambda: _Formed("vat_number", {_EUROPEAN_VAT: LIKELY}),
    "ip_address": _ip,
}
_IN_GROUPS = r"(?<![\w.,/-])\(?\d{2,4}\)?(?:[ .-]\d{2,8}){1,4}(?![\w/-])"
_BRITISH_VAT = r"\bGB ?\d{3} ?\d{4} ?\d{2}(?: ?\d{3})?\b"


def recognisers(kinds: frozenset[str]) -> list[EntityRecognizer]:
    """Return what finds the given kinds. Raises KeyError for a kind that patterns cannot find."""
    made = [_MAKERS[kind]() for kind in sorted(kinds)]
    if "phone" in kinds:
        made.append(
            _Formed("phone", {r"(?<![\w.,/-])\(?\d{2,4}\)?(?:[ .-]\d{2,8}){1,4}(?![\w/-])": DOUBTFUL}, _dialled)
        )
    if "vat_number" in kinds:
        made.append(_Formed("vat_number", {_BRITISH_VAT: LIKELY}, british_vat_check))
    return made


FOUND_BY_PATTERN = frozenset(_MAKERS)
