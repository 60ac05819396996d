"""How a grid stands: counts and time left by hand, and the page in a browser."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.grid import Grid
from wherefore.study.records import write_text
from wherefore.study.runs import LOCK, MANIFEST, Manifest, fail, locked, since, state
from wherefore.train.grid_page import write
from wherefore.train.standing import Standing

GRID = Grid(
    expect=24,
    target=("label_only", "free_rationale"),
    n=(500, 1000),
    learning_rate=(1e-4, 1e-3),
    seed=(0, 1, 2),
)


def finish(folder: Path, seconds: float) -> None:
    """What `run_once` leaves of a cell that took so long."""
    made = Manifest(key="k", settings={}, inputs={}, outputs={}, seconds=seconds, provenance={})
    write_text(folder / MANIFEST, made.model_dump_json())


@pytest.fixture
def half_done(tmp_path: Path) -> Iterator[Standing]:
    """Of 24 cells, three are done, one is running for 10 seconds, one has failed."""
    cells = GRID.cells()
    folders = [tmp_path / "train" / c.id for c in cells]
    for i, seconds in ((0, 100), (1, 140), (12, 600)):  # two of labels alone with n = 500, one with reasons
        finish(folders[i], seconds)
    fail(folders[2], "RuntimeError: the loss <is> not finite\nand more", "Traceback")
    with ExitStack() as stack:
        stack.enter_context(locked(folders[13]))
        began = time.time() - 10
        (folders[13] / LOCK).write_text(f"{began:.0f} 1 here\n")
        yield Standing(tmp_path, cells, workers=4)


def test_counts_and_time_left_are_those_by_hand(half_done: Standing) -> None:
    assert half_done.counts == {"done": 3, "running": 1, "failed": 1, "missing": 19}
    assert half_done.spent == 840
    assert half_done.stands[2].why == "RuntimeError: the loss <is> not finite"
    # missing: 3 + 6 of labels at 120 s each, 10 of reasons at 600 s; running: 590 s more; one at a time runs now
    assert half_done.left == pytest.approx(9 * 120 + 10 * 600 + 590, abs=2)


def test_what_has_not_begun_has_no_time_left_and_an_end_has_none(tmp_path: Path) -> None:
    cells = GRID.cells()
    assert Standing(tmp_path, cells, 2).left is None
    for c in cells:
        finish(tmp_path / "train" / c.id, 1)
    standing = Standing(tmp_path, cells, 2)
    assert (standing.left, standing.counts["done"]) == (0.0, 24)


def test_who_looks_at_a_folder_bars_nobody_from_it(tmp_path: Path) -> None:
    """`state` takes the lock for an instant: a worker that comes by then must not pass the cell by."""
    lines = (
        "import sys, pathlib",
        "from wherefore.study.runs import state",
        "while 1: state(pathlib.Path(sys.argv[1]))",
    )
    looking = "\n".join(lines)
    with locked(tmp_path):
        assert state(tmp_path) == "running"
        assert since(tmp_path) == pytest.approx(time.time(), abs=2)
    lookers = [subprocess.Popen([sys.executable, "-c", looking, str(tmp_path)]) for _ in range(2)]
    try:
        time.sleep(1)
        for _ in range(300):
            with locked(tmp_path):
                pass
    finally:
        for p in lookers:
            p.kill()
            p.wait()
    assert since(tmp_path) is None


@pytest.mark.service
def test_the_page_shows_the_grid_and_renews_itself(half_done: Standing, browser: Any) -> None:
    study = Study(name="paper", title="Labels & rationales", cohort={}, grid=GRID)
    path = write(study, half_done)
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto(path.as_uri())
    shown = {name: page.locator(f"td.{name}").count() for name in ("done", "running", "failed", "missing")}
    assert shown == half_done.counts
    assert page.locator("dd").all_inner_texts()[:5] == ["3", "1", "1", "19", "2.1 h"]
    assert page.locator("td.done").all_inner_texts() == ["2 min", "2 min", "10 min"]
    assert "the loss <is> not finite" in page.locator("li").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000
    finish(half_done.home / "train" / half_done.cells[14].id, 500)
    write(study, half_done.look())
    page.wait_for_function("document.querySelectorAll('td.done').length == 4", timeout=15000)  # by itself
    page.close()
