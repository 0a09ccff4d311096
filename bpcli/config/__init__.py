"""From a YAML file to a validated description of a run, with every fault found in one pass."""
