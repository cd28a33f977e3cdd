"""One line of a review: typed, explained and executed by the same object; a module for each kind.

Each kind of change knows its fingerprint (what is proposed, on which definition; never the estimate), who may
sign it, and which edits make it so.
"""

from trueup.loop.changes.assumption import AssumptionChange
from trueup.loop.changes.change import Chain, Change, Edit, Formula
from trueup.loop.changes.gate import GateChange

__all__ = ["AssumptionChange", "Chain", "Change", "Edit", "Formula", "GateChange"]
