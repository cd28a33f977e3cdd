"""Pictures for files: Vega-Lite dictionaries of figures that are already known, and what writes them."""
