"""A run is a folder: how it is claimed, written, found again and read."""
