"""What a gate does with one action: judges it, releases it after a person's yes, and says what became of it."""
