"""Published risk scores, as baselines and as a check of coding.

UKBDRS: Anaturk et al. 2023, BMJ Mental Health e300719; coefficients of the Fine-Gray models from the authors' own
tables (github.com/MelisAnaturk/dementia_risk_score, Apache-2.0), for ages 50 to 73.
"""

from math import exp

from pydantic import Field

from ..study.records import Record


class UKBDRS(Record):
    """What the score asks about one person."""

    age: float = Field(ge=50, le=73)
    """Years; the score was made for 50 to 73."""
    male: bool
    education: float = Field(ge=0, le=30)
    """Years."""
    parental_dementia: bool = False
    diabetes: bool = False
    deprivation_top_quintile: bool = False
    depression: bool = False
    stroke_tia: bool = False
    hypertension: bool = False
    high_cholesterol: bool = False
    lives_alone: bool = False
    apoe4_carrier: bool | None = None
    """None: not known, and the model without APOE is used."""


_WITHOUT = {
    "age": 0.178,
    "education": -0.041,
    "parental_dementia": 0.431,
    "diabetes": 0.536,
    "deprivation_top_quintile": 0.228,
    "depression": 0.556,
    "stroke_tia": 0.655,
    "hypertension": 0.159,
    "high_cholesterol": 0.104,
    "lives_alone": 0.141,
    "male": 0.169,
}
_WITH = {
    "age": 0.185,
    "education": -0.038,
    "parental_dementia": 0.311,
    "diabetes": 0.526,
    "deprivation_top_quintile": 0.247,
    "depression": 0.567,
    "stroke_tia": 0.643,
    "hypertension": 0.190,
    "high_cholesterol": 0.027,
    "lives_alone": 0.137,
    "male": 0.164,
    "apoe4_carrier": 1.129,
}
_CENTRE = {"age": 59.97, "education": 13.54}
_SURVIVAL = {False: 0.9916195, True: 0.9945524}
"""Of fourteen years at the centre, without and with APOE."""


def ukbdrs(person: UKBDRS) -> float:
    """Risk of dementia within fourteen years, in [0, 1].

    Coefficients are rounded to three decimals, as in the authors' calculator.

    >>> woman = UKBDRS(age=60, male=False, education=14, diabetes=True, depression=True, hypertension=True)
    >>> round(100 * ukbdrs(woman), 8)
    2.85918952
    """
    known = person.apoe4_carrier is not None
    betas = _WITH if known else _WITHOUT
    lp = sum(b * (float(getattr(person, name)) - _CENTRE.get(name, 0.0)) for name, b in betas.items())
    return float(1 - _SURVIVAL[known] ** exp(lp))
