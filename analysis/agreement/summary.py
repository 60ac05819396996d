"""All of it for one set of ratings: coefficients, raters, items, comparisons, planning, and the methods paragraph."""

from collections.abc import Mapping
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from ...study.errors import DataError, StudyError, not_one_of
from .coefficients.bound import bind
from .coefficients.table import NoPairsError, Table
from .compare import Side, adjusted, compare, judge
from .methods import paragraph
from .notes import noted
from .planning import from_pilot
from .raters.items import category_rows, disagreement, item_rows
from .raters.rows import pair_rows, rater_rows
from .raters.severity import groups
from .reading.answers import by_group, groups_of_raters, orders, pivot
from .reading.source import ScaleFound, Source
from .records import Difference, DimensionSummary, RaterRow, Summary
from .rubric import suited
from .settings import AgreementSettings
from .uncertainty.estimate import Statistic, estimates

CURVE = 1000
"""Points of the curve of disagreement by item."""

SHOWN = 100
"""Categories that are described one by one, the commonest."""


def summarise(source: Source, settings: AgreementSettings) -> Summary:
    """Everything about a set of ratings.

    Args:
        source: the ratings, with their scales.
        settings: what to compute.
    Raises:
        DataError: ratings that cannot be used, by row.
        StudyError: an unknown coefficient, weighting or comparison.
    """
    name = source.reading.source
    if source.ratings.empty:
        raise DataError(f"{name}: no ratings.")
    ratings = by_group(source.ratings, source.group_name)
    own_clusters = bool((source.ratings["cluster"] != "").any())
    cluster_name = source.cluster_name if own_clusters else "item"  # an item rated in several groups
    tables: dict[str, Table] = {}
    dimensions: list[DimensionSummary] = []
    skipped: dict[str, str] = {}
    for dimension, scale in source.scales.items():
        own = ratings[ratings["dimension"] == dimension]
        people = own[own["rater"] != settings.judge]
        as_table = partial(
            pivot,
            level=scale.level,
            categories=scale.categories,
            cluster_name=cluster_name,
            declared=scale.declared,
        )
        try:
            alone = as_table(people)
        except NoPairsError as e:
            skipped[dimension] = str(e)
            continue
        tables[dimension] = alone if len(people) == len(own) else as_table(own)
        dimensions.append(_dimension(dimension, people, alone, scale, settings, source.nameless))
    if not dimensions:
        raise NoPairsError(f"{name}: {next(iter(skipped.values()))}")
    if groups_of_raters(source.ratings, source.group_name):
        source = source.noted(
            "every rater is in one group: groups are taken as groups of raters of the same items"
        )
    summary = Summary(
        source=name,
        reading=source.reading,
        simulated=source.simulated,
        dimensions=tuple(dimensions),
        differences=tuple(_differences(ratings, tables, settings)),
        raters=settings.raters,
        judge=settings.judge,
        confidence=settings.confidence,
        seed=settings.seed,
        skipped=skipped,
    )
    return summary.model_copy(update={"methods": paragraph(summary)})


def _statistics(table: Table, settings: AgreementSettings) -> list[Statistic]:
    """Those that suit the scale, and those asked for, with the weights asked for; each once."""
    own = suited(table.scale)
    asked: list[Statistic] = [(s, settings.weights) if settings.weights else s for s in settings.statistics]
    return own + [s for s in dict.fromkeys(asked) if s not in own]


def _dimension(
    name: str, own: pd.DataFrame, table: Table, scale: ScaleFound, settings: AgreementSettings, nameless: bool
) -> DimensionSummary:
    rows = estimates(
        table,
        _statistics(table, settings),
        dimension=name,
        raters=settings.raters,
        confidence=settings.confidence,
        replicates=settings.replicates,
        seed=settings.seed,
    )
    varies = bind(table, "krippendorff_alpha").why_undefined() is None
    notes = []
    several = [f"{{{', '.join(sorted(map(str, g)))}}}" for g in groups(table)]
    if len(several) > 1:
        notes.append(f"raters in groups without a common item: {' '.join(several)}")
    if not table.scale.declared and not table.scale.continuous and not table.scale.sets:
        notes.append(
            "categories not declared: AC and Brennan-Prediger, which count unused ones, are left out"
        )
    plan = None
    if settings.half_width is not None:
        try:
            plan = from_pilot(table, settings.half_width, minutes=settings.minutes)
        except DataError as e:
            notes.append(f"no plan: {e}")
    independent, unit = table.independent
    return DimensionSummary(
        name=name,
        level=table.scale.level,
        categories=table.scale.labels,
        declared=table.scale.declared,
        assumed=scale.assumed,
        n_items=len(table.units),
        n_raters=rows[0].n_raters,
        n_ratings=int(table.seen.sum()),
        n_missing=int(own["value"].isna().sum()),
        n_lone=int((table.seen == 1).sum()),
        independent=independent,
        unit=unit,
        agreement=tuple(noted(rows, table)),
        raters=() if nameless else _raters(own, table, settings),
        pairs=() if nameless else tuple(pair_rows(table)),
        items=tuple(item_rows(table, settings.items)) if varies else (),
        disagreement=_curve(table) if varies else (),
        categories_used=tuple(category_rows(table, SHOWN)),
        plan=plan,
        notes=tuple(notes),
    )


def _curve(table: Table) -> tuple[float, ...]:
    """Disagreement of the items, highest first; of very many items evenly spaced ones."""
    each = disagreement(table)
    falling = np.sort(each[~np.isnan(each)])[::-1]
    if len(falling) > CURVE:
        falling = falling[np.linspace(0, len(falling) - 1, CURVE).round().astype(int)]
    return tuple(falling.tolist())


def _raters(own: pd.DataFrame, table: Table, settings: AgreementSettings) -> tuple[RaterRow, ...]:
    return tuple(
        rater_rows(
            table,
            order=orders(own, table),
            confidence=settings.confidence,
            seed=settings.seed,
            replicates=settings.replicates or 10_000,
        )
    )


def _differences(
    ratings: pd.DataFrame, tables: Mapping[str, Table], settings: AgreementSettings
) -> list[Difference]:
    """Comparisons and the judge, one family. Tables keep their clusters here: they carry the pairing."""
    replicates = settings.replicates or 10_000
    margin, confidence, seed = settings.margin, settings.confidence, settings.seed
    side_by_side = partial(compare, margin=margin, confidence=confidence, replicates=replicates, seed=seed)
    in_place = partial(judge, margin=margin, confidence=confidence, replicates=replicates, seed=seed)
    out: list[Difference] = []
    for kind in settings.compare:
        if kind == "dimensions":
            sides = [_side(name, ratings[ratings["dimension"] == name], t) for name, t in tables.items()]
            out += side_by_side(list(combinations(sides, 2)))
        elif kind == "groups":
            for name, table in tables.items():
                own = ratings[ratings["dimension"] == name]
                out += side_by_side(_groups(own, name, table), dimension=name)
        else:
            raise StudyError(not_one_of("comparison", kind, ("dimensions", "groups")))
    if settings.judge is not None:
        out += [in_place(t, settings.judge, dimension=name) for name, t in tables.items()]
    return adjusted(out)


def _groups(own: pd.DataFrame, name: str, table: Table) -> list[tuple[Side, Side]]:
    """The groups of a dimension, two and two."""
    found = sorted(own["group"].unique())
    if len(found) < 2:
        only = repr(found[0]) if found[0] else "no group"
        raise DataError(
            f"groups: {name!r} has {only} alone; two are needed. Name their column: --column group=."
        )
    return list(combinations([_side(g, own[own["group"] == g], table) for g in found], 2))


def _side(name: str, own: pd.DataFrame, like: Table) -> Side:
    scale = like.scale
    return Side(
        name,
        pivot(
            own, scale.level, scale.categories, like.cluster_name, declared=scale.declared, all_clusters=True
        ),
    )
