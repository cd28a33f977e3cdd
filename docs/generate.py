"""Writes the reference pages that the code itself can tell: `./dev docs`. A test fails while a page is out of date."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by ./dev docs. Change the code, not this page. -->\n"

# What each command's envelope carries under `data`; keys may be added, never renamed or removed.
ANSWERS: dict[str, str] = {
    "new": "`files[]`",
    "check": "`findings[]`: `code`, `severity`, `summary`, `detail`, `fix`, `file` (relative to DIR), `line`, `col`, "
    "and `waived` with the reason of a waiver in force. Exit 3 when an error is not waived",
    "explain": "`code`, `severity`, `title`, `why`, `fix`, `example`",
    "schema": "`files[]`",
    "assess": "`score` (0 to 10; null while an answer is missing), `range`, `factors[]`, `unanswered[]`, `route` "
    "(`strategy-first`, `hybrid`, `implementation-first`; null while it is open), `routes[]` that are possible, "
    "`factors[].measured`: null, or where the evidence is `data.NAME`: `data`, `declared`, `measured`, `nearest`, "
    "`holds`, `because`; "
    "`blockers[]`: `factor`, `because`; `landscape`, `entry_point`, `operating_model`: `declared`, `recommended`, "
    "`possible[]`, `because[]`, `failure_modes[]`; `decision_rights[]`: `decision`, `by`, `who[]`; `next[]`: `weeks`, "
    "`what`, `owner`; `not_now[]`, `would_change[]`: `answer`, `from`, `to`, `score`, `route`, `blockers[]`",
    "rank": "`use_cases[]` in their rank: `id`, `value` and `cost` (`p10`, `p50`, `p90`; present values), `success`, "
    "`p_funded`, `selected`, `because[]`, `expected_net`, `uses`, `unknown[]`, `would_change`; `gap` (0: proven best), "
    "`expected_net`, `bound`, `budget`, `limits` (`limit`, `used`, `unknown[]`), `horizon`, `discount`, `seed`, "
    "`draws`, `notes[]`; `readiness[]`: `data`, `score` (0 to 1; null where it is not known), `because`. What is not "
    "declared is null",
    "roadmap": "`horizons`: `30`, `60`, `90`, each a list of `due`, `kind` (`blocker`, `gate`, `phase`, `step`), "
    "`what`, `owner`, `use_case`, `workflow`, `overdue`; `weeks[]`: `week` (1 begins on `pilot.starts`; -1 and 0 lie "
    "before it), `phase`, `items[]`, `gates[]`: `gate`, `due`, `scale`, `declared`, `outcome`; `tracks[]`, "
    "`blockers[]`, `route`",
    "brief": "`file`, `format` (`markdown`, `html`), `page`: what the page says, as data",
    "baseline": "`workflow`, `registered_late`, `file`, `readings[]` (weekly, as of `measure`), "
    "`summary[]`: `kpi`, `n`, `value`, `lower`, `upper`; `detectable[]`: `gate`, `kpi`, `smallest`; "
    "`weeks` of the primary KPI: `icc`, `phi`; `ways_to_decide[]`: `way`, `says`; "
    "`admission` (null where arms are drawn): `rule`, `admitted`, `because`, `margin`, `promised`, `floor`, `drift`, "
    "`scale`, `ways_out[]`; `rollout[]`: `unit`, `on`; `because_of`: the question, or null; `findings[]`, "
    "`findings_unknown` as of `measure`",
    "measure": "`findings[]` as of `check`: what data, ledger and calendar show, of the workflow that is named; "
    "`findings_unknown`: why there are none to be had, else null; with `--data`: `readiness[]`: `data`, `score`, "
    "`usable`, `enough`, `because`, `per`, `records`, `parts[]`: `part`, `value`, `n`, `needed`, `because`; "
    "`readings[]`: `id`, `workflow`, `kpi`, `week`, `arm`, `segment`, `n`, `value`, `lower`, `upper`, "
    "`unit`, `evidence_level`, `immature`, `capped`, `without_value`; `money[]`: `use_case`, `promised` and `measured` "
    "(a year), `realised` and `spend` (to date), `lines[]`; null is unknown; `currency`; `people[]`: `workflow`, "
    "`eligible`, `trained`, `plan`, `among_cases`, `among_people`, `unknown[]`; with "
    "`--histograms`: `histograms[]`: `workflow`, `kpi`, `week`, `arm`, `unit`, `edges[]`, `counts[]` and "
    "`quantiles[]` of durations: `workflow`, `kpi`, `arm`, `unit`, `n`, `quantile`, `value`, `lower`, `upper`; with "
    "`--health`: `health`, by workflow: `reference`, `recent`, `level`, `fields[]`: `field`, `role`, `kind`, `before`, "
    "`after`, `index`, `limit`, `p_value`, `adjusted`, `state`, `moved_most`; `joint`: `fields[]`, `auc`, `p_value`, "
    "`adjusted`, `state`; `calibration`: `reviewed`, `accuracy`, `mean_confidence`, `expected_calibration_error`, "
    "`expected_if_calibrated`, `state`, `bins[]`; `groups`: `field`, `without_group`, `rates[]`, "
    "`demographic_parity_difference`, `demographic_parity_ratio`, `equalized_odds_difference`; `gaps` as of "
    "`autonomy gaps`; each part has `unknown`: null, or `code` and `because`; with "
    "`--chart`, `--map` or `--picture`: `pictures[]`: `shows` (`kpis`, `process`, `watched`, `placebo`, "
    "`reliability`), `file`",
    "record": "`entry` (its index), `id`, `type`, `time`, `by`, `data`, `signed`, `files[]`; of an outcome "
    "after which the level fell, `fell`: `entry`, `to`, `because`",
    "review": "`id`, `as_of`, `fingerprint`, `file`, `changes[]`; each change has `n`, `kind` and `because`. A gate: "
    "`subject`, `gate`, `outcome`, `code`, `kpi`, `unit`, `estimate`, `lower`, `upper`, `cases`, `immature`, "
    "`evidence_level`, `guardrails[]`, `evidence[]`; autonomy: `subject`, `from`, `to`; assumption: `id`, `holds`, "
    "`measured`, `bound`; rank: `id`, `from`, `to`, `p_funded`; expand: `subject`, `next`; finding: `code`, "
    "`severity`, `subject`, `detail`, `fix`, `file`, `line`, `col`. "
    "Exit 5 with `--exit-code` when there are changes",
    "why": "the chain: the change, its readings, their formula, the events, the declared line",
    "apply": "`applied[]`, `files[]`, `commit`, `entries[]`, `signed`, `left[]`: findings that WHO may not sign",
    "gate": "`verdict` (`allow`, `hold`, `deny`), `decisive`, `action`, `rules[]`: `id`, `effect`, `says`, `source`, "
    "`applied`. Exit 4 when held or denied. Nothing is recorded. With `--replay`: `workflow`, `policy`, `level`, `n`, "
    "`same`, `counts[]`: `was`, `would`, `n`; `changed[]`: `entry`, `at`, `step`, `action`, `tool`, `was`, `would`, "
    "`decisive`, `says`, and `assumed` where something had to be taken for granted; `unknown[]`: the same, with "
    "`because`. Exit 0. With `--recorded`: the verdict as above, `entry`, `at`, `step`, `policy`, `complete` (every "
    "rule is known: the files still make that policy). Exit 0",
    "approvals list": "`bypasses[]` in force: `entry`, `workflow`, `action`, `since`, `until`, `by`, `because`; "
    "`approvals[]`: `id`, `workflow`, `action`, `tool`, `step`, `case`, `arguments`, `digest`, "
    "`policy`, `reasons[]`, `approvers[]`, `requester`, `requested_at`, `expires_at`, `reversible_by`, `state`, "
    "`decided_by`, `because`, `risk`, `age_seconds`, `approvers_needed`, `seconded_by[]`, `escalates_at`, "
    "`confidence` (null: it does not say), `sources[]`, `stale` (null: a yes counts): `code` (`policy-changed`, "
    "`killed`, `arguments-gone`, `definition-changed`), `says`",
    "approvals show": "`approvals[]` with the one asked for, as of `approvals list`",
    "approvals accept": "`approvals[]` with the one decided on, `entry`, `denied`: a verdict where nothing was decided "
    "because it has expired. Exit 4 then, and (`ok: false`) where `--by` may not",
    "approvals edit": "as of `approvals accept`; `denied` also where policy forbids the arguments",
    "approvals reject": "as of `approvals accept`",
    "approvals escalate": "as of `approvals accept`",
    "approvals unknown": "`steps[]`: `id`, `workflow`, `action`, `tool`, `step`, `case`, `since`: allowed, and without "
    "an outcome. What is under way just now is among them",
    "approvals bypass": "`entry`, `workflow`, `action`, `by`, `because`, `until` (null where it was ended)",
    "approvals reverse": "`reversal` (`of`, `workflow`, `undoes`, `action`, `tool`, `case`, `arguments`, `by`, "
    "`step`), `state`, `approval` while it waits, `entry`, `verdict`. Exit 4 when it is held or denied.",
    "approvals settle": "`entry`, `happened`, `steps[]` with the one settled",
    "autonomy threshold": "`workflow`, `wrong_at_most`, `sure`, `reviewed` (outcomes with a confidence), `needed` (so "
    "many, with none wrong), `threshold` (null: none): `at`, `automated` (share), `accepted`, `wrong`, `p_value`; "
    "`in_force`, `because` (why none); with `--register` `entry` and `by`",
    "autonomy reviews": "`reviews[]`: `id`, `workflow`, `case`, `actions[]`, `since`, `due`, `overdue`; `overdue`: how "
    "many",
    "autonomy label": "`entry`, `id`, `workflow`, `case`, `wrong`, `how` (`answer`, `seen`), `time`, `by`; where the "
    "level fell by it, `fell`: `entry`, `to`, `because`",
    "autonomy gaps": "`gaps`, by workflow: `since`, `cases`, `low_confidence`, `unanswered`, `by`, `topics[]`: `topic` "
    "(null: all others), `cases`, `uncertain`, `low_confidence`, `unanswered`; `unknown`",
    "approvals remind": "`told[]`: the approvals that people were told of now",
    "gateway": "`workflow`, `servers[]`; said when the agent has closed its end. Over stdio stdout is the protocol",
    "tools draft": "`actions[]`: `action`, `declared` (what would stand in the file), `said_to_read` (by its server); "
    "`left_out` (names of tools that cannot be declared), `yaml` (the text)",
    "tools list": "`tools[]`: `tool`, `definition` (its digest), `by` (null: pinned on first use), `offered` (another "
    "digest that is offered now, which is denied), `text`, `offered_text`",
    "tools pin": "`entry`, `tools[]` with the one pinned",
    "kill": "`entry`, `workflow` (null: all), `to` (`killed`)",
    "resume": "`entry`, `workflow`, `to` (`running`)",
    "assign": "`case`, `unit`, `arm` (`treated`, `control`), `entry`: the same ever after",
    "ledger verify": "`ok`, `size`, `root`, `uncovered`, `witness`, `problems[]`: `kind`, `index`, `detail`. "
    "Exit 6 when something is broken",
    "ledger entry": "`index`, `leaf` (base64 of the exact hashed bytes), `entry`",
    "ledger key": "`vkey`, in the form of signed notes",
    "ledger prove": "`index` or `from`, `file`, `size` of the checkpoint that it proves against, `checkpoint`, `vkey`",
    "ledger receipt": "`receipts[]`: `name` (as its approval is called), `entry`, `workflow`, `action`, `step`, "
    "`ended`, `file`, `size` of the checkpoint; `vkey`. With `--check`: `file`, `index`, `size`, `entry`; exit 6 "
    "when it proves nothing",
    "ledger export": "`folder`, `format`, `size`, `uncovered`: entries left out because no checkpoint covers them",
    "ledger backup": "`file`, `entries`, `verify`: what `ledger verify` says of the copy. Exit 6 when it is broken",
    "ledger restore": "`file`, `entries`, `verify`: what `ledger verify` says of the ledger that is back",
    "ledger retain": "`bodies[]`: `digest`, `state` (`kept`, `due`, `waiting`, `unruled`, `unnamed`, `tombstone`), "
    "`entry`, `since`, `workflow`, `level`, `until`; `erased[]` with `tombstone`, the index of its entry",
    "ledger erase": "`digest`, `tombstone`: the index of the entry that says so",
    "serve": "`link`, the one-time link; said when the console has stopped",
    "demo": "the last review before it was applied, and `applied[]`, `after[]`, `ledger`, `weeks[]`, `path`, "
    "`simulated`",
}

COMMANDS_INTRO = """\
`DIR` is a programme folder. Every command takes `--json` and then prints one envelope on stdout:
`{"ok": true, "command": "...", "data": {...}}`, or
`{"ok": false, "command": "...", "error": {"kind", "code", "message", "hint"}}`.
Prose and progress go to stderr. Instants are ISO 8601, UTC where no zone is given.
[Exit codes](exit-codes.md), [error codes](errors.md) and [finding codes](findings.md) have their own pages.
From a fresh checkout, put `./dev` before each: `./dev trueup check DIR`.
"""
FINDINGS_INTRO = """\
What `trueup check` can find. Codes never change their meaning. An error stops the commands that need the file;
a warning will hurt; a note is worth knowing. `trueup explain CODE` prints the same page.
"""
LEDGER_FILE_INTRO = """\
`.trueup/ledger.db` is an SQLite file with two tables and nothing else; in PostgreSQL the same two tables stand alone in
a schema that is named after the origin. `trueup ledger verify` compares the schema to the letter, recomputes every
column that follows from a leaf, and compares every signed root. It changes nothing: where a writer has left a
write-ahead log, a copy is read.

A problem has a `kind`, an `index` (the entry or the tree size that it is about, null for the whole) and a `detail`.
"""
LEDGER_INTRO = """\
The closed table of what can happen. Every entry carries `type`, `id`, `time` (the instant it is about),
`recorded` (when it was appended), `by`, and its own `data`.
"""
HTTP_INTRO = """\
Who may call, how, and what errors look like: [the HTTP API](http.md). What a command of the same name carries
under `data` stands with the [commands](commands.md).
"""
ERRORS_INTRO = """\
What stands under `error.code` when a command refuses or fails, by `error.kind`. The message says what happened
(`{...}` is filled in), the hint what to do next.
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that answers, by its whole name."""
    from trueup.cli.main import COMMANDS, cli

    context = click.Context(cli, info_name="trueup")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", inner) for sub, inner in command.commands.items())
        elif command is not None:
            yield name, command


def commands_page() -> str:
    """Describe every command: how it is called, its options, what it answers."""
    parts = [f"# Commands\n\n{NOTE}\n{COMMANDS_INTRO}"]
    parts += [_command(name, command) for name, command in commands()]
    return "\n".join(parts)


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"trueup {name}", terminal_width=110, max_content_width=110)
    called = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = f"## {name}\n\n{' '.join((command.help or '').split())}\n\n    {called}\n\n"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            record = parameter.get_help_record(context)
            text += f"- `{', '.join(parameter.opts)}`: {' '.join((parameter.help or '').split())}\n" if record else ""
    return f"{text}\n`data`: {ANSWERS.get(name, 'not described yet')}.\n"


def findings_page() -> str:
    """Give every finding its page, as `trueup explain` shows it."""
    from trueup.declare.check.registry import PAGES

    parts = [f"# Findings\n\n{NOTE}\n{FINDINGS_INTRO}"]
    for code, page in sorted(PAGES.items()):
        parts.append(
            f"## {code}\n\n**{page.title}** ({page.severity})\n\n{page.why}\n\n**Fix:** {page.fix}\n\n"
            f"```yaml\n{page.example}\n```\n"
        )
    return "\n".join(parts)


def ledger_page() -> str:
    """List what the ledger can remember, and what each entry carries."""
    from trueup.ledger.event_types import EVENT_TYPES

    parts = [f"# Ledger entries\n\n{NOTE}\n{LEDGER_INTRO}"]
    for name, kind in EVENT_TYPES.items():
        carried = "\n".join(f"- `{key}`: {meaning}" for key, meaning in kind.carries.items())
        parts.append(f"## {name}\n\n{kind.says}\n\n{carried}\n")
    return "\n".join(parts)


def ledger_file_page() -> str:
    """Say what stands in the ledger's file, and by which names `verify` calls what is wrong with it."""
    from trueup.backends.sqlite_layout import COLUMNS
    from trueup.ledger.verify import NO_WITNESS, PROBLEM_KINDS

    parts = [f"# The ledger's file and what verify finds\n\n{NOTE}\n{LEDGER_FILE_INTRO}"]
    for table, columns in COLUMNS.items():
        listed = "\n".join(f"- `{name}`: {meaning}" for name, meaning in columns.items())
        parts.append(f"## Table {table}\n\n{listed}\n")
    kinds = "\n".join(f"- `{kind}`: {meaning}" for kind, meaning in PROBLEM_KINDS.items())
    parts.append(
        f"## Problems\n\n{kinds}\n\nWithout a checkpoint outside the ledger, `witness` reads `{NO_WITNESS}`.\n"
    )
    return "\n".join(parts)


def errors_page() -> str:
    """List every code under which a command can fail, with the first sentence that it says."""
    parts = [f"# Error codes\n\n{NOTE}\n{ERRORS_INTRO}"]
    found = sorted(set(error_codes()))
    for kind in sorted({kind for kind, _, _ in found}):
        codes: dict[str, str] = {}
        for _, code, message in (entry for entry in found if entry[0] == kind):
            codes.setdefault(code, message)
        rows = "\n".join(f"- `{code}`: {message}" for code, message in codes.items())
        parts.append(f"## {kind}\n\n{rows}\n")
    return "\n".join(parts)


def error_codes() -> Iterator[tuple[str, str, str]]:
    """Yield (kind, code, message) of every error that the source can raise."""
    from trueup.kernel import errors

    kinds = {
        name: leaf.kind
        for name, leaf in vars(errors).items()
        if isinstance(leaf, type) and issubclass(leaf, errors.TrueupError)
    }
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                message = _text(node.args[1]) if len(node.args) > 1 else ""
                yield from ((kinds[name], code, message) for code in _literals(node.args[0]) if name in kinds)


def _literals(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return [*_literals(node.body), *_literals(node.orelse)] if isinstance(node, ast.IfExp) else []


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "{...}"
    return "{...}"


def http_page() -> str:
    """List the addresses of the HTTP API, from the table that the application is made from."""
    from trueup.web.api.routes import PREFIX, ROUTES

    parts = [f"# Addresses of the HTTP API\n\n{NOTE}\n{HTTP_INTRO}"]
    for route in ROUTES:
        body = "".join(
            f"- `{name}` ({member.kind}{', required' if member.required else ''}): {member.says}\n"
            for name, member in route.takes.items()
        )
        takes = "The body is the request.\n" if route.whole else body
        dated = "`?as_of=T` moves it to an instant.\n" if route.dated else ""
        parts.append(
            f"## {route.method} {PREFIX}{route.path}\n\n{route.says} Right: `{route.right}`. "
            f"Answers as `{route.command}`.\n\n{takes}{dated}"
        )
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "findings.md": findings_page,
    "ledger-entries.md": ledger_page,
    "ledger-file.md": ledger_file_page,
    "errors.md": errors_page,
    "http-routes.md": http_page,
}


def main() -> None:
    """Write every page that has changed, and say which."""
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
