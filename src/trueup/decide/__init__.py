"""Readings -> gate outcomes, assumptions kept or false. Pure: no input, no output."""
