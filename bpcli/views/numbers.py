"""Numbers as people read them."""

from __future__ import annotations


def shown(value: float | None, digits: int = 6) -> str:
    """A number with so many significant digits; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}g}"


def duration(seconds: float) -> str:
    """A time span in the unit that suits it."""
    for factor, unit in ((1e-6, "us"), (1e-3, "ms")):
        if seconds < 1000 * factor:
            return f"{seconds / factor:.3g} {unit}"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
