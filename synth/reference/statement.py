"""A sentence of the reference teacher before it is written."""

from dataclasses import dataclass, field
from typing import Any

from ...cohort.records import Evidence
from ..records import Kind


@dataclass(slots=True)
class Statement:
    """A sentence before it is written: its words, the evidence it tells, and what it cites."""

    words: str
    evidence: list[Evidence]
    cites: list[str]
    section: str = ""
    kind: Kind = "finding"
    values: dict[str, Any] = field(default_factory=dict)
    planted: str | None = None

    def as_claim(self) -> dict[str, Any]:
        """The claim as a teacher would write it into its answer."""
        text = self.words.format(**self.values)
        return {
            "section": self.section,
            "kind": self.kind,
            "text": text[0].upper() + text[1:],
            "evidence": self.cites,
        }
