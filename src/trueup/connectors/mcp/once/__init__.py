"""One call of one tool, for a person at a terminal, and not for an agent."""
