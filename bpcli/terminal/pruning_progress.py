"""The progress of a pruning: a line for each network, and a bar on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from bpcli.terminal.pruning import removed_text
from bpcli.terminal.region import InRegion, Region, bar_of
from bpcli.terminal.stream import Stream
from bpcli.text import plural, rounded

if TYPE_CHECKING:
    from bpcli.terminal.console import Console


def path_view(err: Console | Stream, is_silent: bool) -> SilentPathView:
    """Return a view of a pruning: none if silent, a bar on a terminal, plain lines elsewhere."""
    if is_silent:
        return SilentPathView()
    return PlainPathView(err) if isinstance(err, Stream) else LivePathView(err)


class SilentPathView:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def on_step(self, step: Mapping[str, Any], number: int, most: int) -> None: ...


class PlainPathView(SilentPathView):
    """One line per network, when it is trained."""

    def __init__(self, console: Console | Stream) -> None:
        self._console = console

    def on_step(self, step: Mapping[str, Any], number: int, most: int) -> None:
        loss = f"val.loss {rounded(step['val_loss'], 4)} ± {rounded(step['se'], 2)}"
        params = plural(step["n_params"], "parameter")
        if step["removed"] is None:
            self._console.say(f"the run: {params}, {loss}")
        else:
            self._console.say(f"{number}: without {removed_text(step)}: {params}, {loss}")


class LivePathView(InRegion, PlainPathView):
    """The same lines, and a bar below them.

    Draws from the training's own thread, as workers are forked.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = bar_of(console, "removing at most")
        self._region = Region(console)
        self._task = self._progress.add_task("", total=None)

    def on_step(self, step: Mapping[str, Any], number: int, most: int) -> None:
        super().on_step(step, number, most)
        self._progress.update(self._task, completed=number, total=most)
        self._region.show(self._progress.get_renderable())
