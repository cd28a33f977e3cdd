"""What stands in the ledger and outweighs every policy: a kill switch, a tool that is no longer the one pinned."""
