"""Pictures of a few epochs side by side, with captions: the story without the animation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpcli.report.html import Html, tag
from bpcli.report.scrubber.diagram import Diagram, small
from bpcli.report.scrubber.matrices import Matrix
from bpcli.report.scrubber.pictures import Curves, Field, Points
from bpcli.report.scrubber.plane import still
from bpcli.report.scrubber.recording import Recording
from bpcli.report.words import Words
from bpcli.trace.cells import number


@dataclass(frozen=True, eq=False)
class Views:
    """What can be shown of a run: a picture with rows, and the weights as a diagram or matrices."""

    picture: Field | Curves | None
    points: Points | None
    diagram: Diagram | None
    matrices: Sequence[Matrix]


def multiples(recording: Recording, views: Views, words: Words) -> Html:
    """One figure for each milestone."""
    figures = [
        tag("figure", _drawings(recording, views, frame, words), _caption(recording, frame, words))
        for frame in recording.milestones
    ]
    return tag("div", figures, class_="multiples")


def _drawings(recording: Recording, views: Views, frame: int, words: Words) -> list[Html]:
    epoch = f"{int(recording.epochs[frame]):,}"
    drawings = []
    if views.picture is not None:
        label = words("scrubber.multiples.picture", epoch=epoch)
        drawings.append(still(views.picture, frame, label))
    label = words("scrubber.multiples.weights", epoch=epoch)
    if views.diagram is not None:
        drawings.append(small(views.diagram, recording.params[frame], label))
    elif views.picture is None:
        drawings.append(still_matrix(views.matrices[0], frame, label))
    return drawings


def still_matrix(matrix: Matrix, frame: int, label: str) -> Html:
    """The first layer's matrix at one frame."""
    rows, columns = matrix.tiles.shape[1:]
    return tag(
        "svg",
        tag("image", href=matrix.address_of(frame), width=columns, height=rows, class_="matrix"),
        viewBox=f"0 0 {columns} {rows}", role="img", aria_label=label, class_="still",
    )  # fmt: skip


def _caption(recording: Recording, frame: int, words: Words) -> Html:
    epoch = f"{int(recording.epochs[frame]):,}"
    return tag(
        "figcaption",
        tag("strong", words("scrubber.epoch", epoch=epoch)),
        words("scrubber.space"),
        _story(recording, frame, words),
        words("scrubber.space"),
        facts(recording, frame, words),
    )


def _story(recording: Recording, frame: int, words: Words) -> str:
    """What happened until then, in a sentence."""
    end, best = len(recording) - 1, recording.best
    if frame == 0:
        return words("scrubber.story.start")
    if frame == end:
        return words("scrubber.story.end" if best in (0, end) else "scrubber.story.end_after_best")
    if frame == best:
        return words("scrubber.story.best")
    start, lowest = float(recording.losses[0]), float(recording.losses[: (best or end) + 1].min())
    if lowest >= start:
        return words("scrubber.story.no_fall")
    share = (start - float(recording.losses[frame])) / (start - lowest)
    time = float(recording.epochs[frame] / recording.epochs[-1])
    return words("scrubber.story.on_the_way", fall=f"{share:.0%}", time=percent(time))


def percent(share: float) -> str:
    """A share in percent, with a digit after the point if it is small."""
    return f"{share:.0%}" if share >= 0.1 or not share else f"{share:.1%}"


def facts(recording: Recording, frame: int, words: Words) -> str:
    """The losses and the correct predictions of a frame."""
    parts = [words("scrubber.facts.loss", loss=number(float(recording.losses[frame]), 4))]
    if recording.val_losses is not None:
        val = number(float(recording.val_losses[frame]), 4)
        parts.append(words("scrubber.facts.val", loss=val))
    if recording.right is not None:
        right, rows = f"{int(recording.right[frame]):,}", f"{recording.training_rows:,}"
        parts.append(words("scrubber.facts.right", right=right, rows=rows))
    return words("scrubber.facts.joint").join(parts) + words("scrubber.facts.stop")
