"""What can happen, in two halves: what is said of the programme, and what is done under it."""
