"""Sources of rows, and their preparation: splitting, scaling, encoding.

Nothing here depends on networks, training or runs.
"""
