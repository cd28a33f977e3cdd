"""`check`, `explain`, `schema`: one model, and every form of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.declare.northwind import replaced, write
from tests.running import Run
from trueup.declare.check.registry import PAGES
from trueup.declare.schemas import schema_texts

AS_OF = ("--as-of", "2018-01-10")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A programme with an error, a warning, a waived warning and a file with spaces and percent signs in its name."""
    text = replaced("programme.yaml", "currency: GBP\n", "currency: GBP\nnope: 100%, or\n")
    text += "waivers: [{code: WAIV02, because: meant, by: coo, until: 2018-12-31}]\n"
    return write(tmp_path / "p", programme=text, **{"workflows__a b%": "workflow: [\n"})


def test_errors_are_an_answer_with_exit_3(trueup: Run, broken: Path) -> None:
    ran = trueup("check", broken, *AS_OF, "--json")
    assert ran.exit_code == 3
    for finding in ran.data["findings"]:
        assert {"code", "severity", "summary", "detail", "fix", "file", "line", "col"} <= set(finding)
    places = [(found["file"], found["line"], found["col"]) for found in ran.data["findings"]]
    assert places == sorted(places)


def test_a_programme_without_errors_exits_0(trueup: Run, tmp_path: Path) -> None:
    assert trueup("check", write(tmp_path), *AS_OF, "--json").exit_code == 0


def test_a_waived_error_does_not_stop(trueup: Run, tmp_path: Path) -> None:
    bare = replaced("programme.yaml", "    owner: lead\n", "")
    assert trueup("check", write(tmp_path, programme=bare), *AS_OF).exit_code == 3
    waived = bare + "waivers: [{code: OWN01, because: found next week, by: coo, until: 2018-01-10}]\n"
    ran = trueup("check", write(tmp_path, programme=waived), *AS_OF, "--json")
    assert ran.exit_code == 0
    assert [found["waived"] for found in ran.data["findings"] if found["code"] == "OWN01"] == ["found next week"]
    assert trueup("check", tmp_path, "--as-of", "2018-01-11").exit_code == 3


def test_text_fits_80_columns_and_ends_with_a_count(trueup: Run, broken: Path) -> None:
    lines = trueup("check", broken, *AS_OF).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "programme.yaml:4:1  error KEY01 Unknown key" in lines
    assert re.match(r"\d+ errors?, \d+ warnings?, \d+ notes?", lines[-1])


def test_format_json_is_the_envelope_also_when_refused(trueup: Run, broken: Path, tmp_path: Path) -> None:
    assert trueup("check", broken, *AS_OF, "--format", "json").data == trueup("check", broken, *AS_OF, "--json").data
    assert trueup("check", tmp_path / "nothing", "--format", "json").error["code"] == "not-a-programme"


def sarif(trueup: Run, folder: Path) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(trueup("check", folder, *AS_OF, "--format", "sarif").out)
    return log


def test_sarif_has_what_version_2_1_0_requires(trueup: Run, broken: Path) -> None:
    log = sarif(trueup, broken)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "trueup"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note", "none"}
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in {"error", "warning", "note"}
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
        assert (broken / urllib.parse.unquote(uri)).exists()


def test_sarif_says_the_same_as_json(trueup: Run, broken: Path) -> None:
    findings = trueup("check", broken, *AS_OF, "--json").data["findings"]
    results = sarif(trueup, broken)["runs"][0]["results"]
    assert [(one["code"], one["severity"]) for one in findings] == [(one["ruleId"], one["level"]) for one in results]
    assert ["waived" in one for one in findings] == ["suppressions" in one for one in results]


def test_workflow_commands_are_one_line_each_and_escaped(trueup: Run, broken: Path) -> None:
    findings = trueup("check", broken, *AS_OF, "--json").data["findings"]
    lines = trueup("check", broken, *AS_OF, "--format", "github").out.splitlines()
    assert len(lines) == sum("waived" not in found for found in findings)
    for line in lines:
        command, _, message = line.removeprefix("::").partition("::")
        assert message
        kind, _, properties = command.partition(" ")
        assert kind in {"error", "warning", "notice"}
        assert {part.partition("=")[0] for part in properties.split(",")} == {"file", "line", "col", "title"}
    assert any("a b%25.yaml" in line for line in lines)


def test_paths_lead_from_the_working_folder(broken: Path) -> None:
    command = [sys.executable, "-m", "trueup", "check", broken.name, *AS_OF, "--format", "github"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=broken.parent)
    assert f"file={broken.name}/programme.yaml," in ran.stdout


def test_with_data_adds_what_the_data_show(trueup: Run, tmp_path: Path) -> None:
    ran = trueup("check", write(tmp_path), *AS_OF, "--with-data", "--json")
    assert ran.exit_code == 0
    static = trueup("check", tmp_path, *AS_OF, "--json").data["findings"]
    further = [found for found in ran.data["findings"] if found not in static]
    assert "There is no file forms.csv." in {found["detail"] for found in further if found["code"] == "DATA01"}


@pytest.mark.parametrize("code", ["OWN01", "own01", "Yaml01"])
def test_a_code_is_explained_in_any_case(trueup: Run, code: str) -> None:
    page = trueup("explain", code, "--json").data
    assert set(page) == {"code", "severity", "title", "why", "fix", "example"}
    assert page["code"] == code.upper()
    assert all(page.values())


def test_every_page_can_be_read(trueup: Run) -> None:
    for code in PAGES:
        text = trueup("explain", code).out
        assert text.startswith(code)
        assert "How to fix it" in text


def test_an_unknown_code_is_refused_with_what_was_meant(trueup: Run) -> None:
    refused = trueup("explain", "OWN011", "--json")
    assert refused.exit_code == 1
    assert "Did you mean 'OWN01'?" in refused.error["message"]


def test_explain_alone_lists_every_code(trueup: Run) -> None:
    assert [page["code"] for page in trueup("explain", "--json").data["codes"]] == sorted(PAGES)
    assert len(trueup("explain").out.splitlines()) == len(PAGES)


def test_schemas_are_written_where_asked(trueup: Run, tmp_path: Path) -> None:
    files = trueup("schema", "--out", tmp_path / "s", "--json").data["files"]
    assert {Path(file).name for file in files} == set(schema_texts())
    write(tmp_path / "p")
    files = trueup("schema", tmp_path / "p", "--json").data["files"]
    assert all(Path(file).is_relative_to(tmp_path / "p" / ".trueup") for file in files)
    assert trueup("schema", "--json").exit_code == 2
