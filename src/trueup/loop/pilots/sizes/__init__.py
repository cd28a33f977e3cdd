"""How small an effect each design can show, from its own log, and what would make it show a smaller one."""
