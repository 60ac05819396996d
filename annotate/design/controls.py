"""Planted items that a careful rater must find fault with. They look like all others and get no verdict."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...cohort.line import evidence_id
from ...cohort.records import Case
from ...study.seeds import derive
from ...synth.records import Claim, Rationale
from ..settings import Controls
from .items import Item, make

Faulty = dict[str, frozenset[int]]
"""Which claims of each item are known to be wrong."""
Cases = Mapping[str, Case]
Shown = Callable[[Rationale], Sequence[Claim]]
"""The sentences of a rationale that raters see."""


class PlantedItems(NamedTuple):
    """Items of one kind, and where they are wrong."""

    items: list[Item]
    faulty: Faulty


Maker = Callable[[Sequence[Rationale], Cases, int, int, Shown], PlantedItems]


def other_patient(
    rationales: Sequence[Rationale], cases: Cases, n: int, seed: int, shown: Shown
) -> PlantedItems:
    """Rationales beside the timeline of somebody else; every claim that cites something is wrong there."""
    rng = np.random.default_rng(derive(seed, "annotate", "other_patient"))
    out, faulty, met = PlantedItems([], {}), {}, set()
    for r in rationales[:n]:
        own = cases[r.case].subject
        others = sorted({x.case for x in rationales if cases[x.case].subject != own})
        # A timeline that is shown for the first time draws no attention to itself.
        others = [c for c in others if c not in met] or others
        if not others:
            break
        case = cases[others[int(rng.integers(len(others)))]]
        met |= {case.id, r.case}
        item = make(seed, r, case, "main", shown(r), "other_patient")
        faulty[item.id] = frozenset(i for i, c in enumerate(item.claims) if c.cites)
        out.items.append(item)
    return PlantedItems(out.items, faulty)


def wrong_value(
    rationales: Sequence[Rationale], cases: Cases, n: int, seed: int, shown: Shown
) -> PlantedItems:
    """Rationales in which one number, or where there is none one citation, was changed."""
    rng = np.random.default_rng(derive(seed, "annotate", "wrong_value"))
    out: list[Item] = []
    faulty: Faulty = {}
    for r in rationales:
        if len(out) == n:
            break
        if (changed := _corrupted(shown(r), rng)) is None:
            continue
        claims, at = changed
        item = make(seed, r, cases[r.case], "main", claims, "wrong_value")
        faulty[item.id] = frozenset({at})
        out.append(item)
    return PlantedItems(out, faulty)


def still_holds(item: Item, shown: Sequence[Claim], cases: Cases, seed: int, r: Rationale) -> bool:
    """Whether a planted item of an earlier call would be the same now: its rationale and its timeline are."""
    if item.case not in cases:
        return False
    again = make(seed, r, cases[item.case], item.round, item.claims, item.control)
    return again.id == item.id and bool(wrong_in(item, shown))


def wrong_in(item: Item, shown: Sequence[Claim]) -> frozenset[int]:
    """Where a planted item is wrong, beside the sentences as they were; nowhere where these are others by now."""
    if item.control == other_patient.__name__:
        same = tuple(shown) == item.claims
        return frozenset(i for i, c in enumerate(item.claims) if c.cites) if same else frozenset()
    if len(shown) != len(item.claims):
        return frozenset()
    differ = [i for i, (a, b) in enumerate(zip(shown, item.claims, strict=True)) if a != b]
    return frozenset(differ) if len(differ) == 1 else frozenset()


def kinds(controls: Controls) -> Iterator[tuple[str, Maker, int]]:
    """Each kind of planted item by name, and how many are asked for."""
    for make_some in (wrong_value, other_patient):
        yield make_some.__name__, make_some, getattr(controls, make_some.__name__)


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
        numbers = list(_NUMBER.finditer(claim.text))
        m = numbers[int(rng.integers(len(numbers)))]
        digits = len(m[0].partition(".")[2])
        moved = float(m[0]) * (1.5 if rng.random() < 0.5 else 0.6) + 1
        text = f"{claim.text[: m.start()]}{moved:.{digits}f}{claim.text[m.end() :]}"
        new = claim.model_copy(update={"text": text})
    else:
        new = claim.model_copy(update={"cites": (evidence_id(900 + int(rng.integers(100))),)})
    return [*claims[:at], new, *claims[at + 1 :]], at
