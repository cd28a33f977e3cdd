"""A workflow's autonomy in the review: what its rung has shown, and what the evidence does to it."""
