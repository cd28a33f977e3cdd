"""What people put on record between reviews, and what the record says of money, people and readiness to expand."""
