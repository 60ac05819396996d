"""Scales of several items, such as PDSQI-9: Cronbach's alpha, what each item adds, and the total as a dimension."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...study.errors import DataError, StudyError, not_one_of
from .coefficients.ratio import divide
from .coefficients.table import Floats, Ints
from .reading.source import RatingSource, ScaleFound
from .records import InstrumentItem, InstrumentSummary
from .uncertainty.intervals import interval
from .uncertainty.resample import Draws, added

LEAST = 3
"""Forms below which there is nothing to correlate."""


def instrument(
    source: RatingSource,
    name: str,
    dimensions: Sequence[str],
    *,
    confidence: float = 0.95,
    replicates: int = 10_000,
    seed: int = 0,
) -> InstrumentSummary:
    """Internal consistency of the forms: a form is one rater's answers on one item.

    Forms of one item are not independent, nor those of one cluster, so these are resampled together.

    Args:
        source: the ratings.
        name: of the scale.
        dimensions: its items.
        confidence: of the interval.
        replicates: bootstrap draws.
        seed: of the draws.
    Raises:
        DataError: fewer than two dimensions, a nominal one of words, or too few complete forms.
        StudyError: a dimension that there is not.
    """
    wide, units, left_out = forms(source, name, dimensions)
    x = wide.to_numpy(dtype=float)
    terms = np.hstack([np.ones((len(x), 1)), x, x**2, x.sum(1, keepdims=True) ** 2])
    (terms,) = added([terms], units)
    d = _draws(terms, replicates, seed)
    limits = interval(d, "auto", confidence, seed)
    whole = terms.sum(0)[None]
    items = []
    for j, dimension in enumerate(dimensions):
        rest = np.delete(x, j, axis=1)
        total = rest.sum(1)
        without = float(_alpha(_terms(rest).sum(0)[None])[0]) if rest.shape[1] > 1 else None
        apart = total.std() > 0 and x[:, j].std() > 0
        items.append(
            InstrumentItem(
                dimension=dimension,
                mean=float(x[:, j].mean()),
                sd=float(x[:, j].std(ddof=1)),
                rest_correlation=float(np.corrcoef(x[:, j], total)[0, 1]) if apart else None,
                alpha_without=None if without is None or np.isnan(without) else without,
            )
        )
    value = float(_alpha(whole)[0])
    return InstrumentSummary(
        name=name,
        n_forms=len(x),
        n_incomplete=left_out,
        n_independent=len(terms),
        alpha=None if np.isnan(value) else value,
        low=limits.low,
        high=limits.high,
        method=limits.text if limits.low is not None else "",
        why_missing=None if limits.low is not None else limits.text,
        items=tuple(items),
    )


def forms(source: RatingSource, name: str, dimensions: Sequence[str]) -> tuple[pd.DataFrame, list[str], int]:
    """Complete forms (a row an item and rater, a column a dimension), their independent units, and how many are not.

    Raises:
        DataError, StudyError: as `instrument`.
    """
    if len(set(dimensions)) < 2:
        raise DataError(f"--instrument {name}: {len(set(dimensions))} dimension; two are needed.")
    for d in dimensions:
        if d not in source.scales:
            raise StudyError(f"--instrument {name}: {not_one_of('dimension', d, source.scales)}")
    own = source.ratings[source.ratings["dimension"].isin(dimensions)]
    own = own.assign(value=_numbers(own, source.scales, name))
    key = ["item", "rater", "group", "replicate"]
    wide = own.pivot_table(index=key, columns="dimension", values="value", aggfunc="first", sort=False)
    complete = wide.reindex(columns=list(dimensions)).dropna()
    if len(complete) < LEAST:
        raise DataError(
            f"--instrument {name}: {len(complete)} forms answer all of {', '.join(dimensions)}; {LEAST} are needed."
        )
    cluster = own.drop_duplicates("item").set_index("item")["cluster"]
    units = [cluster[item] or item for item, *_ in complete.index]
    return complete, units, len(wide) - len(complete)


def _numbers(own: pd.DataFrame, scales: Mapping[str, ScaleFound], name: str) -> "pd.Series[float]":
    """Values as numbers; words of an ordered scale as their positions."""
    out = pd.Series(np.nan, index=own.index)
    for d, part in own.groupby("dimension", sort=False):
        scale = scales[str(d)]
        if all(isinstance(v, int | float) for v in part["value"].dropna()):
            out[part.index] = part["value"].astype(float)
        elif scale.categories and (scale.level != "nominal" or len(scale.categories) == 2):
            place = {c: i + 1.0 for i, c in enumerate(scale.categories)}
            out[part.index] = part["value"].map(place).astype(float)
        else:
            raise DataError(
                f"--instrument {name}: {d} has words without an order; declare its categories, lowest first."
            )
    return out


def with_total(source: RatingSource, name: str, dimensions: Sequence[str]) -> RatingSource:
    """The source with the mean of the dimensions as one more, on an interval scale; of complete forms only.

    Raises:
        DataError, StudyError: as `instrument`; a dimension that is called so already.
    """
    if name in source.scales:
        raise StudyError(f"--instrument {name}: a dimension already has this name; give the scale another.")
    wide, _, left_out = forms(source, name, dimensions)
    total = wide.mean(axis=1).rename("value").reset_index()
    first = source.ratings.drop_duplicates(["item", "rater", "group", "replicate"])
    rows = first.drop(columns="value").merge(total, on=["item", "rater", "group", "replicate"], how="inner")
    rows = rows.assign(dimension=name, value=rows["value"].astype(object))[list(source.ratings.columns)]
    note = f"{name}: the mean of {', '.join(dimensions)}" + (
        f"; {left_out} forms lack some" if left_out else ""
    )
    ratings = pd.concat([source.ratings, rows], ignore_index=True)
    scales = source.scales | {name: ScaleFound("interval", None, False, False)}
    return source._replace(ratings=ratings, scales=scales).noted(note)


def _terms(x: Floats) -> Floats:
    return np.hstack([np.ones((len(x), 1)), x, x**2, x.sum(1, keepdims=True) ** 2])


def _alpha(sums: Floats) -> Floats:
    """Cronbach's alpha from sums: k / (k - 1) of 1 - the items' variances over that of their sum (Cronbach 1951)."""
    k = (sums.shape[1] - 2) // 2
    n, s, q, total = sums[:, 0], sums[:, 1 : 1 + k], sums[:, 1 + k : 1 + 2 * k], sums[:, -1]
    own = (q - s**2 / n[:, None]).sum(1)
    whole = total - s.sum(1) ** 2 / n
    return k / (k - 1) * (1 - divide(own, whole, 1e-12 * np.abs(total)))


def _draws(terms: Floats, replicates: int, seed: int) -> Draws:
    """Alpha of resampled units, and without each."""
    n = len(terms)
    rng = np.random.default_rng(seed)
    step = max(1, 200_000 // n)
    drawn = []
    for start in range(0, replicates, step):
        times = rng.multinomial(n, np.full(n, 1 / n), size=min(step, replicates - start))
        drawn.append(_alpha(times @ terms))
    whole = terms.sum(0)
    ones: Ints = np.ones(n, dtype=np.int64)
    return Draws(
        float(_alpha(whole[None])[0]), np.concatenate(drawn), _alpha(whole - terms), ones, n, bounded=False
    )
