"""How rows become sums: blocks, shards, recorded passes, and the workers that share the work.

The same numbers come out bit for bit, whatever the number of workers.
"""
