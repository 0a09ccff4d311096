from __future__ import annotations

import sys
import types
import warnings
from pathlib import Path

from bpcli.api.warn import warn
from bpcli.errors import BpnetWarning


def test_each_message_is_a_warning_at_this_line() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn(["one", "two"])
        line = sys._getframe().f_lineno - 1
    assert [str(warning.message) for warning in caught] == ["one", "two"]
    assert all(warning.category is BpnetWarning for warning in caught)
    assert {(Path(warning.filename).name, warning.lineno) for warning in caught} == {
        ("test_warn.py", line)
    }


def test_frames_of_the_package_are_passed_over_and_names_like_it_are_not() -> None:
    def called_from(name: str) -> str:
        module = types.ModuleType(name)
        vars(module)["warn"] = warn
        code = compile("def f():\n    warn(['x'])\n", f"<{name}>", "exec")
        exec(code, vars(module))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module.f()
        return Path(caught[0].filename).name

    assert called_from("bpcli.estimators.base") == "test_warn.py"
    assert called_from("bpcli_tools") == "<bpcli_tools>"
