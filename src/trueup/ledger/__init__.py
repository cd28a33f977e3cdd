"""What happened: append-only, hashed into one tree, signed, verifiable without us."""
