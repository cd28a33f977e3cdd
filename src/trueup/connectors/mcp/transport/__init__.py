"""How messages travel: short ways between a pipe or a socket and the library's own reading of the protocol."""
