"""Frame times of the scrubber of a report, while it plays in a browser.

`python -m benchmarks.scrubber [EPOCHS]` (in the folder `tests`) trains 2-16-8-1 for 500 epochs,
writes its report, plays it in headless Chromium, and prints the size of the page, the frames per
second, and the time that the script takes for each frame.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from browser import chromium, opened
from systems import trained

from bpcli.report.report import report_of
from bpcli.workflows.subject import load_subject

_PLAYED = """
() => new Promise((done) => {
  const play = document.getElementById("film-play");
  const stamps = [];
  const next = (time) => {
    stamps.push(time);
    if (play.getAttribute("aria-pressed") === "true") requestAnimationFrame(next);
    else done(stamps);
  };
  play.click();
  requestAnimationFrame(next);
})
"""

_WORK = """
() => {
  const slider = document.getElementById("film-slider");
  const times = [];
  for (let epoch = 0; epoch <= Number(slider.max); epoch += 1) {
    slider.value = epoch;
    const began = performance.now();
    slider.dispatchEvent(new Event("input"));
    times.push(performance.now() - began);
  }
  return times;
}
"""


def main(epochs: int = 500) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = trained(
            Path(folder), "moons", training__epochs=epochs, training__stop="{}",
            training__record_params=True,
        ).run  # fmt: skip
        file = Path(folder, "report.html")
        file.write_text(report_of([load_subject(run, "best", None)], "en"), "utf-8")
        print(f"page: {file.stat().st_size:,} bytes")
        with chromium() as browser, opened(browser, file) as found:
            _measure(found.page)


def _measure(page: Any) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    page.locator("#film").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    gaps = np.diff(page.evaluate(_PLAYED))
    print(f"frames per second: {1000 / gaps.mean():.1f} in {len(gaps)} frames")
    _print("milliseconds between frames", gaps)
    _print("milliseconds of the script", np.array(page.evaluate(_WORK)))


def _print(what: str, values: np.ndarray) -> None:
    low, most = np.percentile(values, [50, 95])
    print(f"{what}: median {low:.2f}, 95 % {most:.2f}, largest {values.max():.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
