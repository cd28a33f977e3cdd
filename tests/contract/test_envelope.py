"""Whatever goes wrong, and wherever: `--json` prints exactly one envelope, and the exit code says what it means."""

from __future__ import annotations

import functools
from pathlib import Path

import click
import pytest

from tests.running import Ran, run_trueup
from trueup.cli.main import COMMANDS, cli
from trueup.kernel.errors import Exit

# Exit codes that go with an answer, and with a refusal (the contract).
ANSWERS = {Exit.DONE, Exit.FINDINGS, Exit.HELD, Exit.CHANGES, Exit.LEDGER_BROKEN}
REFUSALS = {Exit.FAILED, Exit.USAGE, Exit.FINDINGS, Exit.HELD, Exit.LEDGER_BROKEN}
# What a required argument or option is given when a test is about something else.
FILLED = {
    "workflow": "expenses",
    "review_id": "2018-03-03-a",
    "number": "1",
    "kind_of": "note",
    "index": "0",
    "by": "coo",
    "code": "OWN01",
    "because": "a reason",
    "happened": "no",
}
GROUPS = ("ledger", "approvals", "tools", "autonomy")
# They read the pin alone, and a programme that has recorded nothing is in order.
OF_THE_PIN = {"ledger verify", "ledger receipt"}
# What is not required by itself, because something else may stand in its place.
ALTERNATIVES = {("ledger prove", "index"), ("gate", "request")}
WITHOUT_PROGRAMME = {"explain", "schema", "new", "demo"}


@functools.cache
def commands() -> dict[str, click.Command]:
    """Return every command that answers, by its whole name: `check`, `ledger verify`."""
    found: dict[str, click.Command] = {}
    context = click.Context(cli, info_name="trueup")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None, f"{name} is listed but cannot be imported"
        if isinstance(command, click.Group):
            found |= {f"{name} {sub}": inner for sub, inner in command.commands.items()}
        else:
            found[name] = command
    return found


def on_programmes() -> list[str]:
    return [name for name in names() if name not in WITHOUT_PROGRAMME]


def names() -> list[str]:
    """Return the names, importing groups alone: a command that cannot be imported fails one test, not all."""
    grouped = {
        name: list(command.commands)
        for name, command in ((name, cli.get_command(click.Context(cli), name)) for name in GROUPS)
        if isinstance(command, click.Group)
    }
    return [f"{name} {sub}".strip() for name in COMMANDS for sub in grouped.get(name, [""])]


def call(name: str, folder: Path, scratch: Path) -> list[str]:
    """Return a complete call of a command on a folder; files to write go to `scratch`."""
    words = name.split()
    for parameter in commands()[name].params:
        if not parameter.required and (name, parameter.name) not in ALTERNATIVES:
            continue
        value = str(folder) if parameter.name == "directory" else FILLED.get(str(parameter.name), str(scratch / "out"))
        words += [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]
    return words


def assert_kept(ran: Ran, command: str) -> None:
    """Check everything that programs may rely on."""
    envelope = ran.envelope
    assert envelope["command"] == command
    assert "Traceback" not in ran.err, ran.err
    if envelope["ok"]:
        assert set(envelope) == {"ok", "command", "data"}
        assert isinstance(envelope["data"], dict)
        assert ran.exit_code in ANSWERS
    else:
        error = envelope["error"]
        assert set(envelope) == {"ok", "command", "error"}
        assert {"kind", "code", "message", "hint"} <= set(error)
        assert ran.exit_code in REFUSALS
        assert error["code"] != "defect"
        assert error["message"].rstrip()[-1] in ".?!", "a message is a sentence"
        assert ("findings" in error) == (ran.exit_code == Exit.FINDINGS)


def files_under(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["missing", "empty", "a-file", "unreadable-yaml", "binary", "empty-programme", "a-list"])
def no_sound_programme(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that is not a programme, each in its own way."""
    folder = tmp_path / "programme"
    if request.param == "a-file":
        folder.write_text("programme: here\n")
    elif request.param != "missing":
        folder.mkdir()
    content = {
        "unreadable-yaml": b"programme: [unclosed\n\tpeople: {\n",
        "binary": bytes(range(256)) * 40,
        "empty-programme": b"",
        "a-list": b"- programme\n",
    }
    if request.param in content:
        (folder / "programme.yaml").write_bytes(content[request.param])
    return folder


def test_the_listed_names_are_the_commands() -> None:
    assert names() == list(commands())


@pytest.mark.parametrize("name", names())
def test_every_command_offers_json(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in commands()[name].params)


@pytest.mark.parametrize("name", names())
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    command = commands()[name]
    silent = [
        parameter.opts[0] for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert command.help
    assert silent == []


@pytest.mark.parametrize("name", names())
def test_an_unknown_option_is_a_usage_error(name: str) -> None:
    ran = run_trueup(*name.split(), "--no-such-option", "--json")
    assert_kept(ran, name)
    assert ran.exit_code == Exit.USAGE
    assert ran.error["hint"].startswith("Usage: trueup " + name)


@pytest.mark.parametrize("name", names())
def test_missing_arguments_are_a_usage_error(name: str) -> None:
    if not any(parameter.required for parameter in commands()[name].params):
        pytest.skip("needs no arguments")
    ran = run_trueup(*name.split(), "--json")
    assert_kept(ran, name)
    assert ran.exit_code == Exit.USAGE


@pytest.mark.parametrize("name", on_programmes())
def test_what_is_no_sound_programme_is_refused_and_left_alone(
    name: str, no_sound_programme: Path, tmp_path: Path
) -> None:
    if name == "serve" and (no_sound_programme / "programme.yaml").exists():
        pytest.skip("the console shows what is wrong with a programme: tests/web")
    before = files_under(tmp_path)
    ran = run_trueup(*call(name, no_sound_programme, tmp_path), "--json")
    assert_kept(ran, name)
    if name not in OF_THE_PIN:
        assert ran.exit_code != Exit.DONE
    if not (no_sound_programme / "programme.yaml").exists():
        assert ran.error["kind"] == "not-found"
        assert ran.error["hint"], "somebody who is in the wrong folder needs a way out"
    assert files_under(tmp_path) == before


@pytest.mark.parametrize("name", on_programmes())
def test_people_are_told_on_stderr_and_stdout_stays_empty(name: str, tmp_path: Path) -> None:
    ran = run_trueup(*call(name, tmp_path / "nowhere", tmp_path))
    assert ran.out == ""
    assert ran.err.startswith(f"trueup {name}: ")


def test_an_unknown_command_says_which_was_meant() -> None:
    ran = run_trueup("reveiw", "--json")
    assert_kept(ran, "trueup")
    assert ran.exit_code == Exit.USAGE
    assert "'review'" in ran.error["message"]


@pytest.mark.parametrize("instant", ["yesterday", "2018-13-01", "2018-02-30", "2018-03-03T25:00:00Z", "", "9" * 400])
def test_an_instant_that_is_none_is_a_usage_error(instant: str, tmp_path: Path) -> None:
    ran = run_trueup("review", tmp_path, "--as-of", instant, "--json")
    assert_kept(ran, "review")
    assert ran.exit_code == Exit.USAGE


@pytest.mark.parametrize("code", ["OWN01", "YAML01"])
def test_explain_answers_with_the_page(code: str) -> None:
    ran = run_trueup("explain", code, "--json")
    assert_kept(ran, "explain")
    assert set(ran.data) >= {"code", "severity", "title", "why", "fix", "example"}


def test_explain_of_an_unknown_code_is_refused() -> None:
    ran = run_trueup("explain", "XYZ99", "--json")
    assert_kept(ran, "explain")
    assert ran.exit_code != Exit.DONE
