"""The sections of a report, one file each.

Each has `section(subject, words) -> Section | None`; None if the run has nothing to show there.
"""
