"""The gate asked before anything is asked of it: expected verdicts, recorded requests, policies that never apply."""
