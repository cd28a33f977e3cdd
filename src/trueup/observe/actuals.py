"""Actuals: money spent and hours worked, as they come from finance and people systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Actuals:
    """placeholder"""

    def total(
        self,
        kind_of: str,
        use_case: str,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> float | None:
        """placeholder"""
        return None
