"""Figures as they stand on a page: a share with its n and its limits, a table of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from studies.figures import Count, Mean


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in percent; a dash where it is not known."""
    return "-" if math.isnan(share) else f"{100 * share:.{digits}f}%"


def rate(count: Count) -> str:
    """Return a rate with its count and n: 1.2% (3 of 250)."""
    return f"{percent(count.share)} ({count.hits:,} of {count.n:,})" if count.n else "- (0)"


def limits(count: Count) -> str:
    """Return the 95% limits of a rate."""
    return f"{percent(count.interval.lower)} to {percent(count.interval.upper)}" if count.n else "-"


def simulated(count: Count) -> str:
    """Return a rate with its Monte-Carlo error: .853 ± .006."""
    return f"{count.share:.3f} ± {count.error:.3f}" if count.n else "-"


def number(mean: Mean, digits: int = 0) -> str:
    """Return a mean with its error, where it has one."""
    error = "" if mean.error is None else f" ± {mean.error:,.{digits}f}"
    return f"{mean.value:,.{digits}f}{error}"


def paragraphs(*parts: str) -> str:
    """Return parts with an empty line between them."""
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
