"""A simulated programme with known truths, taken through twelve weeks: the product shown on one page."""
