"""Published risk scores as baselines, for the people whose record holds what they ask."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..cohort.records import Case
from ..cohort.risk_scores import UKBDRS
from ..cohort.risk_scores import ukbdrs as score
from ..synth.grounding.lexicon import finding_of

if TYPE_CHECKING:
    import pandas as pd

AGES = (50.0, 73.0)
"""For which UKBDRS was made."""
ASKED = {
    "diabetes": "diabetes",
    "depression": "depression",
    "stroke": "stroke_tia",
    "hypertension": "hypertension",
    "high cholesterol": "high_cholesterol",
    "living alone": "lives_alone",
    "deprivation": "deprivation_top_quintile",
}
"""Finding in a history -> what the score asks."""


def ukbdrs(cases: Sequence[Case], evidence: "pd.DataFrame") -> list[float | None]:
    """UKBDRS without APOE (Anaturk et al. 2023) from the lines that are shown: a risk over fourteen years, not the
    study's horizon, so its ranking can be compared and its calibration cannot.

    None for whom it was not made or cannot be computed: outside 50 to 73, sex or years of education not recorded. A
    finding that is not recorded counts as absent, as in the authors' own data.
    """
    shown = evidence[evidence["shown"] & evidence["case"].isin([c.id for c in cases])]
    lines: dict[str, list[tuple[str, str, float]]] = {}
    for case, name, code, value in zip(
        shown["case"], shown["name"], shown["code"], shown["value"].astype(float), strict=True
    ):
        lines.setdefault(case, []).append((str(name), str(code), value))
    return [_risk(c, lines.get(c.id, [])) for c in cases]


def _risk(case: Case, lines: Sequence[tuple[str, str, float]]) -> float | None:
    years = [value for name, _, value in lines if "education" in name.lower() and 0 <= value <= 30]
    if not AGES[0] <= case.age <= AGES[1] or case.sex is None or not years:
        return None
    risk_factors = {ASKED[f]: True for name, code, _ in lines if (f := finding_of(name, code)) in ASKED}
    parent = any(_parent(name) for name, _, _ in lines)
    person = UKBDRS(
        age=case.age, male=case.sex == "male", education=years[-1], parental_dementia=parent, **risk_factors
    )
    return score(person)


def _parent(name: str) -> bool:
    """Whether a line tells of dementia in a parent or in the family."""
    words = name.lower()
    kin = any(word in words for word in ("family history", "parent", "mother", "father"))
    return kin and any(word in words for word in ("dementia", "alzheimer"))
