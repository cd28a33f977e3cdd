"""All pilots of a programme side by side: their cycles, what each has gathered, what they support together."""
