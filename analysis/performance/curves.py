"""The numbers behind the figures: a row a point, with the count behind it. Drawing is in figures.py."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from ..records import Cited, Curve
from .arrays import Floats, Labels
from .evaluate import Evaluation
from .formats import YARDSTICKS
from .limits import Z
from .scores import Key


def models(
    evaluation: Evaluation, shown: Mapping[str, Key], optima: AbstractSet[str] = frozenset()
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
            calibration(y, risk, weight, name, settings.bins),
            roc(y, risk, weight, name),
            precision_recall(y, risk, weight, name),
            net_benefit(y, risk, weight, name, top),
        ):
            yield from (row.model_copy(update={"kind": kind}) for row in drawn)
    everybody = net_benefit(held.y, np.ones(len(held.y)), held.weights(population), "treat all", top)
    yield from (row.model_copy(update={"kind": "rule"}) for row in everybody)


def evidence(cited: Sequence[Cited], top: int = 40) -> Iterator[Curve]:
    """The most cited evidence of the first style: odds ratio of presence, and share cited where present."""
    spoken = [c for c in cited if c.style == cited[0].style and c.cited_cases + c.cited_controls > 0]
    for c in spoken[:top]:
        n = c.cited_cases + c.cited_controls
        share = n / (c.present_cases + c.present_controls)
        yield Curve(figure="evidence", series=c.name, x=c.odds_ratio, y=share, low=c.low, high=c.high, n=n)


def calibration(y: Labels, risk: Floats, weight: Floats, series: str, bins: int = 10) -> Iterator[Curve]:
    """Mean risk against the share of cases in groups of equal size; a tie never straddles two groups.

    The interval is Wilson's on the effective number of cases (Kish: square of the sum of weights over the sum of
    squares), so that a few heavy cases do not look like many.
    """
    order = np.argsort(risk, kind="stable")
    edges = np.unique(np.quantile(risk, np.linspace(0, 1, bins + 1)[1:-1]))
    for group in np.split(order, np.searchsorted(risk[order], edges, "right")):
        if not len(group):
            continue
        w = weight[group]
        share = float(np.average(y[group], weights=w))
        low, high = wilson(share, float(w.sum() ** 2 / (w**2).sum()))
        x = float(np.average(risk[group], weights=w))
        yield Curve(figure="calibration", series=series, x=x, y=share, low=low, high=high, n=len(group))


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in n cases (Wilson 1927).

    >>> low, high = wilson(0.5, 10)
    >>> round(low, 4), round(high, 4)
    (0.2366, 0.7634)
    """
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


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


def net_benefit(y: Labels, risk: Floats, weight: Floats, series: str, top: float) -> Iterator[Curve]:
    """Decision curve (Vickers and Elkin 2006): true positives minus false positives at the odds of the threshold.

    A person; 0 is treating nobody. `treat all` is the same with everybody called. n is how many are called.
    """
    total = weight.sum()
    for threshold in np.linspace(0, top, 51)[1:]:
        called = risk >= threshold
        w = weight * called
        benefit = ((w * y).sum() - (w * (1 - y)).sum() * threshold / (1 - threshold)) / total
        yield Curve(
            figure="net_benefit", series=series, x=float(threshold), y=float(benefit), n=int(called.sum())
        )


def _cumulated(y: Labels, risk: Floats, weight: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Weight called, of cases and of controls, and count, from the highest risk down; one entry a distinct risk."""
    order = np.argsort(-risk, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(risk[order])), len(order) - 1)
    w, ones = weight[order], y[order]
    cases, controls = np.cumsum(w * ones)[ends], np.cumsum(w * (1 - ones))[ends]
    return cases + controls, cases, controls, (ends + 1).astype(float)
