"""Questions of a lesson about hidden units: which are dead, and which are saturated."""

from __future__ import annotations

from bpcli.nn.units import FLAT, slopes_of
from bpcli.report.html import Html, joined, paragraph, tag
from bpcli.report.lesson.questions import Pupil, Question
from bpcli.report.words import Words


def dead_units(pupil: Pupil) -> Question | None:
    """Which unit with a threshold is dead: active for no training row?"""
    words, units = pupil.words, list[tuple[str, float]]()
    for at, layer in enumerate(pupil.training_pass[:-1], start=1):
        activation = layer.activation
        if not activation.is_elementwise or activation.linear_region(layer.z) is None:
            continue
        slopes = slopes_of(layer)
        if slopes.min() > 0:  # a leaky unit always learns
            continue
        shares = (slopes > 0).mean(axis=1)
        units += [(_unit(words, at, unit), float(share)) for unit, share in enumerate(shares)]
    if not units:
        return None
    dead = [name for name, share in units if not share]
    key = "yes" if dead else "no"
    name, share = min(units, key=lambda each: each[1])
    text = words(f"lesson.dead.{key}", units=words("lesson.and").join(dead), unit=name,
                 share=f"{share:.0%}")  # fmt: skip
    answer = joined(paragraph(text), _bars(units, words("lesson.dead.bars")))
    return Question(words("lesson.dead.question"), answer)


def saturated_units(pupil: Pupil) -> Question | None:
    """Which hidden unit is most often saturated?"""
    words, shares_by_name = pupil.words, list[tuple[str, float]]()
    for at, layer in enumerate(pupil.training_pass[:-1], start=1):
        most = layer.activation.max_slope
        if most is None or not layer.activation.is_elementwise:
            continue
        shares = (slopes_of(layer) < FLAT * most).mean(axis=1)
        shares_by_name += [
            (_unit(words, at, unit), float(share)) for unit, share in enumerate(shares)
        ]
    if len(shares_by_name) < 2:
        return None
    share = max(share for _, share in shares_by_name)
    names = [name for name, own in shares_by_name if own == share]
    if share < _OFTEN or len(names) > _FEW_UNITS:
        return None
    units = words("lesson.and").join(names)
    answer = joined(
        paragraph(words("lesson.saturated.answer", units=units, share=f"{share:.0%}")),
        _bars(shares_by_name, words("lesson.saturated.bars")),
    )
    return Question(words("lesson.saturated.question"), answer)


_OFTEN = 0.2
_FEW_UNITS = 3


def _unit(words: Words, layer: int, unit: int) -> str:
    return words("lesson.unit", unit=unit + 1, layer=layer)


_MOST_BARS = 16
_BAR = 220.0


def _bars(shares: list[tuple[str, float]], label: str) -> Html:
    """Horizontal bars of shares; of many, those of the largest and the smallest."""
    if len(shares) > _MOST_BARS:
        ordered = sorted(shares, key=lambda each: each[1])
        shares = [*ordered[: _MOST_BARS // 2], *ordered[-_MOST_BARS // 2 :]]
    rows = []
    for name, share in shares:
        bar = tag(
            "svg",
            tag("rect", x=0, y=3, width=_BAR, height=10, class_="bar-room"),
            tag("rect", x=0, y=3, width=f"{_BAR * share:.1f}", height=10, class_="bar"),
            viewBox=f"0 0 {_BAR:g} 16", class_="bars", aria_hidden="true",
        )  # fmt: skip
        rows.append(
            tag("tr", tag("th", name, scope="row"), tag("td", bar), tag("td", f"{share:.0%}"))
        )
    return tag("table", tag("caption", label), tag("tbody", rows), class_="shares")
