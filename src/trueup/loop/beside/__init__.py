"""What stands beside a gate: checks of its design, and what became of the work downstream."""
