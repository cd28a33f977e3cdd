"""The page of the promise: the worst cell of every design, every cell with its n and its limit, and what was silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scipy import stats

from studies.figures import Count, Figure, counts_of
from studies.tables import limits, paragraphs, percent, rate, table
from studies.worlds import ICC, KEPT, KINDS, PHI

PROMISE = 0.05
# Designs that are asked before the launch whether they may speak.
ADMITTED = ("B", "C")
# A cell is above its promise where chance alone would show so many in fewer than one of a thousand cells.
SURE = 1e-3
# Fewest pilots that spoke for a rate to be listed among the worst.
FEW = 50
BY = {"gates": "false go at three gates, the worse direction", "sequence": "watched for twelve weeks, either direction"}
WORDS = {
    "A, 20% held out": "drawn by case",
    "A, 10% held out": "drawn by case",
    "A, 50% held out": "drawn by case",
    "A, 6 of 12 units": "drawn by unit",
    "A, 4 of 20 units": "drawn by unit",
    "A-": "six units in random order",
    "B": "two units beside four, among admitted",
    "C": "stable weeks, among admitted",
    "D": "any weeks before and after: may not say go",
}


def promised(figures: Sequence[Figure], volumes: Sequence[int], shocks: Sequence[str], asked: int) -> str:
    """Write the page; `asked` pilots of a design that has to be admitted, calm or shaken."""
    every = [cell for by in BY for cell in cells(figures, by)]
    return paragraphs(
        INTRO.format(icc=f"{ICC:.2f}"[1:], phi=f"{PHI:.1f}"[1:], kept=percent(KEPT, 0)),
        f"## In short\n\n{_verdict(every)}",
        table(("design", "", *(f"{text}: highest, where" for text in BY.values())), _short(figures)),
        SHORT.format(few=FEW),
        *([f"## Where it fails\n\n{_above(every)}"] if any(map(broken, every)) else []),
        f"## Where admission chooses\n\n{CHOSEN}",
        table(("design", "asked", "admitted", *BY.values(), "false go of all that asked"), _chosen(figures, asked)),
        PROTECTS,
        *(_section(figures, design, volumes, shocks) for design in WORDS),
        f"## What this does not show\n\n{LIMITS}",
    )


def cells(figures: Sequence[Figure], by: str) -> list[Count]:
    """Return one count a cell: at gates the worse of the two directions, watched either of them."""
    if by == "sequence":
        return counts_of(figures, by=by, way="either")
    ways = (counts_of(figures, by=by, way=way) for way in ("up", "down"))
    return [max(pair, key=lambda one: one.hits) for pair in zip(*ways, strict=True)]


def broken(cell: Count) -> bool:
    """Tell whether a rate is above 5% beyond the play of chance."""
    return float(stats.binom.sf(cell.hits - 1, cell.n, PROMISE)) < SURE


def _verdict(every: Sequence[Count]) -> str:
    above = [cell for cell in every if broken(cell)]
    by_chance = [cell for cell in every if cell.share > PROMISE and not broken(cell)]
    of_chosen = sum(cell.about["design"] in ADMITTED for cell in by_chance)
    return (
        f"{len(every):,} cells in which something could be said, {sum(cell.n for cell in every):,} pilots in them. "
        f"Above 5% beyond the play of\nchance (fewer than one in a thousand such cells): {len(above) or 'none'}. "
        f"Above 5%, but not beyond chance: {len(by_chance)},\nof which {of_chosen} of {' and '.join(ADMITTED)}."
    )


def _above(every: Sequence[Count]) -> str:
    found = [cell for cell in every if broken(cell)]
    body = [[_name(cell), BY[cell.about["by"]], rate(cell), limits(cell)] for cell in found]
    return table(("above 5% beyond chance", "", "false", "95% limits"), body)


def _name(cell: Count) -> str:
    about = cell.about
    return f"{about['design']}, {about['kind']}, {about['volume']} a week, {about['shocks']}"


def _short(figures: Sequence[Figure]) -> Iterator[list[str]]:
    for design, word in WORDS.items():
        row = [design, word]
        for by in BY:
            spoke = [cell for cell in cells(figures, by) if cell.about["design"] == design and cell.n >= FEW]
            worst = max(spoke, key=lambda cell: cell.share, default=None)
            row.append("-" if worst is None else _worst(worst))
        yield row


def _worst(cell: Count) -> str:
    about = cell.about
    return f"{rate(cell)}: {about['kind']}, {about['volume']} a week, {about['shocks']}"


def _chosen(figures: Sequence[Figure], asked: int) -> Iterator[list[str]]:
    for design in ADMITTED:
        for shocks in ("calm", "shaken"):
            found = [
                [
                    cell
                    for cell in cells(figures, by)
                    if (cell.about["design"], cell.about["shocks"]) == (design, shocks)
                ]
                for by in BY
            ]
            gates, watch = (Count({}, sum(one.hits for one in part), sum(one.n for one in part)) for part in found)
            told = Count({}, gates.hits, asked)
            yield [f"{design}, {shocks}", f"{asked:,}", f"{watch.n:,}", rate(gates), rate(watch), rate(told)]


def _section(figures: Sequence[Figure], design: str, volumes: Sequence[int], shocks: Sequence[str]) -> str:
    parts = [f"## {design}: {WORDS[design]}"]
    for by, text in BY.items():
        found = {
            tuple(cell.about[key] for key in ("kind", "shocks", "volume")): cell
            for cell in cells(figures, by)
            if cell.about["design"] == design
        }
        head = (text, *(f"{volume:,} a week" for volume in volumes))
        parts.append(table(head, _rows(found, volumes, shocks)))
    return paragraphs(*parts)


def _rows(found: Mapping[tuple[str, ...], Count], volumes: Sequence[int], shocks: Sequence[str]) -> Iterator[list[str]]:
    for kind in KINDS:
        for shock in shocks:
            row = [found.get((kind, shock, f"{volume}")) for volume in volumes]
            if any(row):
                yield [f"{kind}, {shock}", *(_cell(cell) for cell in row)]


def _cell(cell: Count | None) -> str:
    if cell is None:
        return "-"
    text = f"{cell.hits}/{cell.n:,}, {percent(cell.interval.upper)}"
    return f"**{text}**" if broken(cell) else text


INTRO = """\
The promise: nothing happens, and at most 5% of pilots are told `go` at one of three gates, and at most 5% see the
watched sequence claim something in one of twelve weekly looks. Here it is asked of every kind of KPI, design,
volume and weekly shock in one grid, by the product's own comparison.

Each pilot is drawn anew: eight weeks before where the design needs them, twelve after, a number of cases a week that
varies by chance (Poisson), and nothing that the pilot does. **Calm** weeks share nothing. **Shaken** weeks share
{icc} of the variance (of the normal score behind every value), and neighbouring weeks resemble by {phi}. Units
differ for good by {kept} of the variance, have volumes of their own, and half of a week's shock to themselves.
Skewed values are lognormal (spread of the logarithm 1) or exponential; hours that are mostly nought are nought in 80
or 95% of the cases and lognormal in the others; counts are nought in 70%. Times are cut at two weeks of follow-up.
Cases mature at once. C compares logarithms of times and of one plus counts, as A- and B do.
"""
SHORT = """\
A rate counts pilots that could speak: where each gate has too few cases, or the series was not admitted, there is
nothing that could be false, and n is smaller. Cells with fewer than {few} are not among the highest. The tables
below hold every cell: false claims of pilots that spoke, and the upper end of the 95% limits (Clopper and Pearson,
one cell at a time); a dash where none could speak. Of so many cells one in twenty lies outside its limits by chance.
"""
CHOSEN = """\
B and C **choose the pilots that may speak by eight weeks of their past**. Where the true spread of weeks is about what
the promise allows, those are admitted whose eight weeks happened to be calm. A margin by these weeks alone is too
narrow among the admitted: with it this grid had twelve watched cells above 5% beyond chance, up to 45%, and gates of C
at 13% in single cells. Therefore the margin takes the larger spread of the weeks before and after ([decision
0034](../decisions/0034-calm-before-is-not-calm-after.md)). All cells of either design together:
"""
PROTECTS = """\
What else protects: the sequence of B and C never says `go`, a gate does; a `go` of C is provisional and cannot scale
without a design that is B or better, or the sponsor's name; and most such pilots are refused. The easier way is
to hold a fifth of the cases out, which is the default. Counts that are mostly nought were never admitted to C.
"""
LIMITS = """\
**Quantiles and covariates** exist for drawn cases only; elsewhere the product says so (`quantile-needs-cases`).
**n** is 1,000 a cell, less where one pilot is costly (covariates 200, rollouts 300), and for B and C what was
admitted of 1,500. An upper limit above 5% where the rate is below says that n is small. **Drift of months** is not
simulated here but measured on real logs ([drift](drift.md), [other designs](other-designs.md)).
"""
