"""Findings that the declared files alone do not show: data, ledger and the calendar tell them. None stops a command."""
