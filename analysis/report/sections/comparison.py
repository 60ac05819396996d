"""Every target against the reference: the table that the verdict rests on, and the same by other measures."""

from collections.abc import Sequence
from typing import Any

from ...measures.metrics import METRICS
from ...performance.contrasts import OTHER_FORMAT, OWN_FORMAT, WITHIN, family
from ...performance.formats import label
from ...records import Comparison
from ...words import words
from ..material import Material
from ..section import Section
from ..strips import Axis, axis


def section(m: Material) -> dict[str, Any] | None:
    """Families of comparisons, the question's own first; None where the study has no grid."""
    if not m.tables.cells:
        return None
    compared = m.settings.compared
    main = of_family(m.tables.comparisons, OWN_FORMAT, compared[0])
    others = [of_family(m.tables.comparisons, OWN_FORMAT, metric) for metric in compared[1:]]
    beside = [
        ("Read in other formats", of_family(m.tables.comparisons, OTHER_FORMAT, compared[0])),
        ("Baselines", of_family(m.tables.comparisons, "baselines", compared[0])),
        ("Models made elsewhere", of_family(m.tables.comparisons, "outsides", compared[0])),
        ("What the text before the label changes", of_family(m.tables.comparisons, WITHIN, compared[0])),
    ]
    return {
        "main": main,
        "others": [f for f in others if f["rows"]],
        "beside": [(t, f) for t, f in beside if f["rows"]],
        "noun": "target",
        "intro": _intro(m),
        "paper": any(c.target != m.settings.reference for c in (s.cell for s in m.tables.cells)),
    }


def _intro(m: Material) -> str:
    reference = f"{words(m.settings.reference)} read {label(m.settings.reference_readout)}"
    return (
        f"Each target, read in the format it was taught in, minus {reference}, on the same held-out people with "
        "everything else in the grid alike."
    )


def of_family(comparisons: Sequence[Comparison], name: str, metric: str) -> dict[str, Any]:
    """A family by one metric, with the scale of its column of differences."""
    rows = [c for c in comparisons if c.family == family(name, metric)]
    return {"name": family(name, metric), "measure": METRICS[metric], "rows": rows, "axis": differences(rows)}


def differences(rows: Sequence[Comparison]) -> Axis:
    """The scale of a column of differences, with zero as its rule."""
    values = [v for c in rows for v in (c.low_adjusted, c.high_adjusted, c.difference)]
    return axis(values, 0.0)


SECTION = Section(
    "The comparison", section, "comparison.html.j2", "There is nothing to compare, as the study has no grid."
)
