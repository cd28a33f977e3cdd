"""Files -> checked -> typed Programme, and edits back into the files."""
