"""Events -> cases -> KPIs -> readings, as engine-neutral expressions."""
