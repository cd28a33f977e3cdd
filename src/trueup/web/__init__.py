"""The console: pages for people who do not write YAML, each with a JSON twin. It only reads."""
