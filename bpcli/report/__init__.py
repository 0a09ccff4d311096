"""A page of HTML that explains a run, or compares several.

`html` makes all markup, `words` has all sentences in each language, `sections` has one file for
each section, and `page` makes the file. Nothing here reads a run: that is done by a `Subject`.
"""
