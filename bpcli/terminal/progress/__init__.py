"""Training as it happens: a live view on a terminal, plain lines elsewhere.

A view is called for every record and decides by the clock or by the epoch number whether to show
it. Only then are the epoch's figures computed.

The live view imports rich, and has to be asked for itself: a short training is done before all of
rich would have been read.
"""

from bpcli.terminal.progress.plain import PlainView, SilentView
from bpcli.terminal.progress.rows import Columns, Rows

__all__ = ["Columns", "PlainView", "Rows", "SilentView"]
