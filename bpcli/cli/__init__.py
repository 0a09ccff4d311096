"""The commands: thin, and the only place that prints or exits.

At their top, modules here import click as their only library, so that help and completion are fast.
"""
