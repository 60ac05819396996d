"""How far raters agree, and how the grading went."""

from typing import Any

from ....study.seeds import derive
from ..grading import grading
from ..headline import MAIN
from ..material import Material
from ..section import Section
from ..strips import axis


def section(m: Material) -> dict[str, Any] | None:
    """Coefficients and the course of the grading; None where nobody graded and there was nothing to grade."""
    rows = m.tables.agreement
    going = grading(m.run_folder, derive(m.study.seed, "analysis", "calibration"))
    if not rows and going is None and not m.rationales:
        return None
    return {
        "rows": rows,
        "main": [a for a in rows if a.statistic in MAIN],
        "rest": [a for a in rows if a.statistic not in MAIN],
        "grading": going,
        "axis": axis([v for a in rows for v in (a.low, a.high, 1.0)], 0.0),
        "programs": any(a.simulated for a in rows),
        "people": not rows or not all(a.simulated for a in rows),
    }


SECTION = Section("Agreement", section, "agreement.html.j2")
