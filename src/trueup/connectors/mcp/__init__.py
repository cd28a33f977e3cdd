"""The Model Context Protocol: tool servers on one side, any agent on the other, the gate between them."""
