"""Issues between the keys of `data.split`."""

from __future__ import annotations

from bpcli.config.reader import Checks, Issues, Reader, is_number, issue_at

CHECKS = Checks()
BY_ROWS = ("files", "index")
"""The keys that give the rows of each split."""
_WAYS = (*BY_ROWS, "column")


@CHECKS.add
def _fractions(read: Reader) -> Issues:
    splits = {name: read(f"data.split.{name}") for name in ("train", "val", "test")}
    numbers = {name: value for name, value in splits.items() if is_number(value)}
    total = sum(numbers.values())
    given = ", ".join(f"{name} {value:g}" for name, value in numbers.items())
    if read("data.split.folds") is not None:
        return
    if "train" in numbers and abs(total - 1) > 1e-9:
        has_rest = total - numbers["train"] < 1
        way_out = "remove `train` to use the rest" if has_rest else "reduce them"
        message = f"the splits add up to {total:g}, not 1 ({given}): {way_out}"
        yield issue_at("data.split", message, at_key=True)
    elif "train" not in numbers and total >= 1:
        message = f"val and test take all rows ({given}), but training needs rows: reduce them"
        yield issue_at("data.split", message, at_key=True)


@CHECKS.add
def _one_way_to_split(read: Reader) -> Issues:
    """Splits given by files, row numbers or a column: in one way, and for tables in files only."""
    ways = [way for way in _WAYS if read(f"data.split.{way}") is not None]
    if ways and read("data.file") is None:
        yield issue_at(f"data.split.{ways[0]}", f"`{ways[0]}` is for tables in files", at_key=True)
    elif len(ways) > 1:
        names = " and ".join(f"`{way}`" for way in ways)
        yield issue_at(
            f"data.split.{ways[1]}", f"{names} both define the splits: keep one", at_key=True
        )
    for name in ("train", "val", "test"):
        named = [way for way in BY_ROWS if read(f"data.split.{way}.{name}") is not None]
        if named and read(f"data.split.{name}"):
            message = f"`{named[0]}` already defines the rows of `{name}`: remove this key"
            yield issue_at(f"data.split.{name}", message)


@CHECKS.add
def _folds(read: Reader) -> Issues:
    folds, fold = read("data.split.folds"), read("data.split.fold")
    for key in ("train", "test", *_WAYS) if folds is not None else ():
        if read(f"data.split.{key}"):
            yield issue_at(
                f"data.split.{key}",
                "each of the `folds` is the test set once, and the other rows are for training: "
                f"remove `{key}`",
                at_key=True,
            )
    if fold is not None and folds is None:
        yield issue_at(
            "data.split.fold", "`fold` chooses one of the `folds`: set `folds` too", at_key=True
        )
    elif is_number(fold) and is_number(folds) and fold > folds:
        yield issue_at("data.split.fold", f"found {fold}, expected at most {folds}, as in `folds`")


@CHECKS.add
def _splits_in_order(read: Reader) -> Issues:
    """Keys that contradict splits in the order of rows, and `order_by` without such splits."""
    order = read("data.split.order", "random")
    if read("data.split.order_by") is not None and order == "random":
        message = "`order_by` sorts rows for an `order`: set `order` to time, blocks or interleaved"
        yield issue_at("data.split.order_by", message, at_key=True)
    if order not in ("time", "blocks", "interleaved"):
        return
    if read("data.split.stratify") is True:
        yield issue_at(
            "data.split.stratify",
            f"`order: {order}` splits rows by their order, not by class: remove `stratify`",
        )
    if order == "time" and read("data.split.folds") is not None:
        yield issue_at(
            "data.split.order",
            "with `folds`, a network would train on rows later than those it is tested on: use "
            "`val` and `test` without `folds`, or set `order: blocks` to allow that",
        )
    if read("data.split.column") is not None:
        message = "`column` already defines all splits: remove `order`"
        yield issue_at("data.split.order", message, at_key=True)
