"""What a design may claim: before/after of a stable series, matched units, a rollout in random order."""
