"""Paired comparisons: the same held-out cases, the same bootstrap draws, everything else in the grid alike."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ...study.grid import Cell
from ..cells import ARM, CellState, arm, matched, reference_of
from ..multiplicity import holm
from ..records import Comparison, Population
from .delong import delong
from .evaluate import Evaluation
from .intervals import interval, p_value
from .scores import SOURCE_SCALE, Key

HINDSIGHT = "teacher_rationale"
"""The read-out that is given what the teacher wrote, label in hand: a measure of leakage, not a prediction."""

BASELINE = "baseline"
"""The read-out of what needs no language model."""


class Pair(NamedTuple):
    """Two sets of predictions to subtract, and the seed that they share."""

    a: Key
    b: Key
    seed: int = 0


def contrast(
    evaluation: Evaluation, metric: str, pairs: Sequence[Pair], population: Population = "sample"
) -> dict[str, Any]:
    """The mean difference over pairs, with interval and p over persons, as fields of a `Comparison`.

    Each pair is taken on the cases that both sides predict. Persons are resampled, cells are not: the interval says
    what other people would have given, not what other seeds would have; for these see `seed_sd`.
    """
    gaps: list[tuple[int, float]] = []
    spreads, ns = [], []
    why = None if pairs else "no pair of cells is finished"
    for pair in pairs:
        where = evaluation.present(pair.a) & evaluation.present(pair.b)
        left, right = (evaluation.value(metric, key, population, where) for key in (pair.a, pair.b))
        fault = evaluation.why_not(where)
        if fault or left is None or right is None:
            why = fault or "the metric has no value for one side"
            continue
        gaps.append((pair.seed, left - right))
        spreads.append(
            evaluation.spread(metric, pair.a, population, where)
            - evaluation.spread(metric, pair.b, population, where)
        )
        ns.append(int(where.sum()))
    if not gaps:
        return {"difference": None, "why_missing": why, "n": 0, "pairs": 0}
    spread = np.mean(spreads, axis=0)
    limits = interval(spread) or (None, None)
    return {
        "difference": float(np.mean([gap for _, gap in gaps])), "low": limits[0], "high": limits[1],
        "p": p_value(spread), "n": min(ns), "pairs": len(gaps), "seed_sd": _seed_sd(gaps),
    }  # fmt: skip


def _seed_sd(gaps: Sequence[tuple[int, float]]) -> float | None:
    """Standard deviation over seeds of the mean gap of each seed."""
    means = [float(np.mean([g for _, g in part])) for _, part in groupby(sorted(gaps), key=lambda x: x[0])]
    return float(np.std(means, ddof=1)) if len(means) > 1 else None


class Comparer:
    """The comparisons of a study, family by family."""

    def __init__(self, evaluation: Evaluation, cells: Sequence[CellState]) -> None:
        self.evaluation, self.settings = evaluation, evaluation.settings
        self.grid = [s.cell for s in cells]
        self.planned = frozenset(self.grid)
        self.done = frozenset(s.cell for s in cells if s.state == "done")
        self.arms: dict[str, list[Cell]] = {}
        for cell in self.grid:
            self.arms.setdefault(arm(cell), []).append(cell)
        self.readouts = {name: self._readouts(mine) for name, mine in self.arms.items()}

    def _readouts(self, cells: Sequence[Cell]) -> list[str]:
        ids = {c.id for c in cells if c in self.done}
        return list(dict.fromkeys(k.readout for k in self.evaluation.scores.risk if k.cell in ids))

    def has(self, cell: Cell, readout: str) -> bool:
        """Whether a cell is finished and was read in this way."""
        return cell in self.done and Key(cell.id, readout) in self.evaluation.scores.risk

    def pairs(self, planned: Sequence[tuple[Cell, Cell]], readout: str, other: str) -> list[Pair]:
        """The planned pairs of which both sides are there."""
        return [
            Pair(Key(a.id, readout), Key(b.id, other), a.seed)
            for a, b in planned
            if self.has(a, readout) and self.has(b, other)
        ]

    def _against_reference(self, name: str, readout: str) -> tuple[list[Pair], int]:
        """Pairs of an arm's cells with the reference's cells, and how many the grid has."""
        both = [(c, reference_of(c, self.planned, self.settings.reference)) for c in self.arms[name]]
        planned = [(a, b) for a, b in both if b is not None]
        return self.pairs(planned, readout, self.settings.reference_readout), len(planned)

    def _challengers(self) -> Iterator[tuple[str, str]]:
        """Every arm and read-out that predicts, the reference itself left out."""
        own = (self.settings.reference, self.settings.reference_readout)
        for name in self.arms:
            for readout in self.readouts[name]:
                if (name, readout) != own and readout != HINDSIGHT:
                    yield name, readout

    def by_target(self, metric: str) -> Iterator[Comparison]:
        """Each arm and read-out against the reference, mean over matched cells."""
        for name, readout in self._challengers():
            pairs, expected = self._against_reference(name, readout)
            yield Comparison(
                metric=metric, unit="target", family=f"targets: {metric}",
                a=name, a_readout=readout, b=self.settings.reference, b_readout=self.settings.reference_readout,
                **{"pairs_expected": expected, **contrast(self.evaluation, metric, pairs)},
            )  # fmt: skip

    def by_cell(self, metric: str) -> Iterator[Comparison]:
        """Each cell against the reference cell that it is matched with."""
        for name, readout in self._challengers():
            for pair in self._against_reference(name, readout)[0]:
                yield Comparison(
                    metric=metric, unit="cell", family=f"cells: {metric}",
                    a=pair.a.cell, a_readout=readout, b=pair.b.cell, b_readout=pair.b.readout,
                    p_delong=self._delong(pair) if metric == "roc_auc" else None,
                    **contrast(self.evaluation, metric, [pair]),
                )  # fmt: skip

    def _delong(self, pair: Pair) -> float | None:
        held = self.evaluation.held
        if np.ptp(held.observed) > 0 or len(set(held.person.tolist())) < len(held.person):
            return None  # its variance is for independent cases that all count the same
        where = self.evaluation.present(pair.a) & self.evaluation.present(pair.b)
        risk = self.evaluation.scores.risk
        found = delong(held.y[where], risk[pair.a][where], risk[pair.b][where])
        return found.p if found else None

    def by_readout(self, metric: str) -> Iterator[Comparison]:
        """What a rationale at test time changes: the model's own against none, the teacher's against its own."""
        for name, mine in self.arms.items():
            for a, b in (("own_rationale", "direct"), (HINDSIGHT, "own_rationale")):
                if {a, b} <= set(self.readouts[name]):
                    pairs = self.pairs([(c, c) for c in mine], a, b)
                    yield Comparison(
                        metric=metric, unit="readout", family=f"readouts: {metric}",
                        a=name, a_readout=a, b=name, b_readout=b,
                        **{"pairs_expected": len(mine), **contrast(self.evaluation, metric, pairs)},
                    )  # fmt: skip

    def by_level(self, metric: str) -> Iterator[Comparison]:
        """Factor effects: each level of a design axis against its first, all else alike, arm by arm."""
        for axis in (f for f in Cell.model_fields if f not in (*ARM, "seed")):
            for name, readout in ((n, r) for n in self.arms for r in self.readouts[n]):
                first, *others = dict.fromkeys(getattr(c, axis) for c in self.arms[name])
                mine = [c for c in self.arms[name] if getattr(c, axis) == first]
                for level in others:
                    both = [(matched(c, self.planned, axis, level), c) for c in mine]
                    planned = [(a, b) for a, b in both if a is not None]
                    if planned:
                        pairs = self.pairs(planned, readout, readout)
                        yield Comparison(
                            metric=metric, unit="level", family=f"{axis}: {metric}",
                            a=f"{name}, {axis} {level}", a_readout=readout,
                            b=f"{name}, {axis} {first}", b_readout=readout,
                            **{"pairs_expected": len(planned), **contrast(self.evaluation, metric, pairs)},
                        )  # fmt: skip

    def baselines(self, metric: str) -> Iterator[Comparison]:
        """Each baseline against the reference, mean over its cells."""
        other = self.settings.reference_readout
        mine = self.arms.get(self.settings.reference, [])
        for key in self.evaluation.scores.risk:
            if key.readout == BASELINE and mine:
                pairs = [Pair(key, Key(c.id, other), c.seed) for c in mine if self.has(c, other)]
                yield Comparison(
                    metric=metric, unit="target", family=f"baselines: {metric}",
                    a=key.cell, a_readout=key.readout, b=self.settings.reference, b_readout=other,
                    **{"pairs_expected": len(mine), **contrast(self.evaluation, metric, pairs)},
                )  # fmt: skip

    def shown(self) -> dict[str, Key]:
        """The few sets of predictions for the figures: the best fit of each arm in its own format, and the baselines
        that matter, the best one and the optimum where it is known."""
        groups = {name: [Key(c.id, self._own(name)) for c in cells] for name, cells in self.arms.items()}
        baselines = [k for k in self.evaluation.scores.risk if k.readout == BASELINE]
        groups["best_baseline"] = [k for k in baselines if k.cell not in SOURCE_SCALE]
        groups["optimum"] = [k for k in baselines if k.cell in SOURCE_SCALE]
        best = {name: self._best(keys) for name, keys in groups.items()}
        return {name: key for name, key in best.items() if key is not None}

    def _own(self, name: str) -> str:
        """The read-out in the format that the arm was taught in."""
        return "own_rationale" if "own_rationale" in self.readouts[name] else "direct"

    def _best(self, keys: Sequence[Key]) -> Key | None:
        known = [k for k in keys if k in self.evaluation.scores.risk]
        scored = [
            (self.evaluation.value("roc_auc", k, "sample", self.evaluation.present(k)), k) for k in known
        ]
        return max(((v, k) for v, k in scored if v is not None), default=(0.0, None))[1]

    def all(self) -> list[Comparison]:
        """Every comparison, p values adjusted within each family."""
        found: list[Comparison] = []
        for metric in self.settings.compared:
            for family in (self.by_target, self.by_cell, self.by_readout, self.by_level, self.baselines):
                found += family(metric)
        return adjusted(found)


def adjusted(found: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with Holm's correction inside each family."""
    out = list(found)
    for family in dict.fromkeys(c.family for c in found):
        places = [i for i, c in enumerate(found) if c.family == family]
        for i, p in zip(places, holm([found[i].p for i in places]), strict=True):
            out[i] = found[i].model_copy(update={"p_adjusted": p})
    return out
