"""The report in a real browser: nothing asked of the network, nothing cut off, both themes."""

import re
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.report.pdf import printed

pytestmark = pytest.mark.service


@pytest.mark.parametrize("width", [1280, 390])
def test_report_fits_and_asks_for_nothing(analysed: Any, browser: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark")
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((analysed.home / "analysis" / "report.html").as_uri())
    assert said == []
    assert len(asked) == 1  # the page itself
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # wide tables scroll in themselves
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(22, 23, 26)"  # the dark theme
    ink = page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    assert ink != "rgb(28, 28, 26)"  # figures follow it
    assert page.locator("#models > .wide tbody tr").count() == 7
    page.close()


@pytest.mark.parametrize(("paper", "width", "height"), [("A4", 595, 842), ("Letter", 612, 792)])
def test_report_prints_on_both_papers(
    analysed: Any, browser: Any, tmp_path: Path, paper: str, width: int, height: int
) -> None:
    out = tmp_path / "r.pdf"
    printed(analysed.home / "analysis" / "report.html", out, paper)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", out.read_bytes())
    assert len(boxes) > 5
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(width, height)}


def test_nothing_is_cut_off_or_folded_away_in_print(analysed: Any, browser: Any) -> None:
    inside = 688  # px: A4 less the margins
    page = browser.new_page(viewport={"width": inside, "height": 900})
    page.goto((analysed.home / "analysis" / "report.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= inside
    right = "[...document.querySelectorAll('table, pre, svg')].map(e => e.getBoundingClientRect().right)"
    assert max(page.evaluate(right)) <= inside + 1
    folded = (
        "[...document.querySelectorAll('details > :not(summary)')].filter(e => !e.checkVisibility()).length"
    )
    assert page.evaluate(folded) == 0
    page.close()
