"""The numbers of a training on a cluster, and the line that shows them."""

from __future__ import annotations

from bpcli.cluster.traffic import Traffic


def test_the_line_is_per_epoch() -> None:
    traffic = Traffic(4, 2.0, 0.5, 8_000_000, 4_000)
    assert traffic.text == "per evaluation 2 MB sent, 0.001 MB received, 0.125 of 0.5 s waiting"


def test_nothing_was_evaluated_yet() -> None:
    assert Traffic().text == "per evaluation 0 MB sent, 0 MB received, 0 of 0 s waiting"


def test_losses_are_said() -> None:
    assert Traffic(lost_workers=2, repeated_shards=9).text.endswith(
        "; 2 times a worker was lost or late, 9 shards were computed again"
    )
