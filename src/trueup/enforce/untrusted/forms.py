"""The traceable forms in a text: what is distinctive enough to say where it came from.

Content nobody vouches for is compared loosely (case, compatibility forms, accents, invisible characters,
look-alikes, quoting, how a number or an account is grouped), what is vouched for strictly: whoever disguises a
value gains nothing in either direction.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote

# Shorter numbers stand in every text; they say nothing about a source.
DISTINCT_DIGITS = 3
# An account or a telephone number that was written in groups.
SHORTEST_GROUPED = 8
# Arguments and fields come again and again; whole documents do not.
SHORT = 500
# Cyrillic and Greek letters that are drawn like Latin ones.
_LOOK_ALIKE = dict(zip("аеорсухіјѕԁһӏмткβαενορτυκχι", "aeopcyxijsdhlmtkbaevoptukxi", strict=True))
# Each bounded, so that no text makes a pattern look again and again.
_URL = re.compile(r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://|www\.)[^\s<>\"'`|{}\\^]+", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_GROUPED = re.compile(r"\b[a-z]{2}\d{2}(?:[ -][a-z0-9]{2,4}){2,8}\b|\+?\b\d[\d ().-]{5,30}\d\b", re.IGNORECASE)
_ACCOUNT = re.compile(r"[a-z]{2}\d{2}[a-z0-9]{6,30}")
_ESCAPED = re.compile(r"\\{1,4}(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[nrtfv])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SPLIT = re.compile(r"[\s\"'`,;:=(){}\[\]<>|*!?“”‘’«»…]+")
_SIGNS = "$€£¥%#~&"
_EDGES = ".-/_@\\" + _SIGNS


class Kind(StrEnum):
    """What a form is. Destinations say who receives; a code is a name, an id or a path that no ordinary word is."""

    ADDRESS = "address"
    URL = "url"
    ACCOUNT = "account"
    CODE = "code"
    NUMBER = "number"
    WORD = "word"


DESTINATIONS = frozenset({Kind.ADDRESS, Kind.URL, Kind.ACCOUNT})


@dataclass(frozen=True, slots=True)
class Form:
    """One traceable form: `plain` as it is written but for case, `folded` as it is compared with what is untrusted."""

    kind: Kind
    plain: str

    @property
    def folded(self) -> str:
        """The form with its disguises taken off."""
        return folded(self.plain)

    @property
    def distinct(self) -> bool:
        """Whether the form alone says where it comes from; ordinary words and short numbers do not."""
        if self.kind is Kind.NUMBER:
            return sum(character.isdigit() for character in self.plain.strip("0.")) >= DISTINCT_DIGITS
        return self.kind is not Kind.WORD and len(self.plain) > 1


def plain(text: str) -> str:
    """Return a text in Unicode's form C without case: as strict as two spellings of one word allow."""
    return unicodedata.normalize("NFC", text).casefold()


def folded(text: str) -> str:
    """Return a text without case, compatibility forms, accents, invisible characters and look-alikes."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", text).casefold()
    kept = (one for one in apart if unicodedata.category(one) not in {"Cf", "Mn", "Me", "Cc"} or one.isspace())
    return "".join(_LOOK_ALIKE.get(one, one) for one in kept)


def readings(text: str) -> set[str]:
    """Return a text as it stands, and as a reader takes it: escapes, entities, percent signs and disguises undone."""
    found = {text, html.unescape(text), unquote(text), _ESCAPED.sub(_unescaped, text)}
    return found | {folded(one) for one in found if not one.isascii()}


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2], 16)) if match[1] or match[2] else " "


def words(text: str) -> list[str]:
    """Return the words of a text, without marks; a comma that groups a number's digits is none."""
    return [word for part in _SPLIT.split(_THOUSANDS.sub("", text)) if (word := part.strip(_EDGES))]


def forms(text: str) -> frozenset[Form]:
    """Return the forms of a text, in the strict spelling."""
    return _remembered(text) if len(text) <= SHORT else frozenset(_forms(plain(text)))


@lru_cache(maxsize=4096)
def _remembered(text: str) -> frozenset[Form]:
    return frozenset(_forms(plain(text)))


def _forms(text: str) -> Iterator[Form]:
    rest = text
    for pattern, kind in ((_URL, Kind.URL), (_ADDRESS, Kind.ADDRESS)):
        for match in pattern.finditer(rest):
            yield Form(kind, _bare(match[0]) if kind is Kind.URL else match[0].lstrip(_EDGES + "+"))
        rest = pattern.sub(" ", rest)
    for match in _GROUPED.finditer(rest):
        groups = re.findall(r"[a-z0-9]+", match[0])
        # The last groups may be the next words of the sentence.
        for end in range(len(groups), 0, -1):
            compact = "".join(groups[:end])
            if len(compact) >= SHORTEST_GROUPED:
                yield Form(Kind.ACCOUNT if _ACCOUNT.fullmatch(compact) else Kind.CODE, compact)
    for word in words(rest):
        yield _of_word(word)


def _of_word(word: str) -> Form:
    number = _number(word)
    if number is not None:
        return Form(Kind.NUMBER, number)
    if _ACCOUNT.fullmatch(word):
        return Form(Kind.ACCOUNT, word)
    if any(one.isdigit() or one in "_/\\@" for one in word) or re.search(r"\w\.\w\w", word):
        return Form(Kind.CODE, word)
    return Form(Kind.WORD, word)


def _number(word: str) -> str | None:
    """Return one spelling for all of 1024.5, 1,024.50 and £1024.5; None for what is no number."""
    digits = word.strip(_SIGNS).replace(",", "")
    if not digits[:1].isdigit() or not digits.isascii():
        return None
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    return f"{value.normalize():f}" if value.is_finite() and abs(value.adjusted()) < 20 else None


def _bare(url: str) -> str:
    """Return a URL without scheme, `www.`, and the marks that a sentence puts behind it."""
    return re.sub(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?(?:www\.)?", "", url).rstrip(").,;:!?/]'\"")


def host_of(url: str) -> str:
    """Return the host of a bare URL: who is spoken to."""
    return re.split(r"[/?#:]", url, maxsplit=1)[0]
