"""What `import bpcli` offers to Python programs: the engine of the commands, as functions.

It computes the same as the commands, and returns DataFrames and figures, with exceptions and
warnings of Python. `bpcli/__init__.py` lists the public names.
"""
