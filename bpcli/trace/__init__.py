"""A trace: updates with all their numbers, one walk through them, and one renderer per format."""
