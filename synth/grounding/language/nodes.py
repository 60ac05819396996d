"""What sentences and lines name: conditions, drugs, measurements, kinds of illness, and what is a kind of what.

Codes carry the order. A node covers all codes that begin with one of its own, and is a kind of another when that one
covers all of its codes: cerebral infarction (I63) of stroke (I60 to I64), ramipril (C09AA05) of the ACE inhibitors.
"""

import re
from functools import cached_property
from typing import Literal

NodeKind = Literal["condition", "category", "drug", "drug class", "measurement"]


class Node:
    """One of them.

    Args:
        name: unique within its kind.
        kind: which table it stands in.
        codes: beginnings of codes, without dots: ICD-10, ATC or LOINC.
        also: of a category, codes of which one may argue whether they belong.
    """

    def __init__(
        self, name: str, kind: NodeKind, codes: frozenset[str], also: frozenset[str] = frozenset()
    ) -> None:
        self.name, self.kind, self.codes, self.also = name, kind, codes, also
        self.is_a: set[str] = set()
        """Names of nodes of which it is a kind, where codes do not show it."""
        self.tells_of: tuple[str, ...] = ()
        """Of a measurement: conditions by whose name its values may be told."""
        self.given_for: tuple[str, ...] = ()
        """Of a class of drugs: conditions."""
        self.units: tuple[str, ...] = ()
        self.better = ""
        """Of a measurement: `low` or `high`."""

    def __repr__(self) -> str:
        return f"{self.kind} {self.name}"

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Of its codes, each once."""
        return tuple(sorted({len(c) for c in self.codes}))

    def covers(self, code: str) -> bool:
        """Whether a code begins with one of its own."""
        return any(code[:n] in self.codes for n in self.lengths)

    @property
    def system(self) -> str:
        """Of its codes: N06 is a disease of the kidney in ICD-10 and an antidepressant in ATC."""
        return {"drug": "ATC", "drug class": "ATC", "measurement": "LOINC"}.get(self.kind, "ICD")

    def kind_of(self, other: "Node") -> bool:
        """Whether it is a kind of another node, or that node itself."""
        if self is other or other.name in self.is_a:
            return True
        if self.system != other.system:
            return False
        return bool(self.codes) and bool(other.codes) and all(map(other.covers, self.codes))


_RANGE = re.compile(r"([A-Z])(\d\d)-([A-Z])(\d\d)")


def expanded(cell: str) -> frozenset[str]:
    """Codes of a cell, ranges spelled out.

    >>> sorted(expanded("I08-I10,G4733"))
    ['G4733', 'I08', 'I09', 'I10']
    """
    out: set[str] = set()
    for part in (p.strip().replace(".", "") for p in cell.split(",") if p.strip()):
        m = _RANGE.fullmatch(part)
        if m is None:
            out.add(part)
            continue
        first, last = (ord(m[1]) - 65) * 100 + int(m[2]), (ord(m[3]) - 65) * 100 + int(m[4])
        out |= {f"{chr(65 + n // 100)}{n % 100:02d}" for n in range(first, last + 1)}
    return frozenset(out)
