"""A trace for people: one walk through its numbers, and a renderer a format."""
