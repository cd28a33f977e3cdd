"""Where facts come from: event logs, actuals, and the beliefs that they may falsify."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from trueup.declare.model.values import BoundValue, Day, Declared, Factor, PeriodValue, Texts


class Expectation(Declared):
    """What a valid value of a field looks like."""

    type: Literal["number", "text", "date", "boolean"] | None = None
    min: float | None = None
    max: float | None = None
    matches: str | None = None
    one_of: tuple[Any, ...] | None = None


class Labels(Declared):
    """Labelled examples: the field that holds them and how many are needed."""

    field: str
    needed: int = Field(ge=0)


class Volume(Declared):
    """How many records (cases, where a workflow reads the source) are needed."""

    needed: int = Field(ge=0)


_ADDRESS = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|local(\[[0-9*]+\])?|spark://[^@\s]+")


def _without_secret(url: str) -> str:
    if _ADDRESS.fullmatch(url) is None:
        msg = "`url` as `env:NAME`, where the environment holds the address, or as a Spark master (`local[*]`)"
        raise ValueError(msg)
    return url


class TableSource(Declared):
    """A table of a database. `url` names the setting that holds its address (`env:NAME`), or is a Spark master.

    PostgreSQL has a `table` (`events`, `sales.events`; a view is one too); Spark a `table`, or a folder of `parquet`
    files relative to the programme's folder.
    """

    url: Annotated[str, AfterValidator(_without_secret)]
    table: Annotated[str, Field(min_length=1)] | None = None
    parquet: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.table is None) == (self.parquet is None):
            msg = "a source in a database has either `table` or `parquet`"
            raise ValueError(msg)
        return self


class DataSource(Declared):
    """A log or table. `source` is a file, or a table of a database.

    `zone` is the time zone of times that carry none. `missing` are the texts that mean "no value" in attributes
    (never in the case id). `dates` settles logs whose dates could be read either way. `duplicates` says
    what happens to events that equal another in every column, `truncated` whether a log that seems cut off is used.
    """

    source: str | TableSource | None = None
    zone: str | None = None
    sensitivity: str | None = None
    fields: dict[str, str] = {}
    expects: dict[str, Expectation] = {}
    labels: Labels | None = None
    volume: Volume | None = None
    fresh_within: PeriodValue | None = None
    missing: Texts = ("", "?")
    dates: Literal["day-first", "month-first"] | None = None
    duplicates: Literal["refuse", "drop", "keep"] = "refuse"
    truncated: Literal["refuse", "accept"] = "refuse"


class SpendSource(Declared):
    """Columns of a file of money spent, in the programme's currency."""

    source: str
    at: str = "date"
    use_case: str = "use_case"
    kind: str | None = "kind"
    amount: str = "amount"


class EffortSource(Declared):
    """Columns of a file of hours worked."""

    source: str
    at: str = "date"
    use_case: str = "use_case"
    kind: str | None = "kind"
    hours: str = "hours"


class PeopleSource(Declared):
    """Columns of a file of the people of a workflow: who is eligible, who is trained since when."""

    source: str
    person: str = "person"
    workflow: str = "workflow"
    trained_on: str | None = None
    eligible: str | None = None


class Actuals(Declared):
    """Files as they come from finance and people systems."""

    spend: SpendSource | None = None
    effort: EffortSource | None = None
    people: PeopleSource | None = None


class IfFalse(Declared):
    """What a false assumption does to the use cases that it supports."""

    success: Factor | None = None


class Found(Declared):
    """What a signed review found; written by `apply`."""

    value: float
    on: Day
    holds: bool


class Assumption(Declared):
    """A belief that the strategy rests on, with a measure and a bound."""

    says: str | None = None
    measure: str | None = None
    at_least: BoundValue | None = None
    at_most: BoundValue | None = None
    supports: Texts = ()
    if_false: IfFalse | None = None
    found: Found | None = None


class Mask(StrEnum):
    """Kinds of personal data that are masked. `person` and `address` need a language model to be installed."""

    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    CARD = "card"
    NINO = "nino"
    NHS_NUMBER = "nhs_number"
    POSTCODE = "postcode"
    SORT_CODE = "sort_code"
    ACCOUNT_NUMBER = "account_number"
    VAT_NUMBER = "vat_number"
    IP_ADDRESS = "ip_address"
    PERSON = "person"
    ADDRESS = "address"


class Handling(Declared):
    """How data of a sensitivity level is handled."""

    mask: tuple[Mask, ...] = ()
    models: Texts = ()
    retain: PeriodValue | None = None
