"""What a person is asked: a held step as it stands."""
