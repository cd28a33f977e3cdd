"""The log in forms that other people's tools read: tiles, lines of JSON."""
