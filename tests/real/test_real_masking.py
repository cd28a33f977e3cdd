"""On Presidio's own synthetic sets, which nobody here wrote: what patterns can find is found."""

from __future__ import annotations

from pathlib import Path

from bench.masking import counted, theirs
from trueup.connectors.masking.presidio import PresidioFinder


def test_mail_cards_ibans_and_addresses_are_found_and_little_else(shared_data: Path) -> None:
    samples = theirs(shared_data / "runtime" / "presidio-research" / "synth_dataset_v2.json")[:500]
    counts = counted(PresidioFinder(["email", "card", "iban", "ip_address", "phone"]), samples)
    for kind in ("email", "card", "iban", "ip_address"):
        found = counts[kind]
        assert found["right"] >= 0.9 * (found["right"] + found["missed"]), kind
        assert found["vain"] <= 0.05 * found["right"] + 1, kind
    assert counts["phone"]["right"] >= 0.6 * (counts["phone"]["right"] + counts["phone"]["missed"])
