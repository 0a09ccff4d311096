from __future__ import annotations

import json

from bpcli.config.reference import keys_page
from bpcli.config.schema import json_schema


def test_the_schema_is_one_document_on_stdout(bpnet) -> None:
    result = bpnet("schema")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == json_schema()


def test_the_page_of_keys_is_printed(bpnet) -> None:
    assert bpnet("schema", "--markdown").out == keys_page(json_schema()) + "\n"
