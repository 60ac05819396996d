"""The checklists have the items of the published tables, with their scopes, and no others."""

import re
import tomllib
from importlib.resources import files

import pytest

ITEMS = {
    "tripod_ai": "1 2 3a-c 4 5a-b 6a-c 7 8a-c 9a-c 10 11 12a-g 13 14 15 16 17 18a-f 19 20a-c 21 22 23a-b 24 25 26 "
    "27a-c",
    "tripod_llm": "1 2 3a-b 4 5a-e 6a-e 7a-e 8a-c 9a-b 10 11 12 13 14a-f 15 16a-d 17 18 19a-g",
}
"""Table 2 of BMJ 2024;385:e078378 and table 2 of Nat Med 2025;31:60-69."""
EVERYWHERE = {"tripod_ai": "D;E", "tripod_llm": "All; all"}
SCOPES = {
    "tripod_ai": {"D": "9a 12a 12b 12c 15 22 27a 27b", "E": "12f 12g 20c 24"},
    "tripod_llm": {
        "E H; all": "3b 7b 7c 16a 16b 16c 16d 19c 19d 19e 19f",
        "M D; all": "6b 11",
        "M D E; all": "6c 12",
        "H; all": "14c 14d 15",
        "All; C OF": "6e",
        "All; QA IR DG SS MT": "7a",
        "All; SS": "10",
    },
}
"""Of the items that are not for every study."""


def numbers(short: str) -> list[str]:
    """`3a-c` is 3a, 3b, 3c."""
    out = []
    for part in short.split():
        found = re.fullmatch(r"(\d+)(?:([a-z])-([a-z]))?", part)
        assert found
        number, first, last = found.groups()
        letters = [chr(c) for c in range(ord(first), ord(last) + 1)] if first else [""]
        out += [number + letter for letter in letters]
    return out


@pytest.mark.parametrize(("name", "size"), [("tripod_ai", 52), ("tripod_llm", 49)])
def test_the_items_are_those_of_the_published_table(name: str, size: int) -> None:
    text = (files("wherefore.templates") / "report" / "checklists" / f"{name}.toml").read_text()
    items = tomllib.loads(text)["item"]
    assert [i["number"] for i in items] == numbers(ITEMS[name])
    assert len(items) == size
    special = {n: scope for scope, of in SCOPES[name].items() for n in of.split()}
    assert {i["number"]: i["scope"] for i in items} == {
        n: special.get(n, EVERYWHERE[name]) for n in numbers(ITEMS[name])
    }
