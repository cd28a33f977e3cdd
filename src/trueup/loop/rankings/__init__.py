"""The ranking that was decided against the ranking that the evidence supports now."""
