"""Tables whose columns have a fixed width, which is found from where all lines have a blank.

Each line is turned into fields with a delimiter, and then read as with any separator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bpcli.data.files.dialect import FIELD_END, Gaps

_MOST_ABOVE = 100
_SHARE_ABOVE = 3
_SHARE_BELOW = 4
_FEWEST_PADDED = 0.5
_FEWEST_LINES = 4
_NO_BLANK = re.compile("[^ ]")


def are_aligned(lines: Sequence[str]) -> bool:
    """Whether most lines have several blanks in a row, as aligned columns, and none has a tab."""
    texts = [line for line in lines if line.strip()]
    padded = sum("  " in text for text in texts)
    is_padded = len(texts) >= _FEWEST_LINES and padded >= _FEWEST_PADDED * len(texts)
    return is_padded and not any("\t" in text for text in texts)


def gaps_of(lines: Sequence[str]) -> Gaps:
    """The gaps that all lines have in common, except titles, a header, and notes.

    The last two thirds of the lines, or all but the first hundred, are taken as rows, except those
    after a blank line at the end. Above them, a line whose text fills a gap is a row if it fits
    otherwise, such as one with a long name.
    """
    texts = [*map(_plain, lines)]
    below = _behind_last_blank(texts)
    texts = [text for text in texts[: len(texts) - below] if text] + texts[len(texts) - below :]
    above = min(_MOST_ABOVE, len(texts) // _SHARE_ABOVE)
    filled = 0
    for text in texts[above : len(texts) - below]:
        filled |= _mask(text)
    for text in [*reversed(texts[:above]), *texts[len(texts) - below :]]:
        gaps, end = _gaps_in(filled), filled.bit_length()
        wider = filled | _mask(text if _DIGIT.search(text) else _without_blanks(text, gaps))
        is_longer = any(begin >= end for begin, _ in _gaps_in(wider))
        if _may_be_row(text, gaps) and not is_longer:
            filled = wider
    return _gaps_in(filled)


def _behind_last_blank(texts: Sequence[str]) -> int:
    """The number of lines after the last blank one, if they are few enough for notes."""
    last = next((i for i in range(len(texts) - 1, -1, -1) if not texts[i]), -1)
    below = len(texts) - 1 - last
    return below if _SHARE_BELOW * below <= len(texts) else 0


_DIGIT = re.compile(r"\d")


def _without_blanks(text: str, gaps: Gaps) -> str:
    """A header in which only the longest run of blanks is left in each gap.

    A name of several words may be longer than what is below it.
    """
    text = text.ljust(gaps[-1][1] if gaps else 0)
    joined = list(text.replace(" ", "x"))
    for begin, end in gaps:
        runs = [run.span() for run in _BLANKS.finditer(text, begin, end)]
        for position in range(*max(runs, key=lambda run: run[1] - run[0], default=(0, 0))):
            joined[position : position + 1] = " "
    return "".join(joined)


_BLANKS = re.compile(" +")


def _plain(line: str) -> str:
    """The line without tabs; empty if it is a rule, such as -----."""
    text = line.expandtabs().rstrip()
    return text if text.strip("-= +") or not _RULE.search(text) else ""


_RULE = re.compile("---|===")


def _mask(text: str) -> int:
    """A number with a bit for each character that is not blank."""
    return int(_NO_BLANK.sub("1", text).replace(" ", "0")[::-1], 2)


def _gaps_in(filled: int) -> Gaps:
    """The runs of zeros between the ones of a number, from the lowest."""
    runs = (match.span() for match in re.finditer("0+", f"{filled:b}"[::-1]))
    return tuple(span for span in runs if span[0] > 0)


def _is_crossed(text: str, gap: tuple[int, int]) -> bool:
    """Whether a text has no blank in a gap, and does not end before."""
    return text.find(" ", *gap) < 0 and len(text) >= gap[1]


def _may_be_row(text: str, gaps: Gaps) -> bool:
    """Whether a line has text in most of the columns, and fits most of the gaps."""
    crossed = sum(_is_crossed(text, gap) for gap in gaps)
    spans = zip([0, *(end for _, end in gaps)], [*(begin for begin, _ in gaps), None], strict=True)
    filled = sum(not text[begin:end].isspace() and text[begin:end] != "" for begin, end in spans)
    return not crossed or (2 * crossed < len(gaps) and 2 * filled > len(gaps))


def fields_of(line: str, gaps: Gaps) -> str:
    """The line with a delimiter between its fields; unchanged if its text fills a gap.

    The first blank in a gap ends a column: its text, or that of the next column, may be longer than
    in the lines in which the gaps were found.
    """
    text = _plain(line).replace(FIELD_END, " ")
    fields, start = [], 0
    for begin, end in gaps:
        if _is_crossed(text, (begin, end)):
            return text + "\n"
        blank = text.find(" ", begin, end)
        blank = end if blank < 0 else blank
        fields.append(text[start:blank].strip())
        start = blank
    fields.append(text[start:].strip())
    return FIELD_END.join(fields) + "\n" if text else "\n"


def table_of(lines: Sequence[str], gaps: Gaps) -> list[str]:
    """The lines as fields; a header that is not aligned is split into a word for each column.

    It is the last line above the first row with a number, and its text fills a gap.
    """
    rows = [fields_of(line, gaps) for line in lines]
    numbers = (index for index, row in enumerate(rows) if _NUMBER.search(row))
    above = (index for index in range(next(numbers, 0) - 1, -1, -1) if rows[index] != "\n")
    last = next(above, None)
    if last is not None and FIELD_END not in rows[last]:
        words = lines[last].split()
        rows[last] = FIELD_END.join(words) + "\n" if len(words) == len(gaps) + 1 else rows[last]
    return rows


_NUMBER = re.compile(rf"^[\d.,+-]*\d{FIELD_END}|{FIELD_END}[\d.,+-]*\d(?:$|{FIELD_END})")
