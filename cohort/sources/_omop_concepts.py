"""Concepts of an OMOP vocabulary, those that the records use, and what a row is called by them."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from .. import codes
from ..events import Place
from ..reading.names import Names
from ..reading.systems import Systems
from ..reading.tables import TableFormat

Codes = tuple[tuple[str, str], ...]
OWN = "OMOP"
"""The system of concept ids themselves, so that a code set may hold those of an ATLAS concept set."""


class Concept(NamedTuple):
    """A row of `concept`."""

    system: str
    code: str
    name: str


class Concepts:
    """Looks up concepts by id."""

    def __init__(self, names: Names, options: Any, used: Iterable[str], place: Place) -> None:
        """Read the concepts that occur, and their ancestors.

        Args:
            names: of the tables.
            options: of the source.
            used: concept ids that occur in the records.
            place: counts.
        """
        self.guess = bool(options.guess_icd)
        self._systems = Systems(options.systems, place)
        self._parents = self._ancestors(names, options, set(used))
        everything = set(used).union(*self._parents.values())
        self._known = self._read(names, options, everything)

    def _read(self, names: Names, form: TableFormat, wanted: set[str]) -> dict[str, Concept]:
        columns = {
            "id": "concept_id",
            "name": "concept_name",
            "vocabulary": "vocabulary_id",
            "code": "concept_code",
        }
        out: dict[str, Concept] = {}
        for _, rows in names.rows("concept", columns, form) if wanted else ():
            rows = rows[rows["id"].isin(wanted) & (rows["id"] != "0")]
            for i, name, vocabulary, code in rows[["id", "name", "vocabulary", "code"]].itertuples(
                index=False
            ):
                if code == code and vocabulary == vocabulary:
                    system = self._systems(str(vocabulary))
                    out[str(i)] = Concept(system, str(code), str(name) if name == name else "")
        return out

    def _ancestors(self, names: Names, form: TableFormat, used: set[str]) -> dict[str, list[str]]:
        columns = {"ancestor": "ancestor_concept_id", "descendant": "descendant_concept_id"}
        out: dict[str, list[str]] = {}
        for _, rows in names.rows("concept_ancestor", columns, form) if used else ():
            rows = rows[rows["descendant"].isin(used) & (rows["ancestor"] != rows["descendant"])]
            for ancestor, descendant in zip(rows["ancestor"], rows["descendant"], strict=True):
                out.setdefault(str(descendant), []).append(str(ancestor))
        return out

    def name(self, concept: str) -> str | None:
        """A concept in words; None where it is unknown or has no name."""
        entry = self._known.get(concept)
        return entry.name or None if entry else None

    def unit(self, concept: str) -> str | None:
        """The code of a unit (UCUM); None where it is unknown."""
        entry = self._known.get(concept)
        return entry.code if entry else None

    def code(
        self, concept: str, source_concept: str, source: str, kind: str
    ) -> tuple[str, str, str, str, Codes]:
        """system, code, kind, name, and other codes of a row.

        Args:
            concept: id of the standard concept; `0`: none.
            source_concept: id of the source concept.
            source: text of the source code; empty: none.
            kind: of the table.
        """
        text = source.strip()
        known = [self._known[c] for c in (concept, source_concept) if c in self._known]
        own = tuple((OWN, c) for c in (concept, source_concept) if c != "0")
        name = next((c.name for c in known if c.name), "")
        if kind == "visit":
            return "VISIT", concept, kind, name or codes.visit(concept), own
        if known:
            main, *others = known
            return main.system, main.code, kind, name, tuple((c.system, c.code) for c in others) + own
        if text and kind == "condition" and self.guess and (guess := looks_like(text)):
            return guess, text, kind, "", own
        if text:
            return "source", text, kind, text, own
        return OWN, concept, kind, f"OMOP concept {concept}", own

    def with_parents(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table of codes in which `also` holds the ancestors too."""
        if not self._parents:
            return table
        return table.assign(also=table["also"].map(lambda also: (*also, *self._above(also))))

    def _above(self, also: Codes) -> Codes:
        ids = {a for system, code in also if system == OWN for a in self._parents.get(code, ())}
        named = ((self._known[a].system, self._known[a].code) for a in sorted(ids) if a in self._known)
        return (*named, *((OWN, a) for a in sorted(ids)))


_ICD9 = re.compile(r"\d{3}(?:\.?\d{1,2})?|V\d\d(?:\.?\d{1,2})?|E[89]\d\d(?:\.?\d)?")
_ICD10 = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


def looks_like(code: str) -> str | None:
    """ICD9 or ICD10 by the form of a bare code; None for anything else.

    >>> looks_like("3310"), looks_like("F03.90"), looks_like("V5867"), looks_like("26929004")
    ('ICD9', 'ICD10', 'ICD9', None)
    >>> looks_like("E11"), looks_like("E88.81"), looks_like("E885.9")
    ('ICD10', 'ICD10', 'ICD9')
    """
    plain = code.strip().upper()
    return "ICD9" if _ICD9.fullmatch(plain) else "ICD10" if _ICD10.fullmatch(plain) else None
