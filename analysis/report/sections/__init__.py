"""The sections of a report, in the order of the page: each makes of the material what its template shows."""

from ....study.parts import Catalogue
from ..section import Section
from . import (
    agreement,
    calibration,
    checklists,
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

_SECTIONS: dict[str, Section] = {
    "comparison": comparison.SECTION,
    "people": people.SECTION,
    "models": models.SECTION,
    "calibration": calibration.SECTION,
    "subgroups": subgroups.SECTION,
    "grid": grid.SECTION,
    "reasons": reasons.SECTION,
    "agreement": agreement.SECTION,
    "mechanism": mechanism.SECTION,
    "sample_size": sample_size.SECTION,
    "methods": methods.SECTION,
    "missing": missing.SECTION,
    "checklists": checklists.SECTION,
    "provenance": provenance.SECTION,
}

SECTIONS = Catalogue("wherefore.sections", "report section", Section, _SECTIONS)
"""By the name that is also the section's address on the page; other packages add to it by entry points."""
