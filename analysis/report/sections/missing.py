"""What is missing or failed, and what the study cannot say."""

from collections import Counter
from typing import Any

from ...cells import arm
from ..material import Material
from ..notices import limitations
from ..section import Section


def section(m: Material) -> dict[str, Any]:
    """What is not there, by reason and count."""
    names = {s.cell.id: arm(s.cell) for s in m.tables.cells}
    missing: Counter[tuple[str, str, str]] = Counter()
    if m.tables.evaluation is not None:
        for key, reasons in m.tables.evaluation.scores.missing.items():
            for reason, n in reasons.items():
                missing[names.get(key.cell, key.cell), key.readout, reason] += n
    return {
        "cells": m.tables.cells,
        "states": Counter(s.state for s in m.tables.cells),
        "missing": missing,
        "refusals": Counter(r.reason for r in m.refusals),
        "rationales": len(m.rationales),
        "held": m.tables.evaluation.held if m.tables.evaluation else None,
        "agreement": m.tables.agreement,
        "limits": limitations(m),
    }


SECTION = Section("Missing and limits", section, "missing.html.j2")
