"""The pages of docs/results: every number is a cell of a committed table, and the commands and files exist.

A number is a link to its table whose title says where: `[0.62](dial/variance.csv "knew:weight, share")` is the column
`share` of the row whose first column is `knew:weight`. Numbers of a Markdown table may stand bare where the paragraph
above it names the table of which it is a part: `<!-- rows of dial/variance.csv: term, df, share -->`.
"""

import csv
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "results"
PAGES = sorted(FOLDER.glob("*.md"))
LINK = re.compile(r"\[([^\]]+)\]\(([\w/-]+\.csv) \"([^\"]+), (\w+)\"\)")
ROWS = re.compile(r"<!-- rows of ([\w/-]+\.csv): ([\w, ]+) -->\n\n?((?:\|.*\n)+)")
DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d+(?!\.?\w)")


def table(page: Path, name: str) -> dict[str, dict[str, str]]:
    """Rows of a committed table by their first column."""
    with (page.parent / name).open(encoding="utf-8", newline="") as f:
        return {next(iter(row.values())): row for row in csv.DictReader(f)}


def shown(text: str, value: str) -> bool:
    """Whether what the page shows is the value of the table, rounded as shown; words must be equal.

    >>> shown("0.62", "0.6151"), shown("62 %", "0.6151"), shown("0.61", "0.6151"), shown("yes", "True")
    (True, True, False, True)
    """
    words = {"yes": "True", "no": "False", "-": ""}
    number = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?( %)?", text.strip())
    if number is None or not value:
        return words.get(text.strip(), text.strip()) == value
    places = len(number[3] or "")
    exact = float(value) * (100 if number[4] else 1)
    return math.isclose(float(text.strip().removesuffix(" %")), exact, abs_tol=0.5000001 * 10**-places)


def test_there_is_a_page_and_what_makes_its_tables_loads() -> None:
    assert "dial.md" in {p.name for p in PAGES}
    asked = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "results.py")], capture_output=True, text=True
    )
    assert asked.returncode == 2
    assert "dial" in asked.stderr


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.name)
def test_a_number_is_that_of_its_row(page: Path) -> None:
    found = LINK.findall(page.read_text(encoding="utf-8"))
    assert found
    for said, name, row, column in found:
        assert row in table(page, name), f"{page.name}: {name} has no row {row!r}"
        value = table(page, name)[row][column]
        assert shown(said, value), f"{page.name}: {said} stands for {value} ({name}: {row}, {column})"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_table_is_rows_of_its_file(page: Path) -> None:
    for name, columns, lines in ROWS.findall(page.read_text(encoding="utf-8")):
        body = [[c.strip() for c in line.strip().strip("|").split("|")] for line in lines.splitlines()[2:]]
        assert body
        for cells in body:
            key = cells[0].strip("`")
            assert key in table(page, name), f"{page.name}: {name} has no row {key!r}"
            for said, column in zip(cells[1:], columns.split(", ")[1:], strict=True):
                value = table(page, name)[key][column]
                assert shown(said, value), f"{page.name}: {said} stands for {value} ({name}: {key}, {column})"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_no_decimal_stands_alone(page: Path) -> None:
    """Outside of links, tables of rows, code and comments, a page has no number that could have been measured."""
    text = ROWS.sub("", LINK.sub("", page.read_text(encoding="utf-8")))
    text = re.sub(r"```.*?```|`[^`]*`|<!--.*?-->|\]\([^)]*\)|arXiv [\d.]+", "", text, flags=re.DOTALL)
    assert DECIMAL.findall(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_page_names_its_study_and_its_command(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"wherefore run examples/{page.stem}.toml" in text
    assert f"python benchmarks/results.py {page.stem} runs/{page.stem}" in text
    assert (ROOT / "examples" / f"{page.stem}.toml").exists()
