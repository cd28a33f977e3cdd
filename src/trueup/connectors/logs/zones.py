"""Local times become instants: the first of an hour that comes twice, the end of an hour that does not come."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from trueup.connectors.logs.arrays import filled
from trueup.kernel.errors import DataError
from trueup.kernel.text import did_you_mean

_UTC = ("UTC", "Z", "GMT")
# Arrow knows the changes of a zone up to this year only; summers after it would be read as winters.
_LAST_YEAR = 2037


def is_utc(zone: str) -> bool:
    """Tell whether a zone is UTC under one of its names."""
    return zone.upper() in _UTC


def check_zone(zone: str | None, where: str) -> None:
    """Raise DataError (`unknown-zone`) unless a declared zone is known."""
    if zone is None or is_utc(zone):
        return
    try:
        zoneinfo.ZoneInfo(zone)
        pc.assume_timezone(pa.scalar(0, pa.timestamp("us")), zone)
    except (KeyError, ValueError, OSError, pa.ArrowInvalid):
        raise DataError(
            "unknown-zone",
            f"{zone!r}, the zone of {where}, is not a time zone.{did_you_mean(zone, zoneinfo.available_timezones())}",
            "Write `zone: UTC`, or a name such as Europe/London.",
        ) from None


def to_utc(local: pa.Array, zone: str) -> tuple[pa.Array, int]:
    """Return timestamp[us] in UTC for local times of a zone, and how many of them that zone skips."""
    if is_utc(zone):
        return local, 0
    late = pc.greater(pc.year(local), _LAST_YEAR)
    early = pc.if_else(late, pa.scalar(None, pa.timestamp("us")), local)
    zoned = pc.assume_timezone(early, zone, ambiguous="earliest", nonexistent="latest")
    skipped = pc.sum(pc.not_equal(pc.local_timestamp(zoned), early)).as_py() or 0
    utc = pc.cast(pc.cast(zoned, pa.timestamp("us", "UTC")), pa.timestamp("us"))
    if not pc.any(late).as_py():
        return utc, skipped
    late = filled(late, by=False)
    found = _by_rule(local.filter(late).to_pylist(), zoneinfo.ZoneInfo(zone))
    instants = pa.array([instant for instant, _ in found], pa.timestamp("us"))
    return pc.replace_with_mask(utc, late, instants), skipped + sum(missed for _, missed in found)


def _by_rule(local: list[datetime], zone: zoneinfo.ZoneInfo) -> list[tuple[datetime, bool]]:
    """Return naive UTC, and whether the zone skips the time, one by one."""
    out = []
    for time in local:
        before = time.replace(tzinfo=zone).astimezone(UTC)
        skipped = before.astimezone(zone).replace(tzinfo=None) != time
        after = time.replace(tzinfo=zone, fold=1).astimezone(UTC)
        instant = _change(after, before, zone) if skipped else before
        out.append((instant.replace(tzinfo=None), skipped))
    return out


def _change(earliest: datetime, latest: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """Return the instant at which the zone changes its offset; there is one such between the two."""
    winter = earliest.astimezone(zone).utcoffset()
    low, high = int(earliest.timestamp()), int(latest.timestamp()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == winter:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
