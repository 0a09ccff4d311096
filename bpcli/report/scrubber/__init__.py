"""The epochs of a run as an animation, inside an explanation that reads without it.

Everything that is drawn is computed here, by the code that trains: the script of the page only
chooses what to show. `section` has nothing to show unless the run recorded its parameters
(`training.record_params`).
"""

from bpcli.report.scrubber.film import section

__all__ = ["section"]
