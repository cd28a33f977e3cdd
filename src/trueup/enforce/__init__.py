"""Requested action -> verdict -> approval -> outcome: one gate, whichever door the request came through."""
