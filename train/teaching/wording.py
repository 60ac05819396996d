"""Rationales in other words or another order. What is drawn hangs on the case's id alone, so it never changes."""

from typing import overload

import numpy as np

from ...cohort.line import lines
from ...study.seeds import derive
from ...synth.records import Rationale

SIDES = ("For", "Against")
"""Sections of a rationale that argues both sides: `for_and_against` in `synth/styles.py`."""


def draws(case: str, what: str) -> np.random.Generator:
    """Random numbers of a case for one purpose."""
    return np.random.default_rng(derive(0, "train", what, case))


@overload
def side_first(rationale: Rationale, side: str) -> Rationale: ...
@overload
def side_first(rationale: Rationale | None, side: str) -> Rationale | None: ...
def side_first(rationale: Rationale | None, side: str) -> Rationale | None:
    """The rationale with one side at the front; what belongs to no side (the weighing) stays at the end.

    A rationale without such sections stays as it is.
    """
    if rationale is None:
        return None
    place = {name: (name != side) for name in SIDES}
    claims = sorted(rationale.claims, key=lambda c: place.get(c.section, 2))
    return rationale.model_copy(update={"claims": tuple(claims)})


def shuffled(text: str, case: str) -> str:
    """The words of a text in a random order, the same for every tokenizer.

    >>> sorted(shuffled("There was a stroke. [E001]", "c1").split())
    ['There', '[E001]', 'a', 'stroke.', 'was']
    """
    words = text.split()
    return " ".join(words[int(i)] for i in draws(case, "shuffle").permutation(len(words)))


def cited_names(rationale: Rationale, timeline: str) -> str:
    """The findings that a rationale cites, each once, in the order of its citations: `Stroke; Hypertension`."""
    names = {line.id: line.what for line in lines(timeline)}
    cited = dict.fromkeys(names[i] for claim in rationale.claims for i in claim.cites if i in names)
    return "; ".join(cited)


def without_beginning(text: str, share: float) -> str:
    """A text without the first share of its words.

    >>> without_beginning("There was a stroke.", 0.5)
    'a stroke.'
    """
    words = text.split(" ")
    return " ".join(words[round(share * len(words)) :])
