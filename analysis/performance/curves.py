"""The numbers behind the figures: a row a point, with the count behind it. Drawing is in figures.py."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from ..measures.arrays import Floats, Labels
from ..measures.calibration_curve import grouped, smooth
from ..measures.net_benefit import decision_curve, treat_all
from ..records import Cited, Curve
from .evaluate import Evaluation
from .formats import YARDSTICKS
from .scores import PredictionKey


def models(
    evaluation: Evaluation, shown: Mapping[str, PredictionKey], optima: AbstractSet[str] = frozenset()
) -> Iterator[Curve]:
    """Every curve of the models shown, about the population of the report.

    Args:
        evaluation: of the held-out cases.
        shown: sets of predictions by the name of their series.
        optima: names of series that are the true risk.
    """
    held, settings = evaluation.held, evaluation.settings
    population = held.population
    top = min(0.6, 4 * held.prevalence(population))
    for name, key in shown.items():
        where = evaluation.present(key)
        if evaluation.why_not(where):
            continue
        y, risk = held.y[where], evaluation.scores.on(key, population)[where]
        weight = held.weights(population)[where]
        kind = "optimum" if name in optima else "yardstick" if key.readout in YARDSTICKS else "model"
        for drawn in (
            grouped(y, risk, weight, held.design, where, name, settings.bins),
            smooth(y, risk, weight, held.design, where, name),
            roc(y, risk, weight, name),
            precision_recall(y, risk, weight, name),
            decision_curve(y, risk, weight, held.design, where, name, top),
        ):
            yield from (row.model_copy(update={"kind": kind}) for row in drawn)
    rule = treat_all(held.y, held.weights(population), held.design, top)
    yield from (row.model_copy(update={"kind": "rule"}) for row in rule)


def evidence(cited: Sequence[Cited], top: int = 40) -> Iterator[Curve]:
    """The most cited evidence of the first style: odds ratio of presence, and share cited where present."""
    spoken = [c for c in cited if c.style == cited[0].style and c.cited_cases + c.cited_controls > 0]
    for c in spoken[:top]:
        n = c.cited_cases + c.cited_controls
        share = n / (c.present_cases + c.present_controls)
        yield Curve(figure="evidence", series=c.name, x=c.odds_ratio, y=share, low=c.low, high=c.high, n=n)


def roc(y: Labels, risk: Floats, weight: Floats, series: str) -> Iterator[Curve]:
    """Share of cases called against share of controls called, at every risk that occurs; n is how many are called."""
    _, cases, controls, counts = _cumulated(y, risk, weight)
    yield Curve(figure="roc", series=series, x=0.0, y=0.0, n=0)
    for tp, fp, n in zip(cases / cases[-1], controls / controls[-1], counts, strict=True):
        yield Curve(figure="roc", series=series, x=float(fp), y=float(tp), n=int(n))


def precision_recall(y: Labels, risk: Floats, weight: Floats, series: str) -> Iterator[Curve]:
    """Precision against recall, at every risk that occurs; n is how many are called."""
    called, cases, _, counts = _cumulated(y, risk, weight)
    for tp, every, n in zip(cases, called, counts, strict=True):
        yield Curve(
            figure="precision_recall", series=series, x=float(tp / cases[-1]), y=float(tp / every), n=int(n)
        )


def _cumulated(y: Labels, risk: Floats, weight: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Weight called, of cases and of controls, and count, from the highest risk down; one entry a distinct risk."""
    order = np.argsort(-risk, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(risk[order])), len(order) - 1)
    w, ones = weight[order], y[order]
    cases, controls = np.cumsum(w * ones)[ends], np.cumsum(w * (1 - ones))[ends]
    return cases + controls, cases, controls, (ends + 1).astype(float)
