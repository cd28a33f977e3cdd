"""What an agent reads of people is tokens, wherever it stands; what it sends back is values again before the gate."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import types

from tests.gateway.doors import PROGRAMME, Bench, answer_of, bench, text_of, write
from tests.running import run_trueup as trueup
from trueup.connectors.masking.presidio import PresidioFinder
from trueup.kernel.errors import TrueupError

EMAIL, IBAN = "jo@customer.example.org", "GB29 NWBK 6016 1331 9268 19"
TOKEN = re.compile(r"\[\[email:[0-9a-f]{16}\]\]")
MASKING = """\
data:
  log: {source: log.csv, sensitivity: confidential}
sensitivity:
  confidential: {mask: [email, iban]}
"""
WORKFLOW = """\
workflow: Payments
owners: {business: owner, escalation: chief}
autonomy: {level: approve}
events: {data: log, case: case, activity: activity, at: at}
actions:
  look: {tool: look, impact: none}
  papers: {tool: papers, impact: none}
  deep: {tool: deep, impact: low, approval: never}
  refuse: {tool: refuse, impact: low, approval: never}
  sure: {tool: sure, impact: low, approval: never}
  mail: {tool: mail, impact: medium, approval: always, approvers: [lead]}
  pay: {tool: pay, impact: low, approval: never}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, workflow=WORKFLOW)
    (tmp_path / "programme.yaml").write_text(PROGRAMME + MASKING, "utf-8")
    (tmp_path / "log.csv").write_text("case,activity,at\n1,a,2024-05-01T00:00:00Z\n", "utf-8")
    return tmp_path


def run(root: Path, session: Callable[[Bench], Awaitable[None]], **terms: Any) -> None:
    with bench(root, **terms) as at:

        async def connected() -> None:
            async with at.gateway.connected():
                await session(at)

        asyncio.run(connected())


def said(result: types.CallToolResult) -> str:
    return result.model_dump_json(by_alias=True)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_results_are_masked_wherever_somebody_stands_in_them(root: Path, mode: str) -> None:
    async def session(at: Bench) -> None:
        async with at.agent(mode) as agent:
            [look] = [tool for tool in (await agent.list_tools()).tools if tool.name == "look"]
            assert TOKEN.search(look.description or "")
            assert look.output_schema is None
            found = await agent.call_tool("look", {})
            assert EMAIL not in said(found)
            assert IBAN not in said(found)
            assert isinstance(found.structured_content, dict)
            assert TOKEN.fullmatch(found.structured_content["email"])
            assert found.structured_content["order"] == 943476591
            assert found.structured_content["email"] in text_of(found)
            papers = await agent.call_tool("papers", {})
            assert EMAIL not in said(papers)
            assert IBAN not in said(papers)
            assert "aGVsbG8=" not in said(papers)
            assert "what is no text cannot be masked" in text_of(papers)
            failed = await agent.call_tool("refuse", {})
            assert failed.is_error
            assert EMAIL not in said(failed)
            assert TOKEN.search(text_of(failed))

    run(root, session)


def test_a_token_is_its_value_before_the_gate_the_approver_and_the_tool(root: Path) -> None:
    async def session(at: Bench) -> None:
        async with at.agent() as agent:
            token = TOKEN.findall(said(await agent.call_tool("look", {})))[0]
            held = answer_of(await agent.call_tool("mail", {"to": token}))
            shown = trueup("approvals", "list", at.root, "--as-of", "2024-05-06T12:00:00Z", "--json").data["approvals"]
            assert [item["arguments"] for item in shown] == [{"to": EMAIL}]
            at.decide(held["approval"], "accept")
            sent = await agent.call_tool("mail", {"to": token})
            assert text_of(sent) == f"mail:{token}"
            assert at.paid()[-1] == f"mail:{EMAIL}"

    run(root, session)


@pytest.mark.parametrize("argument", ["[[email:0123456789abcdef]]", "a [[iban:ffffffffffffffff]] b"])
def test_a_token_that_was_never_given_is_refused(root: Path, argument: str) -> None:
    async def session(at: Bench) -> None:
        async with at.agent() as agent:
            refused = await agent.call_tool("pay", {"amount": 1, "account": argument})
            assert answer_of(refused)["decisive"] == "unknown-token"
            assert at.paid() == []
            [trace] = at.entries("request.refused")
            assert (trace["door"], trace["reason"], trace["count"]) == ("gateway", "mask.unknown-token", 1)

    run(root, session)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_questions_and_progress_are_masked_and_answers_come_back(root: Path, mode: str) -> None:
    heard: list[str | None] = []
    asked: list[str] = []
    known: list[str] = []

    async def answering(_: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"to": known[0]})

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        heard.append(message)

    async def session(at: Bench) -> None:
        async with at.agent(mode, elicitation_callback=answering) as agent:
            known.append(TOKEN.findall(said(await agent.call_tool("look", {})))[0])
            done = await agent.call_tool("sure", {"to": known[0]}, progress_callback=on_progress)
            assert EMAIL not in said(done)
            assert asked == [f"refund {known[0]}?"]
            assert heard == [f"looking at {known[0]}"]
            assert at.paid()[-1] == f"sure:{EMAIL}:accept:{EMAIL}"

    run(root, session)


def test_an_answer_that_cannot_be_masked_is_withheld_and_its_outcome_is_on_record(root: Path) -> None:
    async def session(at: Bench) -> None:
        async with at.agent() as agent:
            withheld = await agent.call_tool("deep", {})
            assert EMAIL not in said(withheld)
            answer = answer_of(withheld)
            assert (answer["state"], answer["decisive"], answer["withheld"]) == ("done", "too-deep", True)
            assert at.paid() == ["deep"]
        assert at.entries("action.finished")[-1]["ended"] == "done"

    run(root, session)


def test_a_finder_that_breaks_lets_nothing_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def session(at: Bench) -> None:
        async with at.agent() as agent:
            await agent.call_tool("look", {})

            def breaks(*_: Any) -> Any:
                raise RuntimeError(EMAIL)

            monkeypatch.setattr(PresidioFinder, "find", breaks)
            for tool, arguments in (("look", {}), ("refuse", {}), ("papers", {}), ("mail", {"to": "x"})):
                answer = await agent.call_tool(tool, arguments)
                assert answer.is_error
                assert EMAIL not in said(answer)
            assert (await agent.list_tools()).tools == []

    run(root, session)


def test_what_is_masked_follows_the_files(root: Path) -> None:
    async def session(at: Bench) -> None:
        async with at.agent() as agent:
            token = TOKEN.findall(said(await agent.call_tool("look", {})))[0]
            file = at.root / "programme.yaml"
            file.write_text(file.read_text("utf-8").replace("[email, iban]", "[iban]"), "utf-8")
            assert EMAIL in said(await agent.call_tool("look", {}))
            await agent.call_tool("pay", {"amount": 1, "account": token})
            assert at.paid()[-1] == f"pay:1:{EMAIL}:None", "what was given out still comes back"
            file.write_text(file.read_text("utf-8").replace("[iban]", "[iban, person]"), "utf-8")
            denied = await agent.call_tool("look", {"name": "b"})
            assert answer_of(denied)["decisive"] == "policy.broken"

    run(root, session)


def test_names_without_a_model_do_not_start(root: Path) -> None:
    file = root / "programme.yaml"
    file.write_text(file.read_text("utf-8").replace("[email, iban]", "[person]"), "utf-8")
    started = trueup("gateway", root, "payments", "--", "true")
    assert started.exit_code != 0
    assert "no language model that knows them is installed" in started.err
    with bench(root) as at, pytest.raises(TrueupError, match="language model"):
        at.gate.masking()


def test_a_workflow_without_a_log_is_masked_by_a_level_of_its_own(tmp_path: Path) -> None:
    own = WORKFLOW.replace("events: {data: log, case: case, activity: activity, at: at}", "sensitivity: secret")
    write(tmp_path, workflow=own)
    (tmp_path / "programme.yaml").write_text(PROGRAMME + "sensitivity:\n  secret: {mask: [email]}\n", "utf-8")
    assert trueup("check", tmp_path).exit_code == 0
    with bench(tmp_path) as at:
        masking = at.gate.masking()
        assert masking is not None
        assert EMAIL not in masking.text(f"mail {EMAIL}")
    (tmp_path / "programme.yaml").write_text(PROGRAMME + "sensitivity:\n  secrat: {mask: [email]}\n", "utf-8")
    wrong = trueup("check", tmp_path)
    assert wrong.exit_code == 3
    assert "GOV02" in wrong.out
    with pytest.raises(TrueupError), bench(tmp_path):
        pass
