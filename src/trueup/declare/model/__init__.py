"""The typed programme: one module a noun of the files."""
