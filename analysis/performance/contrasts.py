"""What is compared with what: the families of a study."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import product

from ...study.grid import Cell
from ...train.records import Baseline
from ..cells import ARM, CellState, arm, matched, reference_of
from ..records import Comparison
from .compare import Pair, adjusted, contrast
from .evaluate import Evaluation
from .formats import YARDSTICKS, Formats
from .scores import PredictionKey

OWN_FORMAT, OTHER_FORMAT, WITHIN, SINGLE = "targets", "other read-outs", "readouts", "cells"
"""Families, before the name of the metric. The first is what the study asks: every arm in the format it was taught
in."""


def family(name: str, metric: str) -> str:
    """The name of a family: its p values are adjusted together.

    >>> family(OWN_FORMAT, "roc_auc")
    'targets: roc_auc'
    """
    return f"{name}: {metric}"


class Comparer:
    """The comparisons of a study, family by family."""

    def __init__(
        self, evaluation: Evaluation, cells: Sequence[CellState], baselines: Sequence[Baseline] = ()
    ) -> None:
        self.evaluation, self.settings = evaluation, evaluation.settings
        self.population = evaluation.held.population
        self.grid = [s.cell for s in cells]
        self.planned = frozenset(self.grid)
        self.done = frozenset(s.cell for s in cells if s.state == "done")
        self.arms: dict[str, list[Cell]] = {}
        for cell in self.grid:
            self.arms.setdefault(arm(cell), []).append(cell)
        self.formats = Formats({name: own[0].target for name, own in self.arms.items()})
        self.readouts = {name: self._readouts(own) for name, own in self.arms.items()}
        self.yardsticks = yardsticks(self.evaluation.scores.risk, baselines)
        self.optima = frozenset(b.name for b in baselines if b.optimum)

    def _readouts(self, cells: Sequence[Cell]) -> list[str]:
        ids = {c.id for c in cells if c in self.done}
        return list(dict.fromkeys(k.readout for k in self.evaluation.scores.risk if k.cell in ids))

    def native(self, name: str) -> str | None:
        """The read-out in the format that an arm was taught in; None where it was not read so."""
        return self.formats.native(name, self.readouts[name])

    def has(self, cell: Cell, readout: str) -> bool:
        """Whether a cell is finished and was read in this way."""
        return cell in self.done and PredictionKey(cell.id, readout) in self.evaluation.scores.risk

    def keys(self, name: str, readout: str) -> list[tuple[Cell, PredictionKey]]:
        """The finished cells of an arm with this read-out."""
        return [(c, PredictionKey(c.id, readout)) for c in self.arms[name] if self.has(c, readout)]

    def pairs(self, planned: Sequence[tuple[Cell, Cell]], readout: str, other: str) -> list[Pair]:
        """The planned pairs of which both sides are there."""
        return [
            Pair(PredictionKey(a.id, readout), PredictionKey(b.id, other), (point(a), point(b)), a.seed)
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
                if (name, readout) != own and not self.formats.hindsight(readout):
                    yield name, readout

    def by_target(self, metric: str) -> Iterator[Comparison]:
        """Each arm against the reference: in its own format, and in a family of their own the other read-outs."""
        for name, readout in self._challengers():
            pairs, expected = self._against_reference(name, readout)
            of = OWN_FORMAT if readout == self.native(name) else OTHER_FORMAT
            yield Comparison(
                metric=metric,
                unit="target",
                family=family(of, metric),
                a=name,
                a_readout=readout,
                b=self.settings.reference,
                b_readout=self.settings.reference_readout,
                pairs_expected=expected,
                **contrast(self.evaluation, metric, pairs, self.population),
            )

    def by_cell(self, metric: str) -> Iterator[Comparison]:
        """Each cell against the reference cell that it is matched with: about these two fits."""
        for name, readout in self._challengers():
            for pair in self._against_reference(name, readout)[0]:
                yield Comparison(
                    metric=metric,
                    unit="cell",
                    family=family(SINGLE, metric),
                    a=pair.a.cell,
                    a_readout=readout,
                    b=pair.b.cell,
                    b_readout=pair.b.readout,
                    **contrast(self.evaluation, metric, [pair], self.population),
                )

    def by_readout(self, metric: str) -> Iterator[Comparison]:
        """What the text before the label changes: the own format against each other, hindsight against the own."""
        for name, cells in self.arms.items():
            own = self.native(name)
            for other in self.readouts[name]:
                if own is None or other == own:
                    continue
                a, b = (other, own) if self.formats.hindsight(other) else (own, other)
                pairs = self.pairs([(c, c) for c in cells], a, b)
                yield Comparison(
                    metric=metric,
                    unit="readout",
                    family=family(WITHIN, metric),
                    a=name,
                    a_readout=a,
                    b=name,
                    b_readout=b,
                    pairs_expected=len(cells),
                    **contrast(self.evaluation, metric, pairs, self.population),
                )

    def by_level(self, metric: str) -> Iterator[Comparison]:
        """Factor effects: each level of a design axis against its first, all else alike, arm by arm."""
        axes = [f for f in Cell.model_fields if f not in (*ARM, "seed")]
        for axis, name in product(axes, self.arms):
            first, *others = dict.fromkeys(getattr(c, axis) for c in self.arms[name])
            base = [c for c in self.arms[name] if getattr(c, axis) == first]
            for readout, level in product(self.readouts[name], others):
                both = [(matched(c, self.planned, axis, level), c) for c in base]
                planned = [(a, b) for a, b in both if a is not None]
                if planned:
                    pairs = self.pairs(planned, readout, readout)
                    yield Comparison(
                        metric=metric,
                        unit="level",
                        family=family(axis, metric),
                        a=f"{name}, {axis} {level}",
                        a_readout=readout,
                        b=f"{name}, {axis} {first}",
                        b_readout=readout,
                        pairs_expected=len(planned),
                        **contrast(self.evaluation, metric, pairs, self.population),
                    )

    def by_yardstick(self, metric: str) -> Iterator[Comparison]:
        """Baselines and outside models against the reference, at the same training size."""
        other = self.settings.reference_readout
        cells = self.arms.get(self.settings.reference, [])
        for name, keys in self.yardsticks.items():
            planned = [(key, c) for key, n in keys for c in cells if n in (None, c.n)]
            pairs = [
                Pair(k, PredictionKey(c.id, other), point(c), c.seed)
                for k, c in planned
                if self.has(c, other)
            ]
            readout = keys[0][0].readout
            if planned:
                yield Comparison(
                    metric=metric,
                    unit="yardstick",
                    family=family(f"{readout}s", metric),
                    a=name,
                    a_readout=readout,
                    b=self.settings.reference,
                    b_readout=other,
                    pairs_expected=len(planned),
                    **contrast(self.evaluation, metric, pairs, self.population),
                )

    def all(self) -> list[Comparison]:
        """Every comparison, p values and intervals adjusted within each family."""
        comparisons: list[Comparison] = []
        for metric in self.settings.compared:
            for of in (self.by_target, self.by_cell, self.by_readout, self.by_level, self.by_yardstick):
                comparisons += of(metric)
        return adjusted(comparisons)


def point(cell: Cell) -> Hashable:
    """All settings of a cell but its seed."""
    return tuple(sorted((k, str(v)) for k, v in cell.model_dump(exclude={"seed"}).items()))


def yardsticks(
    keys: Iterable[PredictionKey], baselines: Sequence[Baseline]
) -> dict[str, list[tuple[PredictionKey, int | None]]]:
    """What is no fit of the grid, by name: its sets of predictions and the training size of each."""
    known = {b.cell: b for b in baselines}
    out: dict[str, list[tuple[PredictionKey, int | None]]] = {}
    for key in keys:
        if key.readout in YARDSTICKS:
            row = known.get(key.cell)
            out.setdefault(row.name if row else key.cell, []).append((key, row.n if row else None))
    return out
