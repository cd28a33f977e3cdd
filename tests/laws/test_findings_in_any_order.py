"""What is found does not depend on the order in which files are read, or in which keys happen to stand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.declare.check.base_programme import TODAY, edited, write
from trueup.declare.check.registry import run
from trueup.declare.programme import Programme
from trueup.declare.read import read_programme

TWINS = "use_case: Renewals of loan\nscope: adult cards of the town\nobjective: quick-renewals\nteam: {}\nstage: idea\n"


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    files, _marked = edited(
        ("shelf", "*", TWINS.format("stacks")),
        ("kiosk", "*", TWINS.format("foyer")),
        ("P", "parallel_pilots: 2", "parallel_pilots: 0"),
        ("P", "    handover: documented by month 3\n", ""),
        ("Fees", "    training: the desk by May\n", ""),
        ("Renewals", "approval: until-act", "approval: never"),
        ("loan", "owner: lending", "owner: foyer"),
    )
    return read_programme(write(tmp_path_factory.mktemp("order"), files), TODAY).programme


@given(st.data())
def test_findings_do_not_depend_on_file_order(programme: Programme, data: st.DataObject) -> None:
    use_cases = data.draw(st.permutations(list(programme.use_cases.items())))
    workflows = data.draw(st.permutations(list(programme.workflows.items())))
    digests = data.draw(st.permutations(list(programme.digests.items())))
    shuffled = replace(programme, use_cases=dict(use_cases), workflows=dict(workflows), digests=dict(digests))
    expected = run(programme, TODAY)
    assert {finding.code for finding in expected} == {"PORT02", "PORT01", "PPL02", "GATE03", "GOV01", "OWN01"}
    assert run(shuffled, TODAY) == expected
