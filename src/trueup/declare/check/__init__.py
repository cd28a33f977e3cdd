"""The linter: rules that need the declared files alone, one module a family; a rule's docstring is its page."""
