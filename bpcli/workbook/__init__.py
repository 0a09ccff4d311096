"""Workbooks of Excel (.xlsx, ECMA-376): their files, cells, styles and sheets."""
