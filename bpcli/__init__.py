"""bpnet: fully connected networks trained by full-batch back-propagation, on numpy.

Importing this loads nothing else; `bpcli.cli.main` is the command line.
"""

__version__ = "0.2.0"
