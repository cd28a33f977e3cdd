"""What does not fit is said in words, at its place, and hides nothing else."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow
from trueup.declare.reading.typed import typed
from trueup.declare.reading.yaml_tree import parse_tree
from trueup.kernel.finding import Finding

# Words of the validator that nobody who writes YAML should have to know.
JARGON = (
    "Input should",
    "valid string",
    "pydantic",
    "function-",
    "extra",
    "literal",
    "instance",
    "dictionary",
    "tuple",
)


def found_in(model: type[BaseModel], text: str) -> list[Finding]:
    tree = parse_tree("x.yaml", text)
    assert tree.findings == []
    findings = typed(model, tree)[1]
    for finding in findings:
        assert not any(word in finding.detail + finding.fix for word in JARGON), finding
    return findings


@pytest.mark.parametrize(
    ("model", "text", "place", "words"),
    [
        (ProgrammeFile, "programme: 5\n", "x.yaml:1:12", "is the number 5; expected text"),
        (ProgrammeFile, "programme: x\nadopted: 1514764800\n", "x.yaml:2:10", "expected a date such as"),
        (ProgrammeFile, "programme: x\nadopted: '1514764800'\n", "x.yaml:2:10", "expected a date such as"),
        (ProgrammeFile, "programme: x\nadopted: 2018-02-30\n", "x.yaml:2:10", "not a day of the calendar"),
        (ProgrammeFile, "programme: x\nrequire_signatures: yes\n", "x.yaml:2:21", "expected true or false"),
        (ProgrammeFile, "programme: x\nlimits: {budget: '5'}\n", "x.yaml:2:18", "expected a number"),
        (ProgrammeFile, "programme: x\nlimits: {budget: .nan}\n", "x.yaml:2:18", "expected a number"),
        (ProgrammeFile, "programme: x\nlimits: {budget: -1}\n", "x.yaml:2:18", "expected at least 0"),
        (ProgrammeFile, "programme: x\nlimits: {discount: 108%}\n", "x.yaml:2:20", "between 0% and 100%"),
        (ProgrammeFile, "programme: x\nlimits: {horizon: 3}\n", "x.yaml:2:19", "length of time"),
        (ProgrammeFile, "programme: x\nreviews: {checkpoint: dayly}\n", "x.yaml:2:23", "Or write one of weekly"),
        (ProgrammeFile, "programme: x\npeople: [coo]\n", "x.yaml:2:9", "is a list; expected a mapping"),
        (ProgrammeFile, "programme: x\npeople:\n", "x.yaml:2:8", "is empty; expected a mapping"),
        (ProgrammeFile, "programme: x\npeople: {a: {name: N, roles: [ownr]}}\n", "x.yaml:2:31", "mean 'owner'?"),
        (ProgrammeFile, "programme: x\nincidents: {a: {severity: true}}\n", "x.yaml:2:27", "is true; expected a whole"),
        (ProgrammeFile, "programme: x\nincidents: {a: {}}\n", "x.yaml:2:13", "`incidents.a.severity` is missing"),
        (ProgrammeFile, "sponsor: coo\n", "x.yaml:1:1", "`programme` is missing"),
        (UseCase, "use_case: x\nstage: pilt\n", "x.yaml:2:8", "Did you mean 'pilot'?"),
        (UseCase, "use_case: x\nvalue: {a: {range: [3, 2, 1]}}\n", "x.yaml:2:20", "lowest first"),
        (UseCase, "use_case: x\nvalue: {a: {range: [1, 1, 9]}}\n", "x.yaml:2:20", "no distribution"),
        (UseCase, "use_case: x\nvalue: {a: {range: [1, 2]}}\n", "x.yaml:2:20", "this one has 2"),
        (UseCase, "use_case: x\neffort: {change: 10}\n", "x.yaml:2:18", "person-days"),
        (UseCase, "use_case: x\nfeasibility: {data: 1.5}\n", "x.yaml:2:21", "expected text or a whole number"),
        (Workflow, "workflow: x\nkpis: {a: {}}\n", "x.yaml:2:11", "exactly one of duration"),
        (Workflow, "workflow: x\nkpis: {a: {share: {}}}\n", "x.yaml:2:19", "`with` or `without`"),
        (Workflow, "workflow: x\npilot: {gates: {week-0: {}}}\n", "x.yaml:2:17", "gates are named week-4"),
        (
            Workflow,
            "workflow: x\npilot: {baseline: {from: 2018-01-02, to: 2018-01-01}}\n",
            "x.yaml:2:19",
            "before it beg",
        ),
        (Workflow, "workflow: x\ngroups: {field: a, rates_within: -5pp}\n", "x.yaml:2:34", "distance"),
    ],
)
def test_a_value_that_does_not_fit_is_explained_at_its_place(
    model: type[BaseModel], text: str, place: str, words: str
) -> None:
    (finding,) = found_in(model, text)
    assert (finding.code, str(finding.where)) == ("TYPE01", place)
    assert words in finding.detail


def test_an_unknown_key_stands_at_the_key_and_says_what_was_meant() -> None:
    (finding,) = found_in(Workflow, "workflow: x\npilot:\n  guardrial: {}\n")
    assert (finding.code, str(finding.where)) == ("KEY01", "x.yaml:3:3")
    assert "Did you mean 'guardrails'?" in finding.detail
    assert "gates" in finding.fix


def test_the_name_of_a_field_in_the_code_is_no_key() -> None:
    codes = [found.code for found in found_in(Workflow, "workflow: x\nkpis: {a: {duration: {start: A, to: B}}}\n")]
    assert sorted(codes) == ["KEY01", "TYPE01"]


def test_one_bad_value_hides_nothing_else() -> None:
    tree = parse_tree(
        "x.yaml",
        "programme: x\nnope: 1\npeople:\n  a: {name: A, roles: [ownr, owner, x, viewer]}\n  b: {roles: []}\n  c: 5\n"
        "waivers:\n- 5\n- {code: A, because: x, by: a, until: 2018-01-01}\n- {code: B, by: a, until: no}\n"
        "- {code: C, because: x, by: a, until: 2018-01-01, more: 1}\n",
    )
    value, findings = typed(ProgrammeFile, tree)
    assert value is not None
    assert value.people["a"].roles == ("owner", "viewer")
    assert set(value.people) == {"a", "b"}
    assert [waiver.code for waiver in value.waivers] == ["A", "C"]
    assert sorted(str(found.where) for found in findings) == [
        "x.yaml:10:27",
        "x.yaml:10:3",
        "x.yaml:11:51",
        "x.yaml:2:1",
        "x.yaml:4:24",
        "x.yaml:4:37",
        "x.yaml:5:3",
        "x.yaml:6:6",
        "x.yaml:8:3",
    ]


def test_a_list_of_nothing_but_faults_ends() -> None:
    tree = parse_tree("x.yaml", "use_case: x\nneeds: [" + "1, " * 50_000 + "1]\n")
    value, findings = typed(UseCase, tree)
    assert value is None
    assert len(findings) == 100
