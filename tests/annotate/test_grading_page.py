"""The grading page in a real browser: signed in by the printed link, graded by keyboard alone, pulled as given."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate import rounds, server
from wherefore.annotate.pull import pull
from wherefore.annotate.push import push
from wherefore.annotate.run import resolve
from wherefore.study.config import Study
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Claim, Rationale

Make = Callable[..., Study]
LOOK = Path(os.environ.get("WHEREFORE_SCREENSHOTS", ""))
"""Where screenshots go; empty: into the test's own folder."""

SEVEN = (
    Claim(text="At 70 she is at an age at which dementia begins to be common.", cites=("E001",)),
    Claim(text="Hypertension since age 61.2 is a midlife vascular risk factor.", cites=("E001",)),
    Claim(text="Type 2 diabetes followed at 64.0, six years before the prediction time.", cites=("E002",)),
    Claim(text="A stroke at 66.4 raises the risk of vascular dementia and of mixed forms.", cites=("E003", "E002")),
    Claim(text="A memory complaint was recorded at 69.1 with an MMSE of 24 of 30.", cites=("E004",)),
    Claim(text="No protective treatment stands against these in the record.", cites=("E002", "E003")),
    Claim(text="Together they make an onset within five years likely."),
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; absent, it skips at home and fails in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("no chromium") if os.environ.get("CI") else pytest.skip("no chromium")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--disable-quic", "--no-first-run"]  # fmt: skip
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture
def stage(label_studio: Any, graded: Path, study: Make) -> Any:
    """Two items of seven sentences in ann's project; the state, the project and the folder."""
    path = graded / "synth" / "rationales.jsonl"
    rows = [r.model_copy(update={"claims": SEVEN}) for r in read_jsonl(path, Rationale)]
    write_jsonl(path, rows)
    s = study(raters="label_studio", items=2, people=["ann"], question="Dementia within five years?")
    state = rounds.people(s, resolve(s), graded)
    done = push(state.plan, label_studio.admin, graded / "annotate", "main", {})
    return s, state, done[0].project, graded


def sign_in(browser: Any, label_studio: Any, project: int, size: tuple[int, int] = (1600, 1000)) -> Any:
    """Open the printed link as ann and sign in, as a person would."""
    email = "ann@raters.example.com"
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(server.link(label_studio.state.url, project))
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", label_studio.state.raters[email])
    page.keyboard.press("Enter")
    page.wait_for_selector(".wf-claim", timeout=60_000)
    page.wait_for_timeout(500)
    return page


def ticked(page: Any) -> list[str]:
    """Labels of everything that is ticked, in the order of the page's source."""
    return [t.strip() for t in page.locator(".ant-radio-wrapper-checked").all_inner_texts()]


@pytest.mark.service
def test_graded_by_keyboard_alone(
    label_studio: Any, browser: Any, stage: Any, tmp_path: Path
) -> None:
    s, state, project, home = stage
    page = sign_in(browser, label_studio, project)
    look = LOOK if LOOK.name else tmp_path
    page.screenshot(path=look / "empty.png")
    for key in ["1", "2", "3", "4", "5", "6", "0", "t", "f", "c", "y"]:
        page.keyboard.press(key)
    page.screenshot(path=look / "filled.png")
    page.keyboard.press("Shift+3")
    page.wait_for_timeout(300)
    page.screenshot(path=look / "fault.png")
    page.keyboard.press("Control+Shift+5")
    page.wait_for_timeout(300)
    for i in range(30):
        page.keyboard.press("Tab")
        w = page.evaluate("(() => { const e = document.activeElement; return e.tagName + ' ' + e.type + ' ' + (e.name||'') + ' ' + e.value + ' | ' + (e.closest('.wf-fix') ? 'FIX' : '') + e.innerText?.slice(0,30); })()")
        print(i, w)
        if 'Invented' in w and 'FIX' in w:
            page.keyboard.press("Space"); page.wait_for_timeout(300)
    page.screenshot(path=look / "selected.png")
    print(ticked(page))
