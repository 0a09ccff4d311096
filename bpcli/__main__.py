"""`python -m bpcli` is `bpnet`."""

from bpcli.cli.main import run

run()
