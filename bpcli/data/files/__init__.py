"""Tables and arrays in files: how they are written, read and split."""
