"""Where rows come from and how they are prepared: split, scaled, encoded.

Nothing here knows of networks, training or runs.
"""
