"""Which use cases belong in the funded set, and how sure that is."""
