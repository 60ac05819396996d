"""What a model wrote as running text, cut into claims again: the way back from `Rationale.text`."""

import re

from ..records import Claim
from .citations import cited

SENTENCE = re.compile(r"(?<=[.!?\]])\s+(?!\[)")
"""Between two sentences; a citation belongs to the one before it."""
_HEADING = re.compile(r"[A-Z][^.:\[\]\d]{0,60}:\s+")
"""Of a section, at the start of a line."""


def claims_in(text: str) -> list[Claim]:
    """Every whole sentence as a claim with its citations; a sentence that was cut off states nothing.

    >>> [(c.text, c.cites) for c in claims_in("For: Stroke at 66.4. [E001, E002] Risk is high. It was")]
    [('Stroke at 66.4.', ('E001', 'E002')), ('Risk is high.', ())]
    """
    out = []
    for line in text.splitlines():
        for sentence in SENTENCE.split(_HEADING.sub("", line.strip(), count=1)):
            statement, ids = cited(sentence)
            if statement and sentence.rstrip()[-1:] in ".!?]":
                out.append(Claim(text=statement, cites=tuple(ids)))
    return out
