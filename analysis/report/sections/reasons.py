"""What the teacher wrote, whether it is true, and one person as an example."""

from typing import Any

from ....study import layout
from ..example import example, why_not
from ..material import Material
from ..section import Section
from ..task import prompt_texts


def section(m: Material) -> dict[str, Any] | None:
    """The grounding check, the example, the prompts; None where there is no rationale."""
    if not m.rationales:
        return None
    hidden = why_not(m.study, m.settings)
    return {
        "teachers": sorted({r.teacher for r in m.rationales}),
        "n": len(m.rationales),
        "label_shown": any(r.label_shown for r in m.rationales),
        "grounding": m.tables.grounding,
        "readable": m.json(layout.CARD).get("readability", []),
        "prompts": prompt_texts(m),
        "example": None if hidden else example(m),
        "hidden": hidden,
        "programs": any(a.simulated for a in m.tables.agreement),
    }


SECTION = Section("Reasons", section, "reasons.html.j2", absent="This study has no rationales.")
