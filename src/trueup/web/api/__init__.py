"""The HTTP API beside the pages: the same answers as the command line, for whoever has a token of their own."""
