"""A rationale as a rater corrected it becomes claims again, so that it can be taught in the place of the first."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from ...cohort.line import CITATION, evidence_ids
from ...synth.records import Claim
from ..records import Verdict

_SENTENCE = re.compile(rf"\s*(\S.*?(?:[.!?]|$))\s*((?:{CITATION})?)(?=\s|$)")
_STOP_BEHIND = re.compile(rf"(\s*{CITATION})([.!?])")


def read(
    verdict: Verdict, original: Sequence[Claim], known: Iterable[str], left_out: Sequence[Claim] = ()
) -> Verdict:
    """The verdict with the claims of its corrected text; undecided where that cites what is not in the timeline.

    Args:
        verdict: with or without a correction.
        original: claims as the teacher wrote them.
        known: ids of the lines that raters saw.
        left_out: sentences that raters did not see; they stand behind the corrected ones.
    """
    if verdict.edited is None:
        return verdict
    corrected = claims(verdict.edited, original)
    if strange := sorted({e for c in corrected for e in c.cites} - set(known)):
        why = f"the correction cites {strange[0]}, which is not a line of the timeline"
        return verdict.model_copy(update={"state": "needs_adjudication", "why": why})
    return verdict.model_copy(update={"claims": (*corrected, *left_out)})


def claims(text: str, original: Sequence[Claim]) -> tuple[Claim, ...]:
    """Sentences with the citations behind them; each in the section of the sentence that it is most like.

    >>> found = claims("Stroke at 66.4 [E003]. No drugs. [E001, E002] Risk is high", [Claim(text="Stroke at 64.")])
    >>> [(c.text, c.cites) for c in found[1:]]
    [('No drugs.', ('E001', 'E002')), ('Risk is high', ())]
    """
    # Some put the full stop behind the citation; here it stands before.
    text = _STOP_BEHIND.sub(r"\2\1", " ".join(text.split()))
    out: list[Claim] = []
    at = 0
    for sentence, ids in _SENTENCE.findall(text):
        nearest = max(range(at, len(original)), key=lambda n: _like(sentence, original[n].text))
        if _like(sentence, original[nearest].text) > SAME:
            at = nearest
        cites = tuple(dict.fromkeys(evidence_ids(ids)))
        out.append(Claim(text=sentence, cites=cites, section=original[at].section))
    return tuple(out)


SAME = 0.6
"""Share of letters in common above which two sentences are taken for the same."""


def _like(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
