"""Masking: what may not leave is replaced by tokens, and comes back only where the action needs it."""
