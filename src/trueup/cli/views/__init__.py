"""Turns the JSON model of an answer into text."""
