"""The commands of what runs: the gateway, the tools behind it, the kill switch, and steps that nobody knows about."""
