"""The sections of a report: each makes of the material what its template shows, or None where it has nothing."""

from . import (
    agreement,
    calibration,
    comparison,
    grid,
    mechanism,
    methods,
    missing,
    models,
    people,
    provenance,
    reasons,
    sample_size,
    subgroups,
)

__all__ = [
    "agreement",
    "calibration",
    "comparison",
    "grid",
    "mechanism",
    "methods",
    "missing",
    "models",
    "people",
    "provenance",
    "reasons",
    "sample_size",
    "subgroups",
]
