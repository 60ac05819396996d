"""What a study asks, in words, from `[cohort]` alone: every prompt, page and report takes it from here."""

from pydantic import ValidationError

from ..study.config import Study
from ..study.errors import StudyError
from ..study.records import Record, first_fault
from .events import YEAR
from .phenotype import code_set
from .settings import Settings

_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


class Question(Record):
    """What is predicted, and how it is asked."""

    outcome: str
    """As it reads in a sentence: `Alzheimer's disease or a related dementia`."""
    horizon: str
    """`five years`"""
    text: str
    """As every model and rater is asked: `Will dementia be diagnosed within five years?`"""
    teacher: str
    """As a teacher is asked, who is told when: `will ... be recorded within five years of the prediction time?`"""


def question(study: Study) -> Question:
    """What a study asks.

    The study's own `outcome` and `question` come first, then what the code set calls the disease.

    Raises:
        StudyError: a wrong key or value in `[cohort]`, or no such code set.
    """
    try:  # where the records come from plays no part
        s = Settings.model_validate({"source": {"name": "none"}, **study.cohort})
    except ValidationError as e:
        raise StudyError(f"cohort.{first_fault(e, Settings)}") from e
    codes = code_set(s.phenotype.codes, study.path(s.phenotype.codes))
    horizon = duration(s.horizon_years)
    short = s.outcome or codes.short or codes.name
    outcome = s.outcome or codes.outcome or codes.name
    return Question(
        outcome=outcome,
        horizon=horizon,
        text=s.question or f"Will {short} be diagnosed within {horizon}?",
        teacher=s.question or f"will {outcome} be recorded within {horizon} of the prediction time?",
    )


def duration(years: float) -> str:
    """Years in words, in the unit in which they are whole.

    >>> [duration(y) for y in (5, 1, 0.5, 2.5, 15, 30 / 365.25)]
    ['five years', 'one year', 'six months', '2.5 years', '15 years', '30 days']
    """
    months, days = years * 12, years * YEAR
    if years == int(years):
        return _counted(int(years), "year")
    if years < 2 and abs(months - round(months)) < 1e-6:
        return _counted(round(months), "month")
    if years < 1 and abs(days - round(days)) < 0.05:
        return _counted(round(days), "day")
    return f"{years:g} years"


def _counted(n: int, unit: str) -> str:
    return f"{_NUMBERS[n] if n < len(_NUMBERS) else n} {unit}{'' if n == 1 else 's'}"
