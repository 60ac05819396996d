"""The documentation site builds offline without a warning, and the generated pages are whole."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "docs",
        str(out / "html"),
    ]
    done = subprocess.run([*command, "-d", str(out / "doctrees")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return out / "html"


@pytest.mark.slow
def test_pages_are_there_and_need_no_network(site: Path) -> None:
    pages = [p for p in site.rglob("*.html") if "_static" not in p.parts]
    assert len(pages) > 40
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert 'src="http' not in text, page
        assert '<link rel="stylesheet" href="http' not in text, page


def test_every_key_has_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    import generated

    keys = [(section.heading, key) for section in generated._all() for key in section.keys]
    assert len(keys) > 200
    assert [f"{heading}.{key.name}" for heading, key in keys if len(key.meaning) < 8] == []
