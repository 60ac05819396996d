"""One line of a timeline: how it is written, and how it is read back.

Models, teachers, raters and the grounding check all read these lines, so `parse` stands beside the function that
writes them, and nobody else takes a line or a citation apart. The same goes for evidence ids.
"""

import re
from typing import NamedTuple

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
    """What a line states: an event, and what became of it where it was recorded several times.

    Every finding stands beside the age at which it was made.
    """

    id: str
    what: str
    """Name, with what was found at the first event: `Creatinine 1.2 mg/dL`, `Blood culture: Not detected`."""
    age: float | None = None
    """Years, at the first event; None where it has no date."""
    since: float | None = None
    """Years from the first event to the prediction time."""
    times: int = 1
    between: tuple[tuple[str, float], ...] = ()
    """Findings between the first event and the last, with the age of each."""
    last: str = ""
    """What was found at the last event; empty: nothing, or there is one event."""
    last_age: float | None = None
    ago: float | None = None
    """Years from the last event to the prediction time, where there are several."""

    def __str__(self) -> str:
        """The line as everybody reads it; `parse` is its inverse.

        >>> str(Line("E007", "Hypertension", 66.4, 3.6, 3, (), "", 69.8, 0.2))
        '[E007] age 66.4 (3.6 y before): Hypertension; 3 times, last at 69.8 (0.2 y before)'
        >>> str(Line("E012", "MMSE 30", 63.0, 7.0, 5, (("28", 65.1),), "19 (low)", 69.8, 0.2))
        '[E012] age 63.0 (7.0 y before): MMSE 30; 5 times, 28 at 65.1, last 19 (low) at 69.8 (0.2 y before)'
        >>> str(Line("E001", "Sex: female"))
        '[E001] Sex: female'
        """
        return written(*self)

    @property
    def said(self) -> str:
        """The line without its id and first date."""
        return _said(self.what, self.times, self.between, self.last, self.last_age, self.ago)


def written(
    id: str,
    what: str,
    age: float | None = None,
    since: float | None = None,
    times: int = 1,
    between: tuple[tuple[str, float], ...] = (),
    last: str = "",
    last_age: float | None = None,
    ago: float | None = None,
) -> str:
    """The text of a `Line` with these fields; for the millions of a cohort, none of which need be an object."""
    text = what if times == 1 else _said(what, times, between, last, last_age, ago)
    return f"[{id}] {text}" if age is None else f"[{id}] age {age:.1f} ({since:.1f} y before): {text}"


def _said(
    what: str,
    times: int,
    between: tuple[tuple[str, float], ...],
    last: str,
    last_age: float | None,
    ago: float | None,
) -> str:
    if times == 1:
        return what
    course = "".join([f", {finding} at {age:.1f}" for finding, age in between]) if between else ""
    if last_age is None:
        return f"{what}; {times} times{course}"
    space = " " if last else ""
    return f"{what}; {times} times{course}, last {last}{space}at {last_age:.1f} ({ago:.1f} y before)"


_NUMBER = r"-?\d+\.\d"
_LINE = re.compile(
    rf"\[(?P<id>{EVIDENCE_ID})\] (?:age (?P<age>{_NUMBER}) \((?P<since>{_NUMBER}) y before\): )?(?P<what>.*?)"
    rf"(?:; (?P<times>\d+) times(?P<between>(?:, [^;]+? at {_NUMBER})*?)"
    rf"(?:, last (?:(?P<last>.+?) )?at (?P<last_age>{_NUMBER}) \((?P<ago>{_NUMBER}) y before\))?)?"
)
_BETWEEN = re.compile(rf", (.+?) at ({_NUMBER})(?=, |$)")


def parse(text: str) -> Line | None:
    """The line that a text is; None where it is a heading or anything else.

    >>> parse("[E007] age 66.4 (3.6 y before): Hypertension; 3 times, last at 69.8 (0.2 y before)")[4:]
    (3, (), '', 69.8, 0.2)
    >>> parse("[E012] age 63.0 (7.0 y before): MMSE 30; 5 times, 28 at 65.1, last 19 at 69.8 (0.2 y before)").between
    (('28', 65.1),)
    >>> parse("Drugs:") is None
    True
    """
    m = _LINE.fullmatch(text)
    if m is None:
        return None
    age, since, last_age, ago = (float(m[k]) if m[k] else None for k in ("age", "since", "last_age", "ago"))
    between = tuple((finding, float(at)) for finding, at in _BETWEEN.findall(m["between"] or ""))
    return Line(m["id"], m["what"], age, since, int(m["times"] or 1), between, m["last"] or "", last_age, ago)


def lines(timeline: str) -> list[Line]:
    """All lines of a timeline; headings and the note of what is not shown are left out."""
    return [line for text in timeline.splitlines() if (line := parse(text)) is not None]
