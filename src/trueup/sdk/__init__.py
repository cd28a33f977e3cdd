"""What a program of yours imports: the gate in front of its actions, and the router in front of its cases.

payments = workflow(Path("programme"), "payments")

@payments.action("pay")
def pay(amount: int, account: str) -> str: ...

with payments.case("D-17", requester="clerk"):
    pay(120, account="GB-17")
"""

from trueup.sdk.actions import Workflow, workflow
from trueup.sdk.governed import Door, GovernedWorkflow, governed
from trueup.sdk.refusals import DeniedError, DoneBeforeError, HeldError, UnknownOutcomeError
from trueup.sdk.reversing import reverse
from trueup.sdk.routing import routed

__all__ = [
    "DeniedError",
    "DoneBeforeError",
    "Door",
    "GovernedWorkflow",
    "HeldError",
    "UnknownOutcomeError",
    "Workflow",
    "governed",
    "reverse",
    "routed",
    "workflow",
]
