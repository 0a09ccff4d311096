"""Progress of a training: a live view on a terminal, plain lines elsewhere.

A view is called for each epoch that is due, and decides by the clock or the epoch number whether to
show it. Only then are the epoch's metrics computed.

The live view is not imported here: it imports rich, which takes longer than a short training.
"""

from bpcli.terminal.progress.plain import PlainView, QuietView, SilentView
from bpcli.terminal.progress.rows import Columns, Rows

__all__ = ["Columns", "PlainView", "QuietView", "Rows", "SilentView"]
