"""`python -m bpcli` is `bpnet`."""

from bpcli.start import run

run()
