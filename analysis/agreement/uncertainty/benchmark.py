"""A word for a coefficient, its uncertainty taken into account: probabilistic benchmarking (Gwet 2014, ch. 6)."""

from collections.abc import Mapping

from ....study import parts
from ...records import Agreement
from ..distributions import norm
from ..records import BenchmarkRow

SURE = 0.95
"""Probability with which a coefficient is to lie in a range, or above it."""


def benchmark(row: Agreement, scale: str) -> BenchmarkRow:
    """The highest word of a scale that the coefficient reaches with 95 % probability.

    The coefficient is taken as normal between -1 and 1. Its own range alone would ignore the uncertainty.

    Args:
        row: the coefficient; its standard error in closed form where it has one, else by the jackknife, and without
            either no word.
        scale: a name in `BENCHMARKS`.
    Raises:
        StudyError: no such scale.

    >>> row = Agreement(dimension="", statistic="gwet_ac", value=0.65, standard_error=0.1, n_items=50,
    ...                 n_raters=2, n_ratings=100)
    >>> b = benchmark(row, "landis_koch")
    >>> b.word, round(b.probability, 3), b.own_word
    ('moderate', 0.994, 'substantial')
    """
    ranges = parts.pick(BENCHMARKS, "benchmark", scale)
    out = BenchmarkRow(statistic=row.statistic, weights=row.weights, scale=scale, value=row.value)
    standard_error = row.standard_error or row.jackknife_error
    if row.value is None or not standard_error:
        why = row.why_missing or "no standard error"
        return out.model_copy(update={"why_missing": why})
    value = row.value
    own = next(word for word, low in ranges.items() if value >= low or low <= -1)
    whole = norm.cdf((1 - value) / standard_error) - norm.cdf((-1 - value) / standard_error)
    above = {
        word: float(
            (norm.cdf((1 - value) / standard_error) - norm.cdf((low - value) / standard_error)) / whole
        )
        for word, low in ranges.items()
    }
    word = next(w for w, p in above.items() if p >= SURE)
    return out.model_copy(update={"word": word, "probability": above[word], "own_word": own, "above": above})


BENCHMARKS: dict[str, Mapping[str, float]] = {
    "landis_koch": {
        "almost perfect": 0.8,
        "substantial": 0.6,
        "moderate": 0.4,
        "fair": 0.2,
        "slight": 0.0,
        "poor": -1.0,
    },
    "fleiss": {"excellent": 0.75, "intermediate to good": 0.4, "poor": -1.0},
    "altman": {"very good": 0.8, "good": 0.6, "moderate": 0.4, "fair": 0.2, "poor": -1.0},
    "cicchetti": {"excellent": 0.75, "good": 0.6, "fair": 0.4, "poor": -1.0},
}
"""Words and where their ranges begin, highest first: Landis & Koch 1977, Fleiss 1981, Altman 1991, Cicchetti 1994."""
