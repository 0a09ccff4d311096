"""Lines at the end of a terminal that are drawn again and again, below lines that stay.

Ctrl-Z erases them and shows the cursor; `fg` draws them again. In the background of its terminal, a
process draws none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from bpcli import system

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.progress import Progress

    from bpcli.terminal.console import Console


def bar_of(console: Console, text: str) -> Progress:
    """A bar with a text before it and the steps done after it; it draws nothing by itself."""
    from rich import progress

    return progress.Progress(
        progress.TextColumn(text, markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        console=console,
        auto_refresh=False,
    )


class InRegion:
    """A view that draws into a region while its block runs."""

    _region: Region

    def __enter__(self) -> Self:
        self._region.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._region.close()


class Region:
    """What is drawn at last on a terminal that can move its cursor; without one, nothing."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._latest: RenderableType | None = None
        self.is_open = False

    def open(self) -> None:
        """Begin to draw, if the terminal can redraw."""
        if not self._console.is_dumb_terminal:
            self.is_open = True
            system.on_suspension(self)

    def close(self) -> None:
        """Erase what was drawn."""
        system.off_suspension(self)
        self.suspend()
        self.is_open = False

    def show(self, what: RenderableType) -> None:
        """Draw this instead of what was drawn before."""
        self._latest = what
        if self.is_open:
            with system.suspension_postponed:
                self._draw(what)

    def suspend(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def resume(self) -> None:
        if self._latest is not None:
            self._draw(self._latest)

    def resize(self) -> None:
        """The next drawing fits the new size."""

    def _draw(self, what: RenderableType) -> None:
        from rich.live import Live

        if not system.is_in_foreground(self._console.file):
            return
        if self._live is None:  # a new one, as an old one would erase lines of the shell
            self._live = Live(
                console=self._console, auto_refresh=False, transient=True, redirect_stdout=False
            )
            self._live.start()
        self._live.update(what, refresh=True)
