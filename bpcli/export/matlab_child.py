"""Runs an exported MATLAB function with Octave, on rows that a script contains as literals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bpcli.data.columns import InputColumn
from bpcli.export.child import no_predictions, program, workspace
from bpcli.export.literals import matlab_string, number
from bpcli.export.matlab_file import matlab_fields, matlab_name, takes_struct
from bpcli.export.model import Model
from bpcli.export.verify import Columns, with_days

_OPTIONS = ("--no-init-file", "--no-site-file", "--no-history", "--quiet", "--no-gui")

_SHOW = """
function show(y1,answers)
  printf("%.17g ",y1'); printf("\\n");
  for k = 1:numel(answers)
    for q = 1:size(y1,2)
      printf("%d ",double(answers{k}{q})); printf("\\n");
    end
  end
end
"""

_END = """
catch problem
  fprintf(stderr,"%s\\n",problem.message);
  exit(1);
end
"""


def matlab_predictions(content: bytes, model: Model, tables: Sequence[Columns]) -> list[Columns]:
    """The predictions of the function for each of several tables.

    Raises `NotVerified` without Octave, and `GateFailed` if the function fails, or prints anything.
    """
    octave = program("Octave", "octave-cli", "octave")
    calls = "".join(_calls(model, table) for table in tables)
    script = f"1;\n{_SHOW}try\n{calls}{_END}"
    files = {f"{matlab_name(model)}.m": content, "driver_of_bpnet.m": script.encode()}
    with workspace("MATLAB", files) as child:
        printed = child.run([octave, *_OPTIONS, "driver_of_bpnet.m"])
    lines = iter(printed.decode("ascii", "replace").split("\n"))
    try:
        return [_table(lines, model, len(next(iter(table.values())))) for table in tables]
    except (StopIteration, ValueError):
        raise no_predictions("MATLAB") from None


def _calls(model: Model, table: Columns) -> str:
    """The call of the function for a table."""
    columns = [_values(column, table[column.name]) for column in model.encoder.inputs]
    if takes_struct(model):
        fields = zip(matlab_fields(model), columns, strict=True)
        given = "".join(f"x1.{field} = {values};\n" for field, values in fields)
    else:
        given = f"x1 = [{';'.join(columns)}];\n"
    answers = f"[y1,answers] = {matlab_name(model)}(x1);\n"
    if not model.answers:
        answers = f"y1 = {matlab_name(model)}(x1);\nanswers = {{}};\n"
    return f"clear x1\n{given}{answers}show(y1,answers);\n"


def _values(column: InputColumn, values: list[Any]) -> str:
    if column.kind == "category":
        return f"{{{','.join(matlab_string(value or '') for value in values)}}}"
    numbers = with_days(column, values)
    return f"[{' '.join('NaN' if each is None else number(float(each)) for each in numbers)}]"


def _table(lines: Iterator[str], model: Model, rows: int) -> Columns:
    """The outputs, each of them `rows` numbers, and the texts, one per line."""
    numbers = list(map(float, next(lines).split()))
    names = model.output_names
    if len(numbers) != len(names) * rows:
        raise ValueError
    table: Columns = {
        name: numbers[start : start + rows]
        for name, start in zip(names, range(0, len(numbers), rows), strict=True)
    }
    for name in model.answers:
        table[name] = [
            bytes(map(int, next(lines).split())).decode("utf-8", "surrogatepass")
            for _ in range(rows)
        ]
    return table
