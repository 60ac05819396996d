"""Is agreement higher here than there? Paired on the same draws of units, with Holm and a margin where one is set."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...study.errors import DataError
from ..multiplicity import holm
from .coefficients.bound import bind
from .coefficients.table import MISSING, RatingTable
from .coefficients.weights import Weights
from .records import Difference
from .uncertainty.intervals import Method, interval, p_value
from .uncertainty.resample import Draws, draw, mean


class Side(NamedTuple):
    """One of two things compared."""

    name: str
    table: RatingTable


def compare(
    pairs: Sequence[tuple[Side, Side]],
    statistic: str = "krippendorff_alpha",
    *,
    weights: Weights = None,
    margin: float | None = None,
    dimension: str = "",
    method: Method = "auto",
    confidence: float = 0.95,
    replicates: int = 10_000,
    seed: int = 0,
) -> list[Difference]:
    """Differences of a coefficient between dimensions, arms, rounds or groups of raters.

    Units of the two tables are matched by name, and so are clusters: arms that explain the same patients are
    paired by patient. Where nothing is shared the draws are independent, as they should be.

    Args:
        pairs: what is compared; together they are one family for Holm's adjustment.
        statistic: a name in `COEFFICIENTS`.
        weights: as in `coefficient`.
        margin: how much lower `a` may be and still count as no worse.
        dimension: for the rows.
        method: of the interval.
        confidence: of the interval.
        replicates: bootstrap draws.
        seed: of the draws.
    Raises:
        DataError: one table has clusters and the other has not.
    """
    rows = []
    for a, b in pairs:
        both = aligned([a.table, b.table])
        bounds = [bind(t, statistic, weights) for t in both]
        undefined = [
            f"{s.name}: {why}" for s, x in zip((a, b), bounds, strict=True) if (why := x.why_undefined())
        ]
        row = Difference(
            a=a.name,
            b=b.name,
            dimension=dimension,
            statistic=statistic,
            value_a=bounds[0].value(),
            value_b=bounds[1].value(),
            difference=None,
            n=both[0].independent[0],
            n_both=len(set(_units(a.table)) & set(_units(b.table))),
            why_missing="; ".join(undefined) or None,
        )
        if not undefined:
            first, second = draw(bounds, replicates, seed)
            row = _filled(row, first - second, margin, method, confidence, seed)
        rows.append(row)
    return adjusted(rows)


def judge(
    ratings: RatingTable,
    rater: Hashable,
    statistic: str = "krippendorff_alpha",
    *,
    weights: Weights = None,
    margin: float | None = None,
    dimension: str = "",
    confidence: float = 0.95,
    replicates: int = 10_000,
    seed: int = 0,
) -> Difference:
    """Does one rater (a language model) agree with the others as they agree among themselves?

    The others' coefficient is compared with the mean of the coefficients that come about when the judge takes the
    place of one of them in turn. Below zero: the judge agrees less well than a person does.

    Args:
        ratings: ratings of all, the judge's among them.
        rater: the judge's name in the table.
        statistic: a name in `COEFFICIENTS`.
        weights: as in `coefficient`.
        margin: how much worse than a person the judge may be.
        dimension: for the row.
        confidence: of the interval.
        replicates: bootstrap draws.
        seed: of the draws.
    Raises:
        DataError: no such rater, or fewer than two others.
    """
    if rater not in ratings.raters:
        raise DataError(
            f"judge: {rater!r} is not a rater here. Known: {', '.join(map(str, ratings.raters))}."
        )
    place = ratings.raters.index(rater)
    people = [g for g in range(len(ratings.raters)) if g != place]
    if len(people) < 2:
        raise DataError(
            f"judge: {len(people)} rater beside {rater!r}; two are needed to agree among themselves."
        )
    tables = [ratings.only(people)] + [ratings.only([g for g in people if g != h] + [place]) for h in people]
    bounds = [bind(t, statistic, weights) for t in tables]
    undefined = next((why for b in bounds if (why := b.why_undefined())), None)
    row = Difference(
        a=f"{rater} in the place of one of {len(people)}",
        b=f"{len(people)} raters among themselves",
        dimension=dimension,
        statistic=statistic,
        value_a=None if undefined else float(np.mean([b.value() for b in bounds[1:]])),
        value_b=bounds[0].value(),
        difference=None,
        n=ratings.independent[0],
        n_both=int(((ratings.codes[:, place] >= 0) & (tables[0].seen >= 1)).sum()),
        why_missing=undefined,
    )
    if undefined:
        return row
    humans, *swapped = draw(bounds, replicates, seed)
    return adjusted([_filled(row, mean(swapped) - humans, margin, "auto", confidence, seed)])[0]


def aligned(tables: Sequence[RatingTable]) -> list[RatingTable]:
    """The same tables over all their units; a unit that one of them lacks is unrated there.

    Raises:
        DataError: some have clusters and some have none.
    """
    if len({bool(t.clusters) for t in tables}) > 1:
        raise DataError(
            "clusters: only one side has some; give both the same clusters (rationale or patient)."
        )
    units = list(dict.fromkeys(u for t in tables for u in t.units))
    of = {u: c for t in tables for u, c in zip(t.units, t.clusters, strict=bool(t.clusters))}
    row = {u: i for i, u in enumerate(units)}
    out = []
    for t in tables:
        codes = np.full((len(units), len(t.raters)), MISSING, dtype=np.int32)
        codes[[row[u] for u in t.units]] = t.codes
        clusters = tuple(of[u] for u in units) if t.clusters else ()
        out.append(replace(t, codes=codes, units=tuple(units), clusters=clusters))
    return out


def _units(ratings: RatingTable) -> tuple[Hashable, ...]:
    """What is drawn: clusters, or units."""
    return ratings.clusters or ratings.units


def adjusted(rows: Sequence[Difference]) -> list[Difference]:
    """The rows with p-values adjusted for their number (Holm 1979); those without a p do not count.

    >>> base = dict(a="a", b="b", statistic="s", value_a=0, value_b=0, difference=0, n=9, n_both=9)
    >>> [r.p_adjusted for r in adjusted([Difference(**base, p=p) for p in (0.01, 0.04, 0.03)])]
    [0.03, 0.06, 0.06]
    """
    ps = holm([r.p for r in rows])
    return [r.model_copy(update={"p_adjusted": p}) for r, p in zip(rows, ps, strict=True)]


def _filled(
    row: Difference, d: Draws, margin: float | None, method: Method, confidence: float, seed: int
) -> Difference:
    limits = interval(d, method, confidence, seed)
    known = limits.low is not None
    return row.model_copy(
        update={
            "difference": d.value,
            "low": limits.low,
            "high": limits.high,
            "p": p_value(d) if known else None,
            "margin": margin,
            "non_inferior": limits.low > -margin if margin is not None and limits.low is not None else None,
            "method": f"{limits.text}, paired" if known else "",
            "why_missing": None if known else limits.text,
        }
    )
