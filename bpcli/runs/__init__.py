"""The run folder: how it is made, locked, written, referred to and read."""
