"""What happens when: thirty, sixty, ninety days, and the twelve weeks of every pilot."""
