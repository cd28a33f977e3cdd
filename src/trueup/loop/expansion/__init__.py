"""What is proven goes on to the next workflow: weeks that were stable, and the copy that they earn."""
