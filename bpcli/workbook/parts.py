"""The files in a workbook's archive, except for the sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from zipfile import ZIP_DEFLATED, ZipInfo

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def part(name: str) -> ZipInfo:
    """A compressed file in the archive, without the time of day."""
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def sheet_path(number: int) -> str:
    """The path of a sheet, counted from 1."""
    return f"xl/worksheets/sheet{number}.xml"


def parts(sheets: Sequence[str], styles: str, names: Mapping[str, str]) -> dict[str, str]:
    """All files but the sheets, with the names of the sheets and of ranges of cells."""
    numbers = range(1, len(sheets) + 1)
    types = {f"/{sheet_path(number)}": "worksheet" for number in numbers}
    types |= {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles"}
    targets = {
        f"sheet{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in numbers
    }
    texts = {
        "[Content_Types].xml": _content_types(types),
        "_rels/.rels": _relations({"book": ("officeDocument", "xl/workbook.xml")}),
        "xl/_rels/workbook.xml.rels": _relations(targets | {"styles": ("styles", "styles.xml")}),
        "xl/workbook.xml": _workbook(sheets, names),
        "xl/styles.xml": styles,
    }
    return {name: HEAD + text for name, text in texts.items()}


def _content_types(types: Mapping[str, str]) -> str:
    entries = "".join(
        f'<Override PartName="{path}" ContentType="{_TYPE}.{part_type}+xml"/>'
        for path, part_type in types.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>{entries}</Types>'
    )


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{relation}" Target="{target}"/>'
        for name, (relation, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'


def _workbook(sheets: Sequence[str], names: Mapping[str, str]) -> str:
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="sheet{number}"/>'
        for number, name in enumerate(sheets, start=1)
    )
    defined = "".join(
        f'<definedName name="{name}">{escape(reference)}</definedName>'
        for name, reference in names.items()
    )
    again = '<calcPr fullCalcOnLoad="1"/>' if names else ""
    defined = f"<definedNames>{defined}</definedNames>{again}" if names else ""
    return (
        f'<workbook {MAIN} xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{entries}</sheets>{defined}</workbook>"
    )
