"""Answers that are kept between commands: named by the content they were computed from, and only a cache."""
