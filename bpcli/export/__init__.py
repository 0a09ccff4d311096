"""How a model is written down for use without bpnet: a module a format, a function each."""
