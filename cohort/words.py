"""Numbers and words as a line of a timeline holds them: short, on one line, without false precision."""

import re
from math import floor, log10

LONGEST_NAME, LONGEST_FINDING = 120, 80
"""Characters of a name, and of a finding in words, that stand in a line."""
DIGITS = 4
"""Significant digits of a number that is not whole."""


def number(value: float) -> str:
    """A number as a clinician writes it: whole numbers whole, others with four significant digits.

    >>> number(1500000.0), number(98.5999985), number(174.66123), number(0.00012345), number(7.0)
    ('1500000', '98.6', '174.7', '0.0001234', '7')
    """
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    places = DIGITS - 1 - floor(log10(abs(value)))
    if places > 9 or abs(value) >= 1e15:
        return f"{value:.{DIGITS}g}"
    text = f"{value:.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str, longest: int) -> str:
    """A text on one line, cut between words where it is longer than allowed.

    >>> one_line("Seen in clinic;\\n  stable,  no  change", 22)
    'Seen in clinic; …'
    """
    flat = _BLANK.sub(" ", text).strip()
    if len(flat) <= longest:
        return flat
    head = flat[: longest - 1]
    cut = head.rfind(" ")
    return f"{head[:cut]} …" if cut > longest // 2 else f"{head}…"


_TAG = re.compile(
    r" \((?:disorder|finding|procedure|situation|observable entity|regime/therapy|morphologic abnormality|event"
    r"|person|qualifier value|body structure|substance|product|medicinal product|clinical drug|physical object"
    r"|organism|record artifact|social concept|assessment scale|specimen|tumou?r staging|navigational concept"
    r"|occupation|environment|physical force|attribute|context-dependent category|cell structure|cell)\)$"
)
"""SNOMED CT's semantic tag, which the fully specified name ends with."""


def tagless(text: str) -> str:
    """A name without SNOMED CT's semantic tag."""
    return _TAG.sub("", text.strip())
