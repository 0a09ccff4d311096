"""What is said of spellings of one word, and of new names that name none."""

from __future__ import annotations

from bpcli.data.spellings import Spelling
from bpcli.data.variants import ColumnWords, useless_renames, variants_text

ROWS = {"yes": 21, "Yes": 20, "YES": 19, "no": 30}


def test_spellings_are_listed_with_their_rows_and_the_key_that_merges_them() -> None:
    assert variants_text(ColumnWords("ok", "class", ROWS)) == (
        "has spellings that may be one class (`casefold: true` merges them): `yes` (21), `Yes` "
        "(20) and `YES` (19)"
    )
    assert variants_text(ColumnWords("ok", "class", ROWS, Spelling(True))) == (
        "has spellings that `casefold` merges into one class: `yes` (21), `Yes` (20) and `YES` (19)"
    )
    assert variants_text(ColumnWords("ok", "class", {"yes": 1, "no": 2})) is None


def test_of_many_the_rest_is_counted() -> None:
    rows = {f"{word}{spelling}": 1 for word in "abc" for spelling in ("xy", "XY", "Xy", "xY")}
    assert variants_text(ColumnWords("c", "category", rows)) == (
        "has spellings that may be one category each (`casefold: true` merges them): `aXY` (1), "
        "`aXy` (1) and 2 more; `bXY` (1), `bXy` (1) and 2 more; and 1 more"
    )


def test_words_that_are_renamed_to_one_are_no_variants() -> None:
    spelling = Spelling(rename={"Yes": "yes", "YES": "yes"})
    assert variants_text(ColumnWords("ok", "class", ROWS, spelling)) is None


def test_a_new_name_of_a_word_that_no_column_has_is_told() -> None:
    columns = [
        ColumnWords("ok", "class", ROWS, Spelling(True, {"NO": "nein"})),
        ColumnWords("c", "category", {"a": 1}, Spelling(rename={"A": "b"})),
    ]
    renames = [(("n", "c", "ok"), ("NO", "None")), (("c",), ("A", "a")), (("n",), ("1",))]
    missing, other, number = useless_renames(renames, columns)
    assert missing == (
        "`rename`: `None` is not a category or class of any column: it marks a missing "
        "value, see `missing_only`"
    )
    assert other == "`rename`: `A` is not a category or class of column `c`"
    assert number == (
        "`rename`: `1` is not a category or class of column `n`: numbers become classes by `task: "
        "classification`, and categories by `categories`"
    )
