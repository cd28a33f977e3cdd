"""Pages and pictures from the figures that are kept; nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from studies.figures import Figure, pooled
from studies.registry import STUDIES
from studies.run import PAGES, kept
from studies.study import Study
from studies.tables import limits, paragraphs, rate, table

NOTE = "<!-- Written by ./dev evidence from figures/{name}.json; change the study, not this page. -->"
INDEX = "README.md"


def texts(pages: Path = PAGES) -> Iterator[tuple[str, str]]:
    """Yield every page that has figures, and the index, by name."""
    found = {name: kept(study, pages).figures() for name, study in STUDIES.items()}
    for name, study in STUDIES.items():
        if found[name]:
            yield f"{name}.md", _text(study, found[name])
    yield INDEX, _index(found)


def _text(study: Study, figures: list[Figure]) -> str:
    data = " --data FOLDER" if study.real else ""
    repeat = f"\n    ./dev evidence --sample --only {study.name}{data}" if study.repeated else ""
    return (
        f"# {study.title}\n\n{NOTE.format(name=study.name)}\n\n{study.page(figures)}\n## Repeat it\n\n"
        f"    ./dev evidence --again --only {study.name}{data}{repeat}\n\n"
        f"Figures with n: [figures/{study.name}.json](figures/{study.name}.json). Study: [studies/](../../studies/), "
        "fixed seeds. The [index](README.md) has the others.\n"
    )


def write(pages: Path = PAGES) -> list[str]:
    """Write every page and picture that has changed; return their names."""
    written = []
    for name, text in texts(pages):
        if not (pages / name).exists() or (pages / name).read_text("utf-8") != text:
            (pages / name).write_text(text, "utf-8")
            written.append(name)
    for study in STUDIES.values():
        for name, spec in study.pictures(kept(study, pages).figures()).items():
            from trueup.cli.charts.writing import write_picture

            was = (pages / name).read_bytes() if (pages / name).exists() else b""
            write_picture(spec, pages / name)
            written += [name] if (pages / name).read_bytes() != was else []
    return written


def _index(found: Mapping[str, list[Figure]]) -> str:
    head = ("level", "what it may say", "false go of admitted, every week a launch", "windows apart", "95% limits")
    ladder = table(head, _ladder(found))
    claims = table(
        ("claim", "study", "figures"),
        [[claim, f"[{name}]({name}.md)", f"[json](figures/{name}.json)"] for claim, name in CLAIMS if found[name]],
    )
    return paragraphs(
        f"# Evidence about the evidence\n\n{NOTE.format(name='*')}",
        INTRO,
        f"## The ladder, on logs that nobody treated\n\n{ladder}",
        LADDER,
        f"## Claim by claim\n\n{claims}",
        REPEAT,
    )


def _ladder(found: Mapping[str, list[Figure]]) -> Iterator[list[str]]:
    for holdout in ("10%", "20%", "50%"):
        where = {"holdout": holdout, "promise": "usual", "what": "better", "by": "gates"}
        yield _step(found["randomised"], f"A, {holdout} held out", "caused", where)
    for design, word in WORDS.items():
        yield _step(found["other-designs"], design, word, {"design": design, "promise": "usual", "what": "go"})
    for method, word in (
        ("cases, z at three gates", "a plain test: may not say go"),
        ("weeks, t at three gates", "level D: may not say go"),
    ):
        where = {"method": method, "what": "better"}
        yield _step(found["contrast"], f"D, {method}", word, where)


def _step(figures: list[Figure], level: str, word: str, where: Mapping[str, str]) -> list[str]:
    every, far = (pooled(figures, **where, windows=windows) for windows in ("overlapping", "apart"))
    return [level, word, rate(every), rate(far), limits(far)]


WORDS = {
    "A-": "caused, if the order was random",
    "B one unit": "consistent with an effect",
    "B half of the units": "consistent with an effect",
    "C": "changed after; cause not established",
}
CLAIMS = (
    ("Drawn arms claim falsely in at most 5%, at gates and in the weekly watch", "randomised"),
    ("Staggered, matched and stable designs stay at or below 5% among admitted pilots", "other-designs"),
    ("Design buys honesty, arithmetic does not", "contrast"),
    (
        "Drawn arms keep 5% for every KPI, 10 to 1,000 cases a week; B and C do where not only just admitted",
        "promises",
    ),
    ("Processes that nobody touches move, and how far", "drift"),
    ("A true effect is seen, with what volume and holdout", "power"),
    ("Autonomy that went wrong is noticed, and how soon", "watches"),
    ("A limit on wrong outcomes is kept on real work", "automated-share"),
    ("Year-ago guard, standardisation, placebo in space, slow starts: measured; the rest named", "guards"),
    ("A synthetic control over eight weeks is no better than the plain difference", "synthetic-control"),
)
INTRO = """\
For readers who trust no number here. Every figure on these pages was produced by the product's own functions on data
whose truth is known: simulated, or real event logs that nobody treated, so that whatever is claimed of them is
false. Each row of the second table leads from a claim to its study, to the command that repeats it, and to the
figures with their n. Formulas are in [evidence](../concepts/evidence.md); what a gate makes of them in [gates and
evidence](../concepts/gates-and-evidence.md).

Logs (public, not in this repository): domestic declarations and requests for payment (BPI Challenge 2020), a help
desk (Italian software company), the receipt phase of permits (CoSeLoG), ServiceNow incidents (UCI 498); five KPIs
each.
"""
LADDER = """\
Admitted for the usual promise (-30% of time or effort, 10 points of a share); D asks nothing of the past, so all
launches count there. Overlapping windows repeat the same weeks, so that their n flatters; limits are given for
windows that share no week, and they are wide: that is how much five logs can say. Where a rate is above 5%, its page
names the KPIs and the rule that protects the user.
"""
REPEAT = """\
## Repeat it

    ./dev evidence --data FOLDER                 # what is missing; every part is kept as soon as it is there
    ./dev evidence --data FOLDER --again         # everything anew, about an hour of one core
    ./dev evidence --sample                      # a sample of each study, compared with these pages figure by figure

`FOLDER` holds `logs/` and `labelled/` as the studies name them (`studies/logs.py`). Without it only the simulated
studies run. The samples are part of `./dev test`: a change of the product that moves a published figure fails there.
"""
