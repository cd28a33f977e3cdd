"""`./dev evidence [--data FOLDER] [--only STUDY] [--sample] [--again]`: measure, keep, and write docs/evidence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from studies.logs import Logs
from studies.pages import write
from studies.registry import STUDIES
from studies.run import PAGES, differences, run, say
from studies.study import Source, Study


def main() -> int:
    """Do what was asked; 1 where a sample is not what was published."""
    parser = argparse.ArgumentParser(prog="./dev evidence", description="What the product claims, measured.")
    parser.add_argument(
        "--data", type=Path, help="a folder with logs/ and labelled/; without it: simulated studies only"
    )
    parser.add_argument("--only", action="append", metavar="STUDY", help=f"one of: {', '.join(STUDIES)}")
    parser.add_argument(
        "--sample", action="store_true", help="measure a sample of each study and compare with what is published"
    )
    parser.add_argument("--again", action="store_true", help="measure also what is there already")
    arguments = parser.parse_args()
    unknown = set(arguments.only or ()) - set(STUDIES)
    if unknown:
        parser.error(f"no study is called {', '.join(sorted(unknown))}; there are: {', '.join(STUDIES)}")
    if arguments.data is not None and not (arguments.data / "logs").is_dir():
        parser.error(f"there is no folder logs in {arguments.data}")
    chosen = _chosen(arguments.only, arguments.data)
    folder = arguments.data or Path()
    source = Source(folder, Logs(folder.resolve(), PAGES.parents[1] / ".trueup" / "evidence"))
    if arguments.sample:
        return _compared(chosen, source)
    run(chosen, source, again=arguments.again)
    say(f"wrote {', '.join(write()) or 'no page: none has changed'}")
    return 0


def _chosen(only: list[str] | None, data: Path | None) -> list[Study]:
    studies = [study for name, study in STUDIES.items() if not only or name in only]
    left = [study.name for study in studies if study.real and data is None]
    if left:
        say(f"without --data FOLDER left out: {', '.join(left)}")
    return [study for study in studies if study.name not in left]


def _compared(studies: list[Study], source: Source) -> int:
    found = [line for study in studies for line in differences(study, source)]
    for line in found:
        say(line)
    say(f"{len(found)} figures differ" if found else "every figure of the samples is as published")
    return 1 if found else 0


sys.exit(main())
