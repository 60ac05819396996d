"""How many people the study has against how many it needs, by calculation."""

from typing import Any

from ..material import ReportNumbers
from ..section import Section


def section(m: ReportNumbers) -> dict[str, Any] | None:
    """The criteria; None where nothing could be calculated."""
    return {"rows": m.tables.sample_size} if m.tables.sample_size else None


SECTION = Section("Sample size", section, "sample_size.html.j2")
