"""From a YAML file to a validated description of a run, with every issue found in one pass."""
