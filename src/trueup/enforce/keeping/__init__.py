"""How long texts are kept that the ledger names by digest only, and how they go."""
