"""A folder -> a checked programme: exact places, and every fault alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.declare.northwind import FILES, check, codes, replaced, write
from trueup.declare.read import require_sound
from trueup.kernel.errors import DeclarationError, NotFoundError


def test_a_sound_programme_has_no_errors(tmp_path: Path) -> None:
    checked = check(write(tmp_path))
    assert codes(checked) == []
    assert set(checked.programme.use_cases) == set(checked.programme.workflows) == {"triage"}
    assert set(checked.programme.digests) == set(FILES)
    require_sound(checked)


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("programme.yaml", "sponsor: coo", "sponsor: cco", "programme.yaml:2:10"),
        ("programme.yaml", "kpi: triage.cycle_time", "kpi: triage.cycle", "programme.yaml:10:10"),
        ("programme.yaml", "kpi: triage.cycle_time", "kpi: other.cycle_time", "programme.yaml:10:10"),
        ("programme.yaml", "data.forms.comp", "data.form.comp", "programme.yaml:18:14"),
        (
            "programme.yaml",
            "measure: data.forms.completeness(amount)",
            "measure: actuals.spend(x)",
            "programme.yaml:18:14",
        ),
        ("programme.yaml", "measure: data.forms.completeness(amount)", "measure: triage.x", "programme.yaml:18:14"),
        ("programme.yaml", "supports: [triage]", "supports: [triage, x]", "programme.yaml:20:24"),
        ("use-cases/triage.yaml", "objective: repay-faster", "objective: repay-fast", "use-cases/triage.yaml:2:12"),
        ("use-cases/triage.yaml", "data: data.forms", "data: data.x", "use-cases/triage.yaml:7:21"),
        ("workflows/triage.yaml", "use_case: triage", "use_case: triag", "workflows/triage.yaml:2:11"),
        ("workflows/triage.yaml", "data: forms", "data: form", "workflows/triage.yaml:4:16"),
        ("workflows/triage.yaml", "primary: cycle_time", "primary: cycle", "workflows/triage.yaml:9:12"),
        ("workflows/triage.yaml", "guardrails: {quality", "guardrails: {qualit", "workflows/triage.yaml:10:16"),
        (
            "workflows/triage.yaml",
            "  guardrails",
            "  downstream: [a.wait]\n  guardrails",
            "workflows/triage.yaml:10:16",
        ),
        (
            "workflows/triage.yaml",
            "  guardrails",
            "  negative_control: [x]\n  guardrails",
            "workflows/triage.yaml:10:22",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_found_where_it_stands(
    tmp_path: Path, file: str, old: str, new: str, place: str
) -> None:
    name = file.removesuffix(".yaml").replace("/", "__").replace("-", "_")
    checked = check(write(tmp_path, **{name: replaced(file, old, new)}))
    assert ("REF01", place) in codes(checked)


def test_what_was_probably_meant_is_named(tmp_path: Path) -> None:
    write(tmp_path, use_cases__triage=replaced("use-cases/triage.yaml", "repay-faster", "repay-fast"))
    (finding,) = check(tmp_path).errors
    assert "Did you mean 'repay-faster'?" in finding.detail


@pytest.mark.parametrize(
    ("bounds", "words"), [("", "no bound"), ("at_least: 1, at_most: 2", "both bounds"), ("at_most: 120h", "")]
)
def test_an_assumption_has_exactly_one_bound(tmp_path: Path, bounds: str, words: str) -> None:
    text = replaced("programme.yaml", "    at_least: 0.9\n", "".join(f"    {bound}\n" for bound in bounds.split(", ")))
    errors = check(write(tmp_path, programme=text)).errors
    assert [error.code for error in errors] == (["TYPE01"] if words else [])
    assert all(words in error.detail for error in errors)


def test_an_unknown_owner_is_reported_once(tmp_path: Path) -> None:
    text = replaced("use-cases/triage.yaml", "owner: lead", "owner: leed")
    assert codes(check(write(tmp_path, use_cases__triage=text))) == [("OWN01", "use-cases/triage.yaml:3:8")]


def test_a_file_that_cannot_be_read_hides_nothing_of_the_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        use_cases__triage="use_case: [unclosed\n",
        use_cases__second="use_case: Second\nobjectiv: x\n",
        workflows__binary=b"\x00\x01",
    )
    checked = check(tmp_path)
    assert codes(checked) == [
        ("FILE01", "workflows/binary.yaml:1:1"),
        ("KEY01", "use-cases/second.yaml:2:1"),
        ("YAML01", "use-cases/triage.yaml:1:11"),
    ]
    assert set(checked.programme.use_cases) == {"second"}


def test_an_unreadable_programme_file_accuses_nobody_else(tmp_path: Path) -> None:
    assert codes(check(write(tmp_path, programme="programme: {a\n"))) == [("YAML01", "programme.yaml:1:12")]


def test_a_kpi_that_does_not_fit_is_not_also_called_undeclared(tmp_path: Path) -> None:
    text = replaced("workflows/triage.yaml", "duration: {from: first A, to: last B}", "duration: 5")
    assert codes(check(write(tmp_path, workflows__triage=text))) == [("TYPE01", "workflows/triage.yaml:6:26")]


@pytest.mark.parametrize(("unit", "fits"), [("days", True), ("weeks", True), ("day", False), ("GBP", False)])
def test_the_unit_of_a_duration_is_a_length_of_time(tmp_path: Path, unit: str, fits: bool) -> None:
    text = replaced("workflows/triage.yaml", "to: last B}", f"to: last B}}, unit: {unit}")
    found = codes(check(write(tmp_path, workflows__triage=text)))
    assert found == ([] if fits else [("TYPE01", "workflows/triage.yaml:6:61")])


@pytest.mark.parametrize(("unit", "fits"), [("hours", True), ("GBP", True), ("EUR", False)])
def test_the_unit_of_a_ratio_is_the_currency_or_a_length_of_time(tmp_path: Path, unit: str, fits: bool) -> None:
    text = replaced("workflows/triage.yaml", "share: {without: [C]}", f"ratio: {{of: effort}}, unit: {unit}")
    assert [code for code, _ in codes(check(write(tmp_path, workflows__triage=text)))] == ([] if fits else ["TYPE01"])


@pytest.mark.parametrize(
    "key",
    [
        "ssh-ed25519 AAAA...",
        "ssh-ed25519",
        "",
        "sk-ssh-ed25519@openssh.com AAAA",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==",
    ],
)
def test_a_key_that_cannot_be_read_is_a_warning(tmp_path: Path, key: str) -> None:
    text = replaced("programme.yaml", "roles: [sponsor]}", f"roles: [sponsor], key: '{key}'}}")
    checked = check(write(tmp_path, programme=text))
    assert checked.errors == ()
    assert [str(found.where) for found in checked.findings if found.code == "PPL04"] == ["programme.yaml:5:45"]


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    text = "\ufeff" + FILES["programme.yaml"].replace("\n", "\r\n")
    assert codes(check(write(tmp_path, programme=text))) == []


@pytest.mark.parametrize(
    "name",
    ["workflows/other.yml", "workflows/Two Words.yaml", "workflows/a.b.yaml", "workflow/x.yaml", "workflows/in/x.yaml"],
)
def test_a_file_that_would_not_be_read_is_noticed(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("workflow: Other\n")
    assert [code for code, _ in codes(check(tmp_path))] == ["FILE02"]


def test_hidden_files_and_other_peoples_yaml_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    for name in ("workflows/.x.yaml", ".pre-commit-config.yaml", "docker-compose.yml", "data/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("[")
    assert codes(check(tmp_path)) == []


def test_a_name_that_cannot_be_printed_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "workflows" / "a\x1b[31m\n.yaml").write_text("workflow: x\n")
    (found,) = check(tmp_path).errors
    assert found.code == "FILE02"
    assert found.detail.isprintable()


@pytest.mark.parametrize("kind", ["nothing", "empty", "file", "other", "misnamed"])
def test_what_is_no_programme_is_refused_with_a_way_out(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "p"
    if kind == "file":
        root.write_text("programme: x\n")
    elif kind != "nothing":
        root.mkdir()
    if kind == "other":
        (root / "notes.txt").write_text("x")
    if kind == "misnamed":
        (root / "programme.yml").write_text("programme: x\n")
    with pytest.raises(NotFoundError) as refused:
        check(root)
    assert refused.value.code == "not-a-programme"
    assert "\n    " in refused.value.hint


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_name_that_no_folder_can_have_is_no_programme(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        check(tmp_path / name)
    assert refused.value.code == "not-a-programme"


def test_a_folder_called_programme_yaml_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "programme.yaml").mkdir()
    assert codes(check(tmp_path)) == [("FILE01", "programme.yaml:1:1")]


def test_only_errors_in_the_files_needed_stop(tmp_path: Path) -> None:
    checked = check(write(tmp_path, use_cases__second="use_case: 5\n"))
    require_sound(checked, ["programme.yaml", "workflows/triage.yaml"])
    with pytest.raises(DeclarationError) as refused:
        require_sound(checked, ["use-cases/second.yaml"])
    assert [found.code for found in refused.value.findings] == ["TYPE01"]


def test_the_order_in_which_files_are_found_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path / "a", use_cases__b="use_case: B\n", use_cases__a="use_case: A\n")
    write(tmp_path / "b", use_cases__a="use_case: A\n", use_cases__b="use_case: B\n")
    first, second = check(tmp_path / "a"), check(tmp_path / "b")
    assert first.findings == second.findings
    assert list(first.programme.use_cases) == list(second.programme.use_cases)
