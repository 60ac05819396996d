"""Sentences written by hand about made histories, and what the grounding check says of them."""

import csv
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from wherefore.synth.grounding import check_claim, history_of
from wherefore.synth.records import Check
from wherefore.synth.teaching import History

TABLES = Path(__file__).parent / "sentences"


class Sentence(NamedTuple):
    """A row of a table."""

    history: str
    kind: str
    faithful: bool
    cites: tuple[str, ...]
    text: str
    what_is_false: str = ""


@cache
def histories() -> dict[str, History]:
    """The histories of `histories.tsv`, by name."""
    found: dict[str, dict[str, Any]] = {}
    for cells in _rows("histories"):
        if cells[0] == "#H":
            found[cells[1]] = {"age": float(cells[2]), "sex": cells[3], "lines": []}
            continue
        name, id, kind, system, code, text, age, before, value, unit, count, hidden = cells
        found[name]["lines"].append(
            {
                "id": id,
                "kind": kind,
                "system": system,
                "code": code,
                "name": text,
                "age": _number(age),
                "years_before": _number(before),
                "value": _number(value),
                "unit": unit or None,
                "count": int(count or 1),
                "shown": not hidden,
            }
        )
    return {name: history_of(data) for name, data in found.items()}


def sentences(table: str) -> list[Sentence]:
    """Rows of a table of single sentences."""
    return [
        Sentence(h, kind, faithful == "yes", tuple(cites.split()), text, why)
        for h, kind, faithful, cites, text, why in _rows(table)
    ]


def rationales(table: str) -> dict[tuple[str, str], list[Sentence]]:
    """Claims of whole faithful rationales, by history and voice."""
    out: dict[tuple[str, str], list[Sentence]] = {}
    for history, voice, cites, text in _rows(table):
        out.setdefault((history, voice), []).append(
            Sentence(history, "rationale", True, tuple(cites.split()), text)
        )
    return out


def checked(s: Sentence) -> Check:
    """What the check says of a sentence."""
    return check_claim({"text": s.text, "cites": s.cites}, histories()[s.history])


class Figures(NamedTuple):
    """Shares of a table: faithful ones flagged, false ones supported, all undecided."""

    false_alarms: float
    false_supported: float
    undecided: float

    @classmethod
    def of(cls, rows: list[Sentence]) -> "Figures":
        """Of some sentences."""
        n = Counter((s.faithful, checked(s).verdict) for s in rows)
        true, false = (sum(v for k, v in n.items() if k[0] == kind) for kind in (True, False))
        undecided = n[True, "undecided"] + n[False, "undecided"]
        return cls(n[True, "fault"] / true, n[False, "supported"] / max(false, 1), undecided / len(rows))


def _rows(table: str) -> Iterator[list[str]]:
    with (TABLES / f"{table}.tsv").open(encoding="utf-8", newline="") as f:
        for cells in csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            if cells and (cells[0] == "#H" or not cells[0].startswith("#")):
                yield cells


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
