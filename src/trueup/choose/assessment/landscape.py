"""Where an organisation stands decides where it enters: nothing yet, stalled pilots, in production, scattered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """What is done first from here, in how many weeks (None: as long as it takes)."""

    title: str
    weeks: tuple[int, int] | None
    steps: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {"title": self.title, "weeks": list(self.weeks) if self.weeks else None, "steps": list(self.steps)}


ENTRY_POINTS = {
    "first-steps": EntryPoint(
        "A focused brief on two or three use cases, with a data readiness check",
        (4, 6),
        (
            "choose two or three use cases that belong to an objective",
            "measure whether their data is there, before anything is promised on it",
            "write one page: objectives, owners, budget, what is decided by when",
        ),
    ),
    "stalled-pilots": EntryPoint(
        "Pause the pilots and repair the strategy gap",
        (2, 4),
        (
            "name one accountable owner for each pilot, or stop it",
            "decide who approves, who may stop, and what happens when it goes wrong",
            "cut each scope to what the data can carry, and set gates with dates",
        ),
    ),
    "in-production": EntryPoint(
        "Scale what works: adjacent use cases, and the platform that production has shown to be needed",
        None,
        (
            "copy what is proven to the next adjacent workflow",
            "build the operations and the data platform that the running systems asked for, and no more",
            "keep the gates: what scales is measured as the pilot was",
        ),
    ),
    "scattered": EntryPoint(
        "A light centre of excellence or a shared platform first",
        (4, 8),
        (
            "name one coordinator who sees every use case",
            "list what runs, who owns it, and which rebuild each other",
            "agree on standards and a shared platform before anything new begins",
        ),
    ),
}
