"""How text is changed and written: cutting where values stand, and YAML as a person would write it."""
