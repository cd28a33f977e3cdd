"""What needs several rooms at once: check, baseline, measure, review, why, apply."""
