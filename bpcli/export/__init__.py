"""Files with which a model is used without bpnet: one module per format."""
