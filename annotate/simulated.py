"""Raters that are programs, with stated severity, noise, drift and accuracy; for planning, tests and the demo.

The model. On a nominal scale a rater gives the right answer with chance `accuracy`, otherwise one of the others with
equal chance. On an ordinal scale with categories 0..K-1 an item has a true place t: K-1 times the share of its claims
without a fault, plus a deviation N(0, spread) that all raters see. A rater writes down

    round(t - severity - drift * position - noise * e),  e ~ N(0, 1), position in [0, 1],

cut to 0..K-1. Scales whose first category is good run the other way.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..study.seeds import derive
from .design.items import Item
from .graded import GradedForm, Mark
from .records import Dimension, Rubric, Task
from .settings import SimulatedRater

Faulty = Mapping[str, frozenset[int]]
"""Which claims of each item are faulty, as grounding or a planted control says."""


def answers(
    rater: SimulatedRater,
    tasks: Iterable[Task],
    items: Mapping[str, Item],
    faulty: Faulty,
    rubric: Rubric,
    spread: float,
    seed: int,
) -> list[GradedForm]:
    """One rater's answers to her tasks, in her order."""
    own_tasks = sorted((t for t in tasks if t.rater == rater.name), key=lambda t: t.order)
    rng = np.random.default_rng(
        derive(seed, "annotate", "simulated", rater.name, own_tasks[0].round if own_tasks else "")
    )
    out = []
    for i, task in enumerate(own_tasks):
        position = i / max(len(own_tasks) - 1, 1)
        skipped = bool(rng.random() < rater.skips)
        truth = Truth(items[task.item], faulty.get(task.item, frozenset()), spread, seed)
        out.append(
            GradedForm(
                item=task.item,
                rater=rater.name,
                round=task.round,
                marks=() if skipped else tuple(_marks(rater, truth, rubric, position, rng)),
                seconds=round(float(rater.seconds * np.exp(rng.normal(0, 0.4))), 1),
                skipped=skipped,
                simulated=True,
            )
        )
    return out


class Truth:
    """What a rater without error would say about one item."""

    def __init__(self, item: Item, faulty: frozenset[int], spread: float, seed: int) -> None:
        self.item, self.faulty, self._spread, self._seed = item, faulty, spread, seed

    def _rng(self, *names: object) -> np.random.Generator:
        return np.random.default_rng(derive(self._seed, "annotate", "truth", self.item.id, *names))

    def place(self, d: Dimension) -> float:
        """Where the item truly lies on an ordinal scale, in categories from the first; may lie outside."""
        top = len(d.categories) - 1
        sound = 1 - len(self.faulty) / len(self.item.claims)
        deviation = float(self._rng(d.name).normal(0, self._spread))
        return top * sound + deviation if rises(d) else top * (1 - sound) - deviation

    def category(self, d: Dimension, claim: int | None) -> str:
        """The right answer on a nominal scale."""
        bad = bool(self.faulty) if claim is None else claim in self.faulty
        good = d.good or d.categories[:1]
        others = [c for c in d.categories if c not in good]
        if not bad or not others:
            return good[0] if d.when is None else _drawn(self._rng(d.name, claim), d.categories)
        return _drawn(self._rng(d.name, claim), others)


def rises(d: Dimension) -> bool:
    """Whether the last category is the best one."""
    return not d.good or d.categories[0] not in d.good


def _drawn(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _marks(
    rater: SimulatedRater, truth: Truth, rubric: Rubric, position: float, rng: np.random.Generator
) -> Iterable[Mark]:
    given: dict[tuple[str, int | None], str] = {}
    n = len(truth.item.claims)
    for d in rubric.dimensions:
        for claim in range(n) if d.per_claim else (None,):
            if d.when is not None and given.get((d.when.dimension, claim)) not in d.when.any_of:
                continue
            value = (
                _nominal(rater, truth.category(d, claim), d, rng)
                if d.level == "nominal" or d.per_claim
                else _ordinal(rater, truth.place(d), d, position, rng)
            )
            given[d.name, claim] = value
            yield Mark(dimension=d.name, claim=claim, value=value)


def _nominal(rater: SimulatedRater, right: str, d: Dimension, rng: np.random.Generator) -> str:
    if rng.random() < rater.accuracy:
        return right
    return _drawn(rng, [c for c in d.categories if c != right])


def _ordinal(
    rater: SimulatedRater, place: float, d: Dimension, position: float, rng: np.random.Generator
) -> str:
    shift = rater.severity + rater.drift * position
    latent = place + (-shift if rises(d) else shift) + rater.noise * float(rng.normal())
    return d.categories[min(max(math.floor(latent + 0.5), 0), len(d.categories) - 1)]
