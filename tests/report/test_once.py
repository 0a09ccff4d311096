"""What is computed once for all sections."""

from __future__ import annotations

import gc
from pathlib import Path

from plotted import subject_of

from bpcli.report.once import once
from bpcli.runs.subject import Subject


def test_a_result_is_kept_for_each_subject_and_key_and_no_longer_than_its_subject(
    tmp_path: Path,
) -> None:
    calls: list[int] = []

    class Result:
        pass

    @once
    def result(subject: Subject, key: int) -> Result:
        calls.append(key)
        return Result()

    one, other = (subject_of(tmp_path, "xor", training__epochs=1) for _ in range(2))
    assert result(one, 1) is result(one, 1)
    assert len({result(one, 1), result(one, 2), result(other, 1)}) == 3
    assert calls == [1, 2, 1]
    del one, other
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Result)]
