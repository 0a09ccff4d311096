"""Tables and arrays in files: formats, reading, and splits."""
