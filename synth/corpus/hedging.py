"""How often a teacher voices doubt: the share of claims that hold a cue of uncertainty.

The cues are those of speculation in the BioScope corpus (Vincze et al. 2008) and of epistemic hedges in Hyland (2005)
that a sentence about a risk can hold. Words of frequency and degree (`often`, `somewhat`) voice no doubt and are left
out. A cue counts where it stands; what is doubted is not read.
"""

import re
from collections import Counter
from collections.abc import Iterable

from ...study.records import Record
from ..records import Rationale

_CUES = (
    r"may(?! \d)|maybe|might|could|perhaps|possib(?:le|ly|ilit(?:y|ies))|probab(?:le|ly)|(?:un)?likely|likelihood",
    r"plausibl[ey]|presum(?:e[ds]?|ably)|apparent(?:ly)?|seem(?:s|ed|ingly)?|appear(?:s|ed)? to",
    r"suggest(?:s|ed|ive|ing)?|suspect(?:s|ed)?|suspicio(?:n|us)|hypothes(?:is|es|i[sz]ed?)|speculat(?:e|es|ive)",
    r"uncertain(?:ty|ties)?|unclear|inconclusive|equivocal|ambiguous|doubt(?:s|ed|ful)?|questionable",
    r"not (?:\w+ )?(?:certain|clear|sure|conclusive|definit(?:e|ive))|potential(?:ly)?|tentative(?:ly)?",
    r"can(?:no|')t (?:be )?(?:exclude|excluded|rule out|ruled out|certain|sure|tell)",
    r"(?:hard|difficult) to (?:say|tell|judge)|(?:open|question) whether|whether or not|conceivabl[ey]|arguabl[ey]",
    r"(?:consistent|compatible) with|neither way|limited evidence|(?:some|low|limited|any) (?:certainty|confidence)",
)
_CUE = re.compile(rf"\b(?:{'|'.join(_CUES)})\b", re.IGNORECASE)
_CERTAIN = re.compile(
    r"\b(?:no|without|beyond|little) (?:a |any |reasonable )*(?:doubt|uncertainty)\b", re.IGNORECASE
)
"""What looks like a cue and says the opposite."""


def hedged(sentence: str) -> bool:
    """Whether a sentence voices doubt.

    >>> [hedged(s) for s in ("The stroke may add to the risk.", "Stroke in May 2012.", "There is no doubt about it.")]
    [True, False, False]
    """
    return _CUE.search(_CERTAIN.sub(" ", sentence)) is not None


class Hedging(Record):
    """How many claims of a style voice doubt, by the outcome of the case."""

    style: str
    label: int
    claims: int
    hedged: int


class Hedges:
    """Counts claims by style and outcome."""

    def __init__(self) -> None:
        self._claims, self._hedged = Counter[tuple[str, int]](), Counter[tuple[str, int]]()

    def add(self, rationale: Rationale, label: int) -> None:
        """Count the claims of a rationale."""
        group = rationale.style, label
        self._claims[group] += len(rationale.claims)
        self._hedged[group] += sum(hedged(c.text) for c in rationale.claims)

    def rows(self, styles: Iterable[str]) -> list[Hedging]:
        """One row a style and outcome."""
        groups = [(style, label) for style in styles for label in (1, 0) if self._claims[style, label]]
        return [
            Hedging(style=s, label=y, claims=self._claims[s, y], hedged=self._hedged[s, y]) for s, y in groups
        ]
