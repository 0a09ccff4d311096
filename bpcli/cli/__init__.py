"""The commands: thin, and the only place that prints or exits.

Every module here imports click alone at its top, so that help and completion stay instant.
"""
