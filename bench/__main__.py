"""`./dev bench [NAMES] [--data FOLDER] [--json]`: each other module here is one bench with a `run(report, data)`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

import bench
from bench.report import Report

FRAME = {"__main__", "report"}


def names() -> list[str]:
    """Return the benches that there are."""
    found = (module.name for module in pkgutil.iter_modules(bench.__path__))
    return sorted(name for name in found if name not in FRAME and not name.startswith("_"))


def main() -> None:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=bench.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names())}; default: all")
    parser.add_argument("--data", type=Path, help="a folder of logs, for the benches that want real ones")
    parser.add_argument("--decisions", type=Path, help="where the bench `attacks` writes its verdicts, one line a call")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names())
    if unknown:
        parser.error(f"no bench is called {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    report = Report(as_json=arguments.json, decisions=arguments.decisions)
    for name in arguments.names or names():
        report.bench = name
        importlib.import_module(f"bench.{name}").run(report, arguments.data)
    report.finish()


main()
