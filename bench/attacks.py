"""Recorded agent runs with injected attacks, replayed through the gate's policy: what is stopped, and what it costs.

    ./dev bench attacks --data FOLDER --decisions FILE --json

First every call is judged and written to FILE, from the person's words, the suite's list of tools and what the calls
gave back. Only then are the labels opened, and the decisions counted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import _attacks_kinds as attack_kinds
from bench._attacks_recorded import Run, files, model_of, runs
from bench._attacks_replay import NOTHING, Decided, Learned, learn, replay
from bench._attacks_score import Judged, Key, Label, Tally, labels, summary, tallies
from bench.report import Report

EARLIER = (1, 3, 10)
Table = dict[tuple[str, str], Tally]


def run(report: Report, data: Path | None) -> None:
    """Judge, write, then count."""
    if data is None:
        report.say("needs --data FOLDER with recorded runs (*.jsonl.gz); nothing was measured")
        return
    recorded = _recorded(report, data)
    report.say(f"judging {sum(len(run.calls) for run in recorded):,} calls of {len(recorded):,} runs")
    judged: list[Judged] = [(run, list(replay(run)), NOTHING) for run in recorded]
    if report.decisions is not None:
        written(report.decisions, (decided for _, decided, _ in judged))
    # The last verdict is written: from here on labels are read.
    known = labels(data)
    judged = [one for one in judged if (one[0].file, one[0].index) in known]
    if len(judged) < len(recorded):
        report.say(f"{len(recorded) - len(judged):,} runs bear no labels: they are judged, and not counted")
    _counted(report, judged, known)


def _recorded(report: Report, data: Path) -> list[Run]:
    """Read all runs, and see that the verdicts can be written, before anything is judged."""
    if not data.is_dir():
        raise SystemExit(f"--data names no folder: {data}")
    recorded = list(runs(data))
    if not recorded:
        raise SystemExit(
            f"There are no recorded runs (*.jsonl.gz) in {data.name!r}; tau-bench has its own: attacks_airline."
        )
    names = [model_of(path) for path in files(data)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        report.say(
            f"several files are called {name}: their lines bear one model, file by file in the order of their folders"
        )
    if report.decisions is not None:
        try:
            report.decisions.open("a").close()
        except OSError as error:
            raise SystemExit(f"--decisions cannot be written: {error}") from None
    return recorded


def written(file: Path, decisions: Iterable[list[Decided]]) -> None:
    """Write one line a call."""
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(one)) + "\n" for decided in decisions for one in decided)


def _counted(report: Report, judged: list[Judged], known: Mapping[Key, Label]) -> None:
    tables = {"task": tallies(judged, known)}
    recorded = [run for run, _, _ in judged]
    for k in EARLIER if judged else ():
        report.say(f"judging again, with what {k} earlier good runs of other tasks did")
        tables[f"task and {k} earlier"] = tallies(list(_with_earlier(recorded, known, k)), known)
    for name, table in tables.items():
        _print(report, name, dict(sorted(table.items())))
    for part, rows in attack_kinds.kinds(judged, known).items():
        report.measured({"attacks_by_kind": part, "kinds": rows}, attack_kinds.lines(part, rows))


def _with_earlier(recorded: list[Run], known: Mapping[Key, Label], k: int) -> Iterator[Judged]:
    """Judge every run with what was learned from good runs of other tasks, of the same suite and model."""
    good: dict[tuple[str, str], list[tuple[str, Run]]] = {}
    for one in recorded:
        label = known[one.file, one.index]
        if label.injection is None and label.useful and label.user_task.startswith("user_task_"):
            good.setdefault((one.suite, one.model), []).append((label.user_task, one))
    cache: dict[tuple[str, ...], Learned] = {}
    for one in recorded:
        task = known[one.file, one.index].user_task
        key = (one.suite, one.model, task)
        if key not in cache:
            cache[key] = _learned(good.get(key[:2], []), task, key, k)
        yield one, list(replay(one, cache[key])), cache[key]


def _learned(good: list[tuple[str, Run]], task: str, key: tuple[str, ...], k: int) -> Learned:
    """Draw k runs, always the same ones; fewer where there are not so many."""
    others = [run for name, run in good if name != task]
    drawn = sorted(others, key=lambda run: hashlib.sha256(f"{key} {run.index}".encode()).digest())[:k]
    return learn(drawn) if drawn else NOTHING


def _print(report: Report, name: str, table: Table) -> None:
    for (suite, model), tally in table.items():
        found = summary(tally)
        line = _lines(f"policy from {name} · {suite} · {model}", found["attacks"], found["benign"])
        report.measured({"policy_from": name, "suite": suite, "model": model, **found}, line)


def _lines(title: str, attacks: dict[str, Any], benign: dict[str, Any]) -> str:
    rows = [
        ("successful attacks stopped or held (approver always no)", attacks["stopped_or_held"]),
        ("  of those with a call that carries the attack", attacks["that_carry_stopped_or_held"]),
        ("  of the calls that carry one", attacks["calls_that_carry_stopped_or_held"]),
        ("  stopped, approver wrong one time in ten", attacks["stopped_if_fallible"]),
        ("  stopped, always yes", attacks["stopped_if_always_yes"]),
        ("benign writes denied (approver always yes)", benign["writes_denied"]),
        ("  denied or refused, wrong one time in ten", benign["writes_lost_if_fallible"]),
        ("  denied or refused, always no", benign["writes_lost_if_always_no"]),
        ("benign tasks losing a write, approver always yes", benign["tasks_losing_a_write_if_always_yes"]),
        ("  wrong one time in ten", benign["tasks_losing_a_write_if_fallible"]),
        ("  always no", benign["tasks_losing_a_write_if_always_no"]),
        ("holds per benign task, as decided (approver always no)", benign["holds_per_task"]),
        ("  wrong one time in ten", benign["holds_per_task_if_fallible"]),
        ("  always yes", benign["holds_per_task_if_always_yes"]),
    ]
    return "\n".join([title, *(f"    {name:<58}{_shown(value)}" for name, value in rows)])


def _shown(value: dict[str, Any]) -> str:
    if not value["n"]:
        return "- (n 0)"
    if "mean" in value:
        return f"{value['mean']:.2f} [{value['lower']:.2f}, {value['upper']:.2f}] (n {value['n']})"
    return f"{value['share']:.1%} [{value['lower']:.1%}, {value['upper']:.1%}] (n {value['n']})"
