"""The outside world in and out: log files, git. No database."""
