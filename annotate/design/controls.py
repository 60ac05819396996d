"""Planted items that a careful rater must find fault with. They look like all others and get no verdict."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ...cohort.line import evidence_id
from ...cohort.records import Case
from ...study.seeds import derive
from ...synth.records import Claim, Rationale
from .items import Item, make

Faulty = dict[str, frozenset[int]]
"""Which claims of each item are known to be wrong."""


def other_patient(
    rationales: Sequence[Rationale], cases: Mapping[str, Case], n: int, seed: int
) -> tuple[list[Item], Faulty]:
    """Rationales beside the timeline of somebody else; every claim that cites something is wrong there."""
    rng = np.random.default_rng(derive(seed, "annotate", "other_patient"))
    out: list[Item] = []
    faulty: Faulty = {}
    for r in rationales[:n]:
        others = sorted({x.case for x in rationales} - {r.case})
        if not others:
            break
        shown = cases[others[int(rng.integers(len(others)))]]
        item = make(seed, r, shown, "main", r.claims, "other_patient")
        faulty[item.id] = frozenset(i for i, c in enumerate(r.claims) if c.cites)
        out.append(item)
    return out, faulty


def wrong_value(
    rationales: Sequence[Rationale], cases: Mapping[str, Case], n: int, seed: int
) -> tuple[list[Item], Faulty]:
    """Rationales in which one number, or where there is none one citation, was changed."""
    rng = np.random.default_rng(derive(seed, "annotate", "wrong_value"))
    out: list[Item] = []
    faulty: Faulty = {}
    for r in rationales:
        if len(out) == n:
            break
        if (changed := _corrupted(r.claims, rng)) is None:
            continue
        claims, at = changed
        item = make(seed, r, cases[r.case], "main", claims, "wrong_value")
        faulty[item.id] = frozenset({at})
        out.append(item)
    return out, faulty


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def _corrupted(claims: Sequence[Claim], rng: np.random.Generator) -> tuple[list[Claim], int] | None:
    """The claims with one of them made wrong, and which; None where no claim cites anything."""
    cited = [i for i, c in enumerate(claims) if c.cites]
    if not cited:
        return None
    numbered = [i for i in cited if _NUMBER.search(claims[i].text)]
    at = (numbered or cited)[int(rng.integers(len(numbered or cited)))]
    claim = claims[at]
    if at in numbered:
        found = list(_NUMBER.finditer(claim.text))
        m = found[int(rng.integers(len(found)))]
        digits = len(m[0].partition(".")[2])
        moved = float(m[0]) * (1.5 if rng.random() < 0.5 else 0.6) + 1
        text = f"{claim.text[: m.start()]}{moved:.{digits}f}{claim.text[m.end() :]}"
        new = claim.model_copy(update={"text": text})
    else:
        new = claim.model_copy(update={"cites": (evidence_id(900 + int(rng.integers(100))),)})
    return [*claims[:at], new, *claims[at + 1 :]], at
