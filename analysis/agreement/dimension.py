"""One dimension of a set of ratings: coefficients, raters, items, and what else was asked of it."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...study.errors import DataError
from ..records import Agreement
from .coefficients.bound import bind
from .coefficients.formulas import COEFFICIENTS
from .coefficients.table import RatingTable
from .notes import noted
from .planning import from_pilot
from .raters.items import category_rows, disagreement, item_rows
from .raters.limits import limits_rows
from .raters.paired_tests import kendall_w, pair_tests
from .raters.records import RaterRow, RaterTest
from .raters.reference import against, attribute_shares
from .raters.replicates import repeat_rows
from .raters.rows import MANY_RATERS, pair_rows, rater_rows
from .raters.severity import groups
from .reading.answers import orders
from .reading.source import ScaleFound
from .records import DimensionSummary
from .rubric import suited
from .settings import AgreementSettings
from .uncertainty.benchmark import benchmark
from .uncertainty.estimate import Statistic, estimates

CURVE = 1000
"""Points of the curve of disagreement by item."""

SHOWN = 100
"""Categories that are described one by one, the commonest."""


class DimensionRatings(NamedTuple):
    """The ratings of one dimension in the forms that the parts of its summary take."""

    name: str
    table: RatingTable
    """Of the raters' first readings; without judge and reference."""
    ratings: pd.DataFrame
    """The rows of the table."""
    readings: pd.DataFrame
    """With all repeated readings."""
    scale: ScaleFound
    reference: Mapping[Hashable, Hashable]
    """Item -> value of the reference standard; empty where there is none."""
    nameless: bool
    """Nobody knows which rater gave which rating."""


def dimension_summary(d: DimensionRatings, settings: AgreementSettings) -> DimensionSummary:
    """Everything about one dimension.

    Args:
        d: its ratings.
        settings: what to compute.
    Raises:
        DataError: ratings that do not suit what was asked.
        StudyError: an unknown coefficient, weighting or benchmark.
    """
    table = d.table
    statistics, refused = _statistics(table, settings)
    rows = [*_estimates(table, statistics, d.name, settings), *_refused(d, refused)]
    notes = _notes(table)
    plan = None
    if settings.half_width is not None:
        try:
            plan = from_pilot(table, settings.half_width, minutes=settings.minutes)
        except DataError as e:
            notes.append(f"no plan: {e}")
    varies = bind(table, "krippendorff_alpha").why_undefined() is None
    independent, unit = table.independent
    named = not d.nameless
    few_raters = named and len(table.raters) <= MANY_RATERS
    if named and not few_raters:
        notes.append(f"{len(table.raters)} raters: tests and limits of agreement two by two are left out")
    return DimensionSummary(
        name=d.name,
        level=table.scale.level,
        categories=table.scale.labels,
        declared=table.scale.declared,
        assumed=d.scale.assumed,
        n_items=len(table.units),
        n_raters=rows[0].n_raters,
        n_ratings=int(table.seen.sum()),
        n_missing=int(d.ratings["value"].isna().sum()),
        n_lone=int((table.seen == 1).sum()),
        independent=independent,
        unit=unit,
        agreement=tuple(rows),
        raters=_raters(d, settings) if named else (),
        pairs=tuple(pair_rows(table)) if named else (),
        items=tuple(item_rows(table, settings.items)) if varies else (),
        disagreement=_curve(table) if varies else (),
        categories_used=tuple(category_rows(table, SHOWN)),
        tests=_tests(table) if few_raters else (),
        limits=tuple(limits_rows(table, settings.confidence)) if few_raters else (),
        reference=tuple(against(table, d.reference, settings.confidence)) if d.reference else (),
        shares=tuple(attribute_shares(table, d.reference, settings.confidence)) if d.reference else (),
        repeats=tuple(
            repeat_rows(
                d.readings,
                d.scale,
                statistics,
                table.cluster_name,
                confidence=settings.confidence,
                replicates=settings.replicates,
                seed=settings.seed,
            )
        ),
        benchmarks=tuple(benchmark(r, settings.benchmark) for r in rows if _in_words(r))
        if settings.benchmark
        else (),
        plan=plan,
        notes=tuple(notes),
    )


def _statistics(
    table: RatingTable, settings: AgreementSettings
) -> tuple[list[Statistic], list[tuple[str, DataError]]]:
    """Those that suit the scale and those asked for, each once; and the ones asked for that do not fit, with why."""
    own = suited(table.scale)
    chosen: list[Statistic] = []
    refused = []
    for name in dict.fromkeys(settings.statistics):
        try:
            weights = settings.weights_for(table.scale) if settings.weights else None
            bind(table, name, weights)
        except DataError as e:
            refused.append((name, e))
            continue
        chosen.append((name, weights) if weights is not None else name)
    return own + [s for s in chosen if not any(s is t or s == t for t in own if isinstance(s, str))], refused


def _estimates(
    table: RatingTable, statistics: Sequence[Statistic], name: str, settings: AgreementSettings
) -> list[Agreement]:
    """Coefficients with intervals; one that the method asked for does not suit has the default.

    Raises:
        DataError: the method suits none.
    """
    estimated = partial(
        estimates,
        table,
        dimension=name,
        raters=settings.raters,
        confidence=settings.confidence,
        replicates=settings.replicates,
        seed=settings.seed,
    )
    if settings.interval not in ("goodness", "irr"):
        return noted(estimated(statistics, method=settings.interval), table)
    rows, refused = [], []
    for s in statistics:
        try:
            rows += estimated([s], method=settings.interval)
        except DataError as e:
            refused.append(e)
            rows += estimated([s])
    if len(refused) == len(rows):
        raise refused[0]
    return noted(rows, table)


def _refused(d: DimensionRatings, refused: Sequence[tuple[str, DataError]]) -> list[Agreement]:
    """A row without a value for each coefficient that does not fit this dimension."""
    return [
        Agreement(
            dimension=d.name,
            statistic=name,
            value=None,
            why_missing=str(why).rstrip("."),
            n_items=len(d.table.units),
            n_raters=len(d.table.raters),
            n_ratings=int(d.table.seen.sum()),
        )
        for name, why in refused
    ]


def _notes(table: RatingTable) -> list[str]:
    """What a reader must know of the table as a whole."""
    notes = []
    apart = [f"{{{', '.join(sorted(map(str, g)))}}}" for g in groups(table)]
    if len(apart) > 1:
        notes.append(f"raters in groups without a common item: {' '.join(apart)}")
    if not table.scale.declared and not table.scale.continuous and not table.scale.sets:
        notes.append(
            "categories not declared: AC and Brennan-Prediger, which count unused ones, are left out"
        )
    pairable = table.seen[table.seen >= 2]
    if not table.scale.continuous and len(np.unique(pairable)) > 1:
        notes.append(
            "items have unequal numbers of ratings: specific agreement weights items by them, as alpha does; "
            "specific_agreement_uebersax weights every pair of ratings the same"
        )
    return notes


def _curve(table: RatingTable) -> tuple[float, ...]:
    """Disagreement of the items, highest first; of very many items evenly spaced ones."""
    each = disagreement(table)
    falling = np.sort(each[~np.isnan(each)])[::-1]
    if len(falling) > CURVE:
        falling = falling[np.linspace(0, len(falling) - 1, CURVE).round().astype(int)]
    return tuple(falling.tolist())


def _raters(d: DimensionRatings, settings: AgreementSettings) -> tuple[RaterRow, ...]:
    return tuple(
        rater_rows(
            d.table,
            order=orders(d.ratings, d.table),
            confidence=settings.confidence,
            seed=settings.seed,
            replicates=settings.replicates or 10_000,
        )
    )


def _tests(table: RatingTable) -> tuple[RaterTest, ...]:
    """Tests of every two raters, and Kendall's W where the scale has an order."""
    ranks = [] if table.scale.level == "nominal" else [kendall_w(table)]
    return (*pair_tests(table), *ranks)


def _in_words(row: Agreement) -> bool:
    """Benchmarks were made for coefficients that are corrected for chance."""
    name = row.statistic.partition(":")[0]
    return COEFFICIENTS[name].corrected or COEFFICIENTS[name].limits is not None
