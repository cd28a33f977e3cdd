"""Studies behind docs/evidence: what the product's own functions say where the truth is known. Never imported by it."""
