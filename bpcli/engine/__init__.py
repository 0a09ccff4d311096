"""Sums over rows: blocks, shards, recorded passes, and the workers that share the work.

The results are bit-identical for any number of workers.
"""
