"""All of it for one set of ratings: coefficients, raters, items, comparisons, planning, and the methods paragraph."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from itertools import combinations

from pydantic import Field

from ...annotate.records import Dimension
from ...study.errors import DataError, StudyError, not_one_of
from ...study.records import Level, Record
from .coefficients.table import NoPairsError, Table
from .compare import Side, adjusted, compare, judge
from .methods import paragraph
from .notes import noted
from .planning import from_pilot
from .raters.items import category_rows, item_rows
from .raters.rows import pair_rows, rater_rows
from .raters.severity import groups
from .reading.answers import Answer, by_group, groups_of_raters, orders, pivot
from .reading.files import Source, as_number
from .records import Difference, DimensionSummary, Summary
from .rubric import suited
from .uncertainty.estimate import Raters, Statistic, estimates


class Wanted(Record):
    """What is to be computed."""

    levels: dict[str, Level] = Field(default_factory=dict)
    """By dimension; the key "" holds for those not named."""
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """All that raters could give, in order, by dimension; "" as above."""
    statistics: tuple[str, ...] = ()
    """Beside those that suit the scale."""
    weights: str | None = None
    raters: Raters = "fixed"
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    replicates: int | None = Field(default=None, ge=200)
    seed: int = Field(default=0, ge=0)
    compare: tuple[str, ...] = ()
    """`dimensions`, `groups`."""
    judge: str | None = None
    """A rater that is compared with the others, and left out of everything else."""
    margin: float | None = Field(default=None, gt=0)
    half_width: float | None = Field(default=None, gt=0)
    """Plan for an interval this wide to each side, these ratings being the pilot."""
    minutes: float | None = Field(default=None, gt=0)
    """That a rater takes for an item."""
    items: int = Field(default=10, ge=0)
    """How many of the most disputed."""


def summarise(name: str, source: Source, wanted: Wanted) -> Summary:
    """Everything about a set of ratings.

    Args:
        name: of the source, for the text.
        source: the ratings.
        wanted: what to compute.
    Raises:
        DataError: ratings that cannot be used, by row.
        StudyError: an unknown dimension, coefficient, weighting or comparison.
    """
    if not source.answers:
        raise DataError(f"{name}: no ratings.")
    answers = by_group(source.answers)
    own_clusters = any(a.cluster for a in source.answers)
    cluster_name = source.cluster_name if own_clusters else "item"  # an item rated in several groups
    names = list(dict.fromkeys(a.dimension for a in answers))
    names.sort(key=lambda n: list(source.rubric).index(n) if n in source.rubric else -1)
    for asked in (set(wanted.levels) | set(wanted.categories)) - {""} - set(names):
        raise StudyError(not_one_of("dimension", asked, names))
    tables: dict[str, Table] = {}
    made: list[DimensionSummary] = []
    skipped: dict[str, str] = {}
    for n in names:
        own = [a for a in answers if a.dimension == n]
        level, categories, assumed = _scale(n, own, source.rubric.get(n), wanted)
        own = _as_declared(own, categories)
        people = [a for a in own if a.rater != wanted.judge]
        try:
            alone = pivot(people, level, categories, cluster_name)
        except NoPairsError as e:
            skipped[n] = str(e)
            continue
        tables[n] = alone if len(people) == len(own) else pivot(own, level, categories, cluster_name)
        made.append(_dimension(n, people, alone, assumed, wanted))
    if not made:
        raise NoPairsError(f"{name}: {next(iter(skipped.values()))}")
    summary = Summary(
        source=name,
        simulated=source.simulated,
        dimensions=tuple(made),
        differences=tuple(_differences(answers, tables, wanted)),
        raters=wanted.raters,
        judge=wanted.judge,
        confidence=wanted.confidence,
        seed=wanted.seed,
        skipped=skipped,
        note=" ".join(filter(None, (source.note, _grouped(source.answers)))),
    )
    return summary.model_copy(update={"methods": paragraph(summary)})


def _grouped(answers: Sequence[Answer]) -> str:
    if not groups_of_raters(answers):
        return ""
    return "Every rater is in one group: groups are taken as groups of raters who saw the same items."


def _scale(
    name: str, own: Sequence[Answer], dimension: Dimension | None, wanted: Wanted
) -> tuple[Level, tuple[Hashable, ...] | None, bool]:
    """Level, categories where declared, and whether the level is a guess."""
    level = wanted.levels.get(name, wanted.levels.get(""))
    text = wanted.categories.get(name, wanted.categories.get(""))
    if dimension is not None:
        return level or dimension.level, text or dimension.categories, False
    numbers = all(isinstance(a.value, int | float) for a in own if a.value is not None)
    categories: tuple[Hashable, ...] | None = None
    if text is not None:
        parsed = [as_number(t) for t in text]
        categories = tuple(parsed) if numbers and None not in parsed else text
    if level is not None:
        return level, categories, False
    whole = all(isinstance(a.value, int) for a in own if a.value is not None)
    two = len({a.value for a in own if a.value is not None}) <= 2
    return ("nominal" if two or not numbers else "ordinal" if whole else "interval"), categories, True


def _as_declared(own: Sequence[Answer], categories: Sequence[Hashable] | None) -> list[Answer]:
    """Values as the declared categories write them, where those are words and the values were read as numbers."""
    if categories is None or not all(isinstance(c, str) for c in categories):
        return list(own)
    return [a if a.value is None else a._replace(value=str(a.value)) for a in own]


def _dimension(
    name: str, own: Sequence[Answer], made: Table, assumed: bool, wanted: Wanted
) -> DimensionSummary:
    statistics: list[Statistic] = suited(made.scale)
    statistics += [(s, wanted.weights) for s in wanted.statistics if s not in statistics]
    rows = estimates(
        made,
        statistics,
        dimension=name,
        raters=wanted.raters,
        confidence=wanted.confidence,
        replicates=wanted.replicates,
        seed=wanted.seed,
    )
    items = item_rows(made) if rows[0].value is not None else []
    several = [f"{{{', '.join(sorted(map(str, g)))}}}" for g in groups(made)]
    notes = [f"raters in groups without a common item: {' '.join(several)}"] if len(several) > 1 else []
    if not made.scale.declared:
        notes.append(
            "categories not declared: AC and Brennan-Prediger, which count unused ones, are left out"
        )
    plan = None
    if wanted.half_width is not None:
        try:
            plan = from_pilot(made, wanted.half_width, minutes=wanted.minutes)
        except DataError as e:
            notes.append(f"no plan: {e}")
    independent, unit = made.independent
    return DimensionSummary(
        name=name,
        level=made.scale.level,
        categories=tuple(str(c) for c in made.scale.categories),
        declared=made.scale.declared,
        assumed=assumed,
        n_items=len(made.units),
        n_raters=rows[0].n_raters,
        n_ratings=int(made.seen.sum()),
        n_missing=sum(a.value is None for a in own),
        n_lone=int((made.seen == 1).sum()),
        independent=independent,
        unit=unit,
        agreement=tuple(noted(rows, made)),
        raters=tuple(
            rater_rows(
                made, order=orders(own, made), confidence=wanted.confidence, seed=wanted.seed,
                replicates=wanted.replicates or 10_000,
            )
        ),
        pairs=tuple(pair_rows(made)),
        items=tuple(items[: wanted.items]),
        disagreement=tuple(i.disagreement for i in items),
        categories_used=tuple(category_rows(made)),
        plan=plan,
        notes=tuple(notes),
    )  # fmt: skip


def _differences(answers: Sequence[Answer], tables: Mapping[str, Table], wanted: Wanted) -> list[Difference]:
    """Comparisons and the judge, one family. Tables keep their clusters here: they carry the pairing."""
    replicates = wanted.replicates or 10_000
    side_by_side = partial(
        compare, margin=wanted.margin, confidence=wanted.confidence, replicates=replicates, seed=wanted.seed
    )
    out: list[Difference] = []
    for kind in wanted.compare:
        if kind == "dimensions":
            sides = [
                _side(name, [a for a in answers if a.dimension == name], t) for name, t in tables.items()
            ]
            out += side_by_side(list(combinations(sides, 2)))
        elif kind == "groups":
            for name, made in tables.items():
                own = [a for a in answers if a.dimension == name]
                out += side_by_side(_groups(own, name, made), dimension=name)
        else:
            raise StudyError(not_one_of("comparison", kind, ("dimensions", "groups")))
    if wanted.judge is not None:
        out += [
            judge(
                made, wanted.judge, margin=wanted.margin, dimension=name, confidence=wanted.confidence,
                replicates=replicates, seed=wanted.seed,
            )
            for name, made in tables.items()
        ]  # fmt: skip
    return adjusted(out)


def _groups(own: Sequence[Answer], name: str, made: Table) -> list[tuple[Side, Side]]:
    """The groups of a dimension, two and two."""
    found = sorted({a.group for a in own})
    if len(found) < 2:
        only = repr(found[0]) if found[0] else "no group"
        raise DataError(
            f"groups: {name!r} has {only} alone; two are needed. Name their column: --column group=."
        )
    return list(combinations([_side(g, [a for a in own if a.group == g], made) for g in found], 2))


def _side(name: str, own: Sequence[Answer], like: Table) -> Side:
    categories = like.scale.categories
    return Side(
        name,
        pivot(
            _as_declared(own, categories), like.scale.level, categories, like.cluster_name, all_clusters=True
        ),
    )
