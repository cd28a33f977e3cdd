"""A simulated programme with known truths, taken through fifteen weeks: the product shown on one page."""
