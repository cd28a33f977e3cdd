"""How often something is wrong: limits that it is promised to keep, and watches that say when it no longer does."""
