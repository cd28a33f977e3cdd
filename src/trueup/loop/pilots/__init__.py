"""One pilot: what was promised, what it is compared with, and what makes the comparison worth nothing."""
