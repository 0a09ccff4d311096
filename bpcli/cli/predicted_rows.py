"""How predictions are shown: the first rows on a terminal, and what was changed in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpcli.cli.common import console
from bpcli.terminal.grid import Grid
from bpcli.text import plural

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bpcli.workflows.prediction_files import Separated

MOST_ROWS_ON_A_TERMINAL = 50


def table_of(
    columns: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str]
) -> Grid:
    """One line per row: its number, inputs or columns kept, outputs, class and targets."""
    table = Grid([*columns], text_names=text_columns)
    for cells in rows:
        table.add_row(*cells)
    return table


def show_table(table: Grid, expendable: list[str], count: int, hint: str) -> None:
    """Show the first of `count` rows; if they are too wide, leave out expendable columns.

    The last columns of `expendable` are left out first.
    """
    out = console()
    left_out = out.show(table, expendable[::-1])
    more = count - len(table.rows)
    missing = [plural(more, "more row")] if more > 0 else []
    columns = "1 column that does" if len(left_out) == 1 else f"{len(left_out)} columns that do"
    missing += [f"{columns} not fit"] if left_out else []
    if missing:
        out.say(f"and {' and '.join(missing)}: {hint}")


def say_marked(written: Separated) -> None:
    """Print how many names and cells were changed."""
    counts = {"name": len(written.marked), "kept value": written.marked_cells}
    marked = [plural(count, what) for what, count in counts.items() if count]
    if marked:
        what = "values" if written.marked_cells else "names"
        console(stderr=True).say(
            f"note: a ' was put before {' and '.join(marked)} that a spreadsheet would read as a "
            f"formula; --raw leaves {what} unchanged"
        )
