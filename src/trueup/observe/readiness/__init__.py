"""Data readiness as evidence: what is declared of a source against what its records hold."""
