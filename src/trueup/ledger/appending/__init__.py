"""How entries get their places: what a process knows of the log's end, and what a group of requests adds to it."""
