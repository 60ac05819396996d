"""Paired comparisons: the same held-out cases, the same bootstrap draws, everything else in the grid alike."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ..study.grid import Cell
from .cells import CellState, matched
from .delong import delong
from .evaluate import Evaluation
from .intervals import holm, interval, p_value
from .records import Average, Comparison, Population
from .scores import Key

HINDSIGHT = "teacher_rationale"
"""The read-out that is given what the teacher wrote, label in hand: a measure of leakage, not a prediction."""


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
    limits = interval(spread, evaluation.settings.level) or (None, None)
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
        self.done = [s.cell for s in cells if s.state == "done"]
        self.targets = list(dict.fromkeys(c.target for c in self.grid))
        self.readouts = {t: self._readouts(t) for t in self.targets}

    def _readouts(self, target: str) -> list[str]:
        ids = {c.id for c in self.done if c.target == target}
        return list(dict.fromkeys(k.readout for k in self.evaluation.scores.risk if k.cell in ids))

    def _has(self, cell: Cell | None, readout: str) -> bool:
        return cell in self.done and cell is not None and Key(cell.id, readout) in self.evaluation.scores.risk

    def _against_reference(self, target: str, readout: str) -> tuple[list[Pair], int]:
        """Pairs of a target's cells with the reference's cells, and how many the grid has."""
        reference, other = self.settings.reference, self.settings.reference_readout
        both = [(c, matched(c, self.grid, "target", reference)) for c in self.grid if c.target == target]
        planned = [(a, b) for a, b in both if b is not None]
        pairs = [
            Pair(Key(a.id, readout), Key(b.id, other), a.seed)
            for a, b in planned
            if self._has(a, readout) and self._has(b, other)
        ]
        return pairs, len(planned)

    def _challengers(self) -> Iterator[tuple[str, str]]:
        """Every target and read-out that predicts, the reference itself left out."""
        own = (self.settings.reference, self.settings.reference_readout)
        for target in self.targets:
            for readout in self.readouts[target]:
                if (target, readout) != own and readout != HINDSIGHT:
                    yield target, readout

    def by_target(self, metric: str) -> Iterator[Comparison]:
        """Each target and read-out against the reference, mean over matched cells."""
        for target, readout in self._challengers():
            pairs, expected = self._against_reference(target, readout)
            yield Comparison(
                metric=metric, unit="target", family=f"targets: {metric}",
                a=target, a_readout=readout, b=self.settings.reference, b_readout=self.settings.reference_readout,
                **{"pairs_expected": expected, **contrast(self.evaluation, metric, pairs)},
            )  # fmt: skip

    def by_cell(self, metric: str) -> Iterator[Comparison]:
        """Each cell against the reference cell that differs in the target alone."""
        for target, readout in self._challengers():
            for pair in self._against_reference(target, readout)[0]:
                yield Comparison(
                    metric=metric, unit="cell", family=f"cells: {metric}",
                    a=pair.a.cell, a_readout=readout, b=pair.b.cell, b_readout=pair.b.readout,
                    p_delong=self._delong(pair) if metric == "roc_auc" else None,
                    **contrast(self.evaluation, metric, [pair]),
                )  # fmt: skip

    def _delong(self, pair: Pair) -> float | None:
        held = self.evaluation.held
        if np.ptp(held.observed) > 0:
            return None
        where = self.evaluation.present(pair.a) & self.evaluation.present(pair.b)
        risk = self.evaluation.scores.risk
        found = delong(held.y[where], risk[pair.a][where], risk[pair.b][where])
        return found.p if found else None

    def by_readout(self, metric: str) -> Iterator[Comparison]:
        """What a rationale at test time changes: the model's own against none, the teacher's against its own."""
        for target in self.targets:
            for a, b in (("own_rationale", "direct"), (HINDSIGHT, "own_rationale")):
                if not {a, b} <= set(self.readouts[target]):
                    continue
                mine = [c for c in self.grid if c.target == target]
                pairs = [
                    Pair(Key(c.id, a), Key(c.id, b), c.seed)
                    for c in mine
                    if self._has(c, a) and self._has(c, b)
                ]
                yield Comparison(
                    metric=metric, unit="readout", family=f"readouts: {metric}",
                    a=target, a_readout=a, b=target, b_readout=b,
                    **{"pairs_expected": len(mine), **contrast(self.evaluation, metric, pairs)},
                )  # fmt: skip

    def by_level(self, metric: str) -> Iterator[Comparison]:
        """Factor effects: each level of an axis against its first, all else alike, target by target."""
        for axis in (a for a in Cell.model_fields if a not in ("target", "seed")):
            levels = list(dict.fromkeys(getattr(c, axis) for c in self.grid))
            for target, readout in ((t, r) for t in self.targets for r in self.readouts[t]):
                mine = [c for c in self.grid if c.target == target and getattr(c, axis) == levels[0]]
                for level in levels[1:]:
                    both = [(matched(c, self.grid, axis, level), c) for c in mine]
                    planned = [(a, b) for a, b in both if a is not None]
                    pairs = [
                        Pair(Key(a.id, readout), Key(b.id, readout), a.seed)
                        for a, b in planned
                        if self._has(a, readout) and self._has(b, readout)
                    ]
                    if planned:
                        yield Comparison(
                            metric=metric, unit="level", family=f"{axis}: {metric}",
                            a=f"{target}, {axis} {level}", a_readout=readout,
                            b=f"{target}, {axis} {levels[0]}", b_readout=readout,
                            **{"pairs_expected": len(planned), **contrast(self.evaluation, metric, pairs)},
                        )  # fmt: skip

    def baselines(self, metric: str) -> Iterator[Comparison]:
        """Each baseline against the reference target, mean over its cells."""
        other = self.settings.reference_readout
        mine = [c for c in self.grid if c.target == self.settings.reference]
        for key in self.evaluation.scores.risk:
            if key.readout == "baseline":
                pairs = [Pair(key, Key(c.id, other), c.seed) for c in mine if self._has(c, other)]
                yield Comparison(
                    metric=metric, unit="target", family=f"baselines: {metric}",
                    a=key.cell, a_readout=key.readout, b=self.settings.reference, b_readout=other,
                    **{"pairs_expected": len(mine), **contrast(self.evaluation, metric, pairs)},
                )  # fmt: skip

    def all(self) -> list[Comparison]:
        """Every comparison, p values adjusted within each family."""
        found: list[Comparison] = []
        for metric in self.settings.compared:
            for family in (self.by_target, self.by_cell, self.by_readout, self.by_level, self.baselines):
                found += family(metric)
        return adjusted(found)

    def averages(self, metrics: Iterable[str]) -> Iterator[Average]:
        """Mean and best over the finished cells of every target and read-out, and the baselines beside them."""
        wanted = list(metrics)
        groups = [
            (t, r, [Key(c.id, r) for c in self.done if c.target == t and self._has(c, r)])
            for t in self.targets
            for r in self.readouts[t]
        ]
        groups += [(k.cell, k.readout, [k]) for k in self.evaluation.scores.risk if k.readout == "baseline"]
        for target, readout, keys in groups:
            expected = sum(c.target == target for c in self.grid) or 1
            for population in self.evaluation.held.populations:
                for metric in wanted:
                    yield self._average(target, readout, keys, expected, metric, population)

    def _average(
        self,
        target: str,
        readout: str,
        keys: Sequence[Key],
        expected: int,
        metric: str,
        population: Population,
    ) -> Average:
        rows = [(key, self.evaluation.metric(metric, key, population)) for key in keys]
        known = [(key, row, row.value) for key, row in rows if row.value is not None]
        names: dict[str, Any] = {
            "target": target,
            "readout": readout,
            "metric": metric,
            "population": population,
        }
        missing = sum(row.n_missing for _, row in rows)
        if not known:
            why = next((row.why_missing for _, row in rows), "no cell is finished")
            return Average(
                **names, value=None, cells=0, expected=expected, n=0, n_positive=0, n_missing=missing, why_missing=why
            )  # fmt: skip
        spread = np.mean(
            [self.evaluation.spread(metric, k, population, self.evaluation.present(k)) for k, _, _ in known],
            axis=0,
        )
        limits = interval(spread, self.settings.level) or (None, None)
        values = [value for _, _, value in known]
        return Average(
            **names, value=float(np.mean(values)), low=limits[0], high=limits[1],
            best=(max if metric in HIGHER_IS_BETTER else min)(values) if metric in RANKED else None,
            cells=len(known), expected=expected, n=min(r.n for _, r, _ in known),
            n_positive=min(r.n_positive for _, r, _ in known), n_missing=missing,
        )  # fmt: skip


HIGHER_IS_BETTER = frozenset({"roc_auc", "pr_auc", "scaled_brier"})
RANKED = HIGHER_IS_BETTER | {"brier", "log_loss"}
"""Metrics with a best end; calibration is best in the middle."""


def adjusted(found: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with Holm's correction inside each family."""
    out = list(found)
    for family in dict.fromkeys(c.family for c in found):
        places = [i for i, c in enumerate(found) if c.family == family]
        for i, p in zip(places, holm([found[i].p for i in places]), strict=True):
            out[i] = found[i].model_copy(update={"p_adjusted": p})
    return out
