"""Logs in several files: each part is read and checked once, whatever is added beside it."""
