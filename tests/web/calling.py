"""A programme with a workflow that acts and draws arms, callers with tokens, and a client for each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tests.loop.pilots import Truth, write_programme
from tests.running import run_trueup
from tests.web.consoles import Console
from trueup.enforce.gate import Outcome
from trueup.enforce.request import Request
from trueup.sdk import governed
from trueup.workspace import reading_ledger

DESIGN = "{assigned: random, unit: case, by: ledger, share: 80%}"
SECRETS = {name: f"{name}-" + "x" * 40 for name in ("owner", "other", "clerk", "intake", "chief", "past")}
ENVIRONMENT = {f"TOKEN_{name.upper()}": secret for name, secret in SECRETS.items()}
CALLERS = """\
callers:
  owner: {token: env:TOKEN_OWNER, may: [see, decide]}
  other: {token: env:TOKEN_OTHER, may: [see, decide]}
  clerk: {token: env:TOKEN_CLERK, may: [see, decide]}
  intake: {token: env:TOKEN_INTAKE, may: [assign, gate], workflows: [claims]}
  chief: {token: env:TOKEN_CHIEF, may: [see, decide, assign, gate], workflows: [refunds]}
  past: {token: env:TOKEN_PAST, may: [see, assign], until: 2024-05-26}
"""
ACTIONS = """\
actions:
  pay: {tool: erp.pay, impact: high, approval: always, approvers: [owner, other], limits: {amount: {at_most: 500}}}
  both: {tool: erp.both, impact: high, approval: always, approvers: [owner, other], approvers_needed: 2}
"""
REFUNDS = """\
workflow: Refunds
use_case: claims
owners: {business: owner, prompts: clerk, knowledge: clerk, incidents: owner, escalation: chief}
autonomy: {level: approve}
actions:
  refund: {tool: erp.refund, impact: high, approval: always, approvers: [owner]}
"""


def write_called(root: Path) -> Path:
    """Write the programme, with its pilot registered."""
    write_programme(root, Truth(per_week=5), DESIGN)
    assert run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
    claims, programme = root / "workflows" / "claims.yaml", root / "programme.yaml"
    claims.write_text(claims.read_text("utf-8") + "autonomy: {level: approve}\n" + ACTIONS, "utf-8")
    programme.write_text(programme.read_text("utf-8") + CALLERS, "utf-8")
    (root / "workflows" / "refunds.yaml").write_text(REFUNDS, "utf-8")
    return root


def bearer(name: str) -> dict[str, str]:
    """Return the header of somebody's token."""
    return {"authorization": f"Bearer {SECRETS[name]}"}


class Calling(Console):
    """The API of a programme, without a network, and the program behind it that waits for people."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.client: TestClient = self.stranger()

    def get(self, name: str, path: str) -> Any:
        return self.client.get(f"/api{path}", headers=bearer(name))

    def post(self, name: str, path: str, content: object) -> Any:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = bearer(name) | {"content-type": "application/json"}
        return self.client.post(f"/api{path}", headers=headers, content=body)

    def hold(self, step: str, workflow: str = "claims", tool: str = "erp.pay", **more: Any) -> str:
        """Have a step held, and return its approval."""
        request = Request(tool, {"amount": 120}, **more)
        with governed(self.root, workflow, clock=self.clock) as gate:
            held = gate.call(request, step, lambda _: None)
        assert held.approval is not None
        return held.approval

    def resume(self, approval: str) -> Outcome:
        """Go on with a step, as the waiting program does; the result is what the tool was called with."""
        with governed(self.root, "claims", clock=self.clock) as gate:
            return gate.resume(approval, dict)

    def entries(self, event_type: str) -> list[Mapping[str, Any]]:
        """Return what the ledger holds of one type."""
        with reading_ledger(self.root) as ledger:
            return [item.entry.data for item in ledger.entries(event_type)]

    def size(self) -> int:
        """Return how many entries the ledger has."""
        with reading_ledger(self.root) as ledger:
            return ledger.size()
