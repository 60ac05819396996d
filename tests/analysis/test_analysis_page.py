"""The report in a real browser: nothing asked of the network, nothing cut off, both themes."""

from typing import Any

import pytest

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
