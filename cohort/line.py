"""One line of a timeline: how it is written, and how it is read back.

Models, teachers, raters and the grounding check all read these lines, so `parse` stands beside the function that
writes them, and nobody else takes a line or a citation apart. The same goes for evidence ids.
"""

import re
from typing import NamedTuple

from .units import flag_of

EVIDENCE_ID = r"E\d{3,}"
"""Pattern of an evidence id; `evidence_id` writes it."""
CITATION = rf"\[{EVIDENCE_ID}(?:\s*,\s*{EVIDENCE_ID})*\]"
"""Pattern of a citation behind a sentence: `[E007]`, `[E007, E012]`."""

_IDS = re.compile(rf"\b{EVIDENCE_ID}\b")


def evidence_id(number: int) -> str:
    """The id of the line with this number.

    >>> evidence_id(7), evidence_id(1234)
    ('E007', 'E1234')
    """
    return f"E{number:03d}"


def evidence_ids(text: str) -> list[str]:
    """Every evidence id in a text, in its order.

    >>> evidence_ids("Stroke [E007, E012]. BRE001 is none.")
    ['E007', 'E012']
    """
    return _IDS.findall(text)


class Line(NamedTuple):
    """What a line states."""

    id: str
    what: str
    """Name, with value, unit and flag where it has them."""
    age: float | None = None
    """Years, at the first event; None where it has no date."""
    since: float | None = None
    """Years from the first event to the prediction time."""
    times: int = 1
    ago: float | None = None
    """Years from the last event to the prediction time, where there are several."""

    def __str__(self) -> str:
        """The line as everybody reads it; `parse` is its inverse.

        >>> str(Line("E007", "Hypertension", 66.4, 3.6, 3, 0.2))
        '[E007] age 66.4 (3.6 y before): Hypertension; 3 times, last 0.2 y before'
        >>> str(Line("E001", "Sex: female"))
        '[E001] Sex: female'
        """
        when = "" if self.age is None else f"age {self.age:.1f} ({self.since:.1f} y before): "
        return f"[{self.id}] {when}{self.said}"

    @property
    def said(self) -> str:
        """The line without its id and date."""
        repeats = f"; {self.times} times, last {self.ago:.1f} y before" if self.times > 1 else ""
        return f"{self.what}{repeats}"


_LINE = re.compile(
    rf"\[(?P<id>{EVIDENCE_ID})\] (?:age (?P<age>-?[\d.]+) \((?P<since>-?[\d.]+) y before\): )?(?P<what>.*?)"
    r"(?:; (?P<count>\d+) times, last (?P<ago>-?[\d.]+) y before)?"
)


def parse(text: str) -> Line | None:
    """The line that a text is; None where it is a heading or anything else.

    >>> parse("[E007] age 66.4 (3.6 y before): Hypertension; 3 times, last 0.2 y before")
    Line(id='E007', what='Hypertension', age=66.4, since=3.6, times=3, ago=0.2)
    >>> parse("Drugs:") is None
    True
    """
    m = _LINE.fullmatch(text)
    if m is None:
        return None
    age, since, ago = (float(m[k]) if m[k] else None for k in ("age", "since", "ago"))
    return Line(m["id"], m["what"], age, since, int(m["count"] or 1), ago)


def lines(timeline: str) -> list[Line]:
    """All lines of a timeline, headings left out."""
    return [line for text in timeline.splitlines() if (line := parse(text)) is not None]


def stated(name: str, value: float, unit: str | None, code: str) -> str:
    """A name with its value (NaN where there is none), its unit, and its flag, which the code decides.

    >>> stated("Systolic blood pressure", 152.0, "mm[Hg]", "8480-6")
    'Systolic blood pressure 152 mm[Hg] (high)'
    """
    if value != value:
        return name
    flag = flag_of(code, value)
    return f"{name} {value:g}" + (f" {unit}" if unit else "") + (f" ({flag})" if flag else "")
