"""All of it for one set of ratings: dimensions, comparisons, scales of several items, and the methods paragraph."""

from collections.abc import Hashable, Iterable, Mapping
from functools import partial
from itertools import combinations

import pandas as pd

from ...study.errors import DataError, StudyError, not_one_of
from .coefficients.table import NoPairsError, RatingTable
from .compare import Side, adjusted, compare, judge
from .dimension import DimensionRatings, dimension_summary
from .instrument import instrument, with_total
from .methods import paragraph
from .models.fits import with_models
from .raters.replicates import first_readings
from .reading.answers import by_group, groups_of_raters, pivot
from .reading.source import RatingSource, ScaleFound
from .records import Difference, DimensionSummary, InstrumentSummary, Summary
from .settings import AgreementSettings


def summarise(source: RatingSource, settings: AgreementSettings) -> Summary:
    """Everything about a set of ratings.

    Args:
        source: the ratings, with their scales.
        settings: what to compute.
    Raises:
        DataError: ratings that cannot be used, by row.
        StudyError: an unknown coefficient, weighting, comparison or rater.
    """
    name = source.reading.source
    if source.ratings.empty:
        raise DataError(f"{name}: no ratings.")
    check(source, settings)
    source, instruments = _with_instruments(source, settings)
    source = _with_reference(source, settings)
    ratings = by_group(source.ratings, source.group_name)
    firsts = first_readings(ratings)
    tables: dict[str, RatingTable] = {}
    dimensions: list[DimensionSummary] = []
    skipped: dict[str, str] = {}
    own_clusters = bool((source.ratings["cluster"] != "").any())
    cluster_name = source.cluster_name if own_clusters else "item"  # an item rated in several groups
    for dimension, scale in source.scales.items():
        own = firsts[firsts["dimension"] == dimension]
        as_table = partial(_table, scale=scale, cluster_name=cluster_name)
        people = _people(own, settings)
        try:
            alone = as_table(people)
        except NoPairsError as e:
            skipped[dimension] = str(e)
            continue
        tables[dimension] = alone if settings.judge is None else as_table(own)
        readings = _people(ratings[ratings["dimension"] == dimension], settings)
        standard = _standard(own, source)
        parts = DimensionRatings(dimension, alone, people, readings, scale, standard, source.nameless)
        dimensions.append(dimension_summary(parts, settings))
    if not dimensions:
        column = source.reading.columns.get("replicate")
        hint = f" To compare repeated readings of one rater: --column rater={column}." if column else ""
        raise NoPairsError(f"{name}: {next(iter(skipped.values()))}{hint}")
    _check_statistics(dimensions, settings)
    dimensions = with_models(dimensions, tables, settings)
    summary = Summary(
        source=name,
        reading=_noted(source, ratings).reading,
        simulated=source.simulated,
        dimensions=tuple(dimensions),
        differences=tuple(_differences(firsts, tables, settings)),
        instruments=tuple(instruments),
        raters=settings.raters,
        judge=settings.judge,
        reference=settings.reference or source.reading.columns.get("reference"),
        confidence=settings.confidence,
        seed=settings.seed,
        skipped=skipped,
    )
    return summary.model_copy(update={"methods": paragraph(summary)})


def check(source: RatingSource, settings: AgreementSettings) -> None:
    """Nothing that was asked for is left out without a word.

    Raises:
        StudyError: weights of no coefficient, a rater that there is not, a rater with two offices.
    """
    if settings.weights and not settings.statistics:
        raise StudyError("--weights: of which coefficient? Name it, such as --statistic cohen_kappa.")
    raters = sorted(map(str, source.ratings["rater"].unique()))
    for option, who in (("judge", settings.judge), ("reference", settings.reference)):
        if who is not None and who not in raters:
            raise StudyError(f"--{option}: {not_one_of('rater', who, raters)}")
    if settings.judge is not None and settings.judge == settings.reference:
        raise StudyError(f"--judge and --reference: both are {settings.judge!r}; a rater can be one of them.")


def _check_statistics(dimensions: Iterable[DimensionSummary], settings: AgreementSettings) -> None:
    """Every coefficient asked for suits some dimension.

    Raises:
        DataError: one suits none, with the reason.
    """
    for name in settings.statistics:
        rows = [row for d in dimensions for row in d.agreement if row.statistic == name]
        if rows and all(row.value is None and not row.method and row.weights == "" for row in rows):
            refused = [row.why_missing or "" for row in rows]
            raise DataError(f"{refused[0]}.")


def _table(own: pd.DataFrame, scale: ScaleFound, cluster_name: str) -> RatingTable:
    return pivot(own, scale.level, scale.categories, cluster_name, declared=scale.declared)


def _people(own: pd.DataFrame, settings: AgreementSettings) -> pd.DataFrame:
    """Ratings of all but the judge; the reference is out already."""
    return own[own["rater"] != settings.judge]


def _with_instruments(
    source: RatingSource, settings: AgreementSettings
) -> tuple[RatingSource, list[InstrumentSummary]]:
    """The source with the mean of each scale of several items, and their internal consistency."""
    summaries = []
    out = source
    outside = {settings.judge, settings.reference}
    people = source._replace(ratings=source.ratings[~source.ratings["rater"].isin(outside)])
    for name, dimensions in settings.instruments.items():
        summaries.append(
            instrument(
                people,
                name,
                dimensions,
                confidence=settings.confidence,
                replicates=settings.replicates or 10_000,
                seed=settings.seed,
            )
        )
        out = with_total(out, name, dimensions)
    return out, summaries


def _with_reference(source: RatingSource, settings: AgreementSettings) -> RatingSource:
    """A rater who is the reference standard is no rater."""
    if settings.reference is None:
        return source
    own = source.ratings["rater"] == settings.reference
    standard = source.ratings[own & source.ratings["value"].notna()]
    if standard.duplicated(["item", "dimension"]).any():
        standard = standard[~standard.duplicated(["item", "dimension"])]
        source = source.noted(
            f"{settings.reference} rated some items twice; the first rating is the reference"
        )
    return source._replace(
        ratings=source.ratings[~own],
        reference=standard[["item", "dimension", "value"]].reset_index(drop=True),
    )


def _standard(own: pd.DataFrame, source: RatingSource) -> Mapping[Hashable, Hashable]:
    """Item of the table -> value of the reference standard."""
    if source.reference is None or own.empty:
        return {}
    rows = source.reference[source.reference["dimension"] == own["dimension"].iloc[0]]
    value = dict(zip(rows["item"], rows["value"], strict=True))
    name = dict(zip(own["item"], source.ratings["item"].reindex(own.index), strict=True))
    return {item: value[plain] for item, plain in name.items() if plain in value}


def _noted(source: RatingSource, ratings: pd.DataFrame) -> RatingSource:
    """The source, with how groups and repeated readings were taken."""
    if groups_of_raters(source.ratings, source.group_name):
        source = source.noted(
            "every rater is in one group: groups are taken as groups of raters of the same items"
        )
    if (ratings["replicate"] != "").any():
        source = source.noted(
            "items were read more than once: the first readings are compared between raters, all readings within each"
        )
    return source


def _differences(
    ratings: pd.DataFrame, tables: Mapping[str, RatingTable], settings: AgreementSettings
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


def _groups(own: pd.DataFrame, name: str, table: RatingTable) -> list[tuple[Side, Side]]:
    """The groups of a dimension, two and two."""
    names = sorted(own["group"].unique())
    if len(names) < 2:
        only = repr(names[0]) if names[0] else "no group"
        raise DataError(
            f"groups: {name!r} has {only} alone; two are needed. Name their column: --column group=."
        )
    return list(combinations([_side(g, own[own["group"] == g], table) for g in names], 2))


def _side(name: str, own: pd.DataFrame, like: RatingTable) -> Side:
    scale = like.scale
    return Side(
        name,
        pivot(
            own, scale.level, scale.categories, like.cluster_name, declared=scale.declared, all_clusters=True
        ),
    )
