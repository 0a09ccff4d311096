"""The sheet `notes` of an exported workbook, which explains the others."""

from __future__ import annotations

from bpcli.data.values import Kind
from bpcli.export.model import Model
from bpcli.export.xlsx_pages import GROUP, TEXT, TITLE
from bpcli.workbook.book import Sheet


def notes(model: Model) -> Sheet:
    """How to use the workbook, and what each sheet and each name is."""
    sheet = Sheet("notes", widths={0: 24, 1: 96})
    sheet.put(0, 0, f"How to use this workbook: {model.name}", TITLE)
    sheet.heights[0] = 26
    kinds = {column.kind for column in model.encoder.inputs}
    sections: dict[str, dict[str, str]] = {
        **_SECTIONS,
        "What to type": {kind: _KINDS[kind] for kind in sorted(kinds)},
    }
    if model.intervals is not None:
        sections["Intervals"] = {"low, high": _PROMISE.format(100 * model.intervals.level)}
    top = 2
    for title, lines in sections.items():
        sheet.put_row(top, 0, [title, ""], GROUP)
        for row, (name, text) in enumerate(lines.items(), start=top + 1):
            sheet.put_row(row, 0, [name, text], TEXT)
            sheet.heights[row] = 15.5 * (1 + len(text) // 92)
        top += len(lines) + 2
    return sheet


_SECTIONS: dict[str, dict[str, str]] = {
    "Sheets": {
        "predict": "Type rows into the yellow cells, and read the predictions beside them. The "
        "note of a row says which value is missing or unknown.",
        "network": "All numbers between inputs and outputs, one row of the sheet for each row of "
        "`predict`, from left to right: the checks of the inputs, the inputs as numbers, the "
        "scaled inputs, and for each layer z = W a + b and a = f(z).",
        "parameters": "What training fitted: scales, weights W_1, b_1, … with all digits, and the "
        "words of the predictions.",
        "columns": "The kind of each column, the texts of its categories, and the value that "
        "replaces a missing one.",
    },
    "Rows": {
        "more rows": "Copy the last row of `predict` and the last row of `network` downwards, by "
        "the same number of rows.",
        "empty rows": "They are not computed. If all values of a row are missing, type a blank "
        "into one of its cells.",
        "examples": "They are random rows, not training rows. The difference is 0 or a rounding "
        "error as long as the example is not changed.",
    },
    "Names": {
        "W_1, b_1, …": "The weights and biases of a layer. INDEX(W_1,2,0) is the row of unit 2.",
        "x_shift, x_factor": "The scale of the inputs: (input - shift) / factor.",
        "y_shift, y_factor": "The scale of the outputs: a · factor + shift.",
    },
}
_PROMISE = (
    "An interval contains the true value in at least {:g} % of the cases, for rows from the "
    "same source as those on which it was calibrated. All intervals of an output are equally "
    "wide: the half width is on the sheet `parameters`, with the name half_width."
)
_KINDS: dict[Kind, str] = {
    "number": "A number. Text is not used, even if it looks like a number.",
    "boolean": "TRUE or FALSE, 1 or 0, or the English words as text.",
    "category": "One of the texts on the sheet `columns`. Another text is an unknown category, as "
    "it is for bpnet: all its inputs are 0, and the note of the row says so. Where spellings are "
    "merged, only letter case and blanks are ignored here.",
    "date": "A date or time of the spreadsheet (not text), after 1900-03-01, without a time zone "
    "(in UTC, if the table has time zones). It is used to the millisecond.",
}
