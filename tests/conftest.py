"""What all tests share: record sets beside the checkout where there are any, and threads kept in hand."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores: a test's BLAS may not take both
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


COSTLY = ("label_studio", "quick", "analysed")
"""Fixtures that start a server or run a study: with several workers, the tests of each go to one of them, first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests of a costly fixture together, and start them before the others (`pytest -n 2 --dist loadgroup`)."""

    def group(item: pytest.Item) -> str | None:
        asked = getattr(item, "fixturenames", ())
        return next((name for name in COSTLY if name in asked), None)

    for item in items:
        if (name := group(item)) is not None:
            item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: COSTLY.index(name) if (name := group(item)) else len(COSTLY))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public record sets and reference values, which do not travel with the project."""
    folder = Path(os.environ.get("WHEREFORE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the record sets are not on this machine (WHEREFORE_SHARED_DATA)")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; absent, it skips at home and fails in CI.

    For one module: as long as Playwright's synchronous interface is open, nothing else can run an event loop.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("no chromium") if os.environ.get("CI") else pytest.skip("no chromium")
    from playwright.sync_api import sync_playwright

    off = ("background-networking", "component-update", "sync", "quic", "gpu", "dev-shm-usage")
    quiet = ["--no-sandbox", "--headless", "--no-first-run", *(f"--disable-{what}" for what in off)]
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()
