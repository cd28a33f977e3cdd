"""Ours against a peer, in one run on one machine: ratios are printed, never asserted."""
