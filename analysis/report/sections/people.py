"""Who is in the study: the split, the flow, and a baseline table by split and outcome."""

from typing import Any

from ....study import layout
from ....study.files import text
from ..material import Material
from ..rows import address
from ..section import Section
from ..table_one import table_one


def section(m: Material) -> dict[str, Any]:
    """The split, the flow and Table 1."""
    picture = text(layout.FLOW_PICTURE.at(m.run_folder))
    return {
        "split": [
            _split(m, name) for name in ("train", "tuning", "held_out") if (m.cases["split"] == name).any()
        ],
        "flow": [
            r for r in m.csv(layout.FLOW) if r.get("people") not in ("0", None) or r.get("step") == "source"
        ],
        "picture": address(picture.encode(), "image/svg+xml") if picture else None,
        "table": table_one(m),
    }


def _split(m: Material, name: str) -> dict[str, Any]:
    part = m.cases[m.cases["split"] == name]
    return {
        "split": name,
        "people": part["subject"].nunique(),
        "cases": len(part),
        "events": int((part["label"] == 1).sum()),
        "censored": int(part["label"].isna().sum()),
        "followup": part["followup_years"].median(),
        "age": part["age"].median(),
        "lines": part["n_shown"].median(),
    }


SECTION = Section("People", section, "people.html.j2")
