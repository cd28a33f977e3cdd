"""What a workflow may do alone, as the ledger tells it: granted by a signature, taken back by what happens."""
