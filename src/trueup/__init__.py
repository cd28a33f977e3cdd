"""Trueup keeps an organisation's AI strategy and its AI implementation in one loop."""

__version__ = "0.1.0"
