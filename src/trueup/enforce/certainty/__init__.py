"""How sure a model says it is, and whether that is enough."""
