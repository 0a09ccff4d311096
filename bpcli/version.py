"""The version of bpnet; it is read from here when the package is built."""

__version__ = "0.2.0"
