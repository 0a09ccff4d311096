"""What `import bpcli` offers to Python programs: the engine of the commands, as functions.

It adds nothing to what a command computes: it only says it in Python's way, with DataFrames,
figures, exceptions and warnings. `bpcli/__init__.py` lists the public names.
"""
