"""The ratings of a study: of its run folder, or of what is in so far."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ....annotate.records import Dimension, Rating, Rubric, Task
from ....study import layout
from ....study.files import rows
from ....study.records import read_jsonl, read_record
from ....synth.records import Rationale
from .answers import MAIN, of_ratings
from .settle import settled
from .source import FileReading, RatingReadSettings, RatingSource, ScaleFound, Unsettled


def run_folder(path: Path, settings: RatingReadSettings) -> RatingSource:
    """The ratings of a run folder's ratings.jsonl, with the scales of its rubric."""
    rubric = path.parent / layout.RUBRIC.name
    return of_study(
        list(read_jsonl(path, Rating)),
        read_record(rubric, Rubric) if rubric.exists() else None,
        rows(path.parent / layout.TASKS.name, Task),
        rows(layout.RATIONALES.at(path.parent.parent), Rationale),
        settings,
        path.name,
    )


def of_study(
    ratings: Sequence[Rating],
    rubric: Rubric | None,
    tasks: Sequence[Task],
    rationales: Sequence[Rationale],
    settings: RatingReadSettings | None = None,
    name: str = layout.RATINGS.name,
) -> RatingSource:
    """The independent grades of a study: the main round, without planted controls, people's where there are some.

    The groups are the styles of the rationales.

    Args:
        ratings: all of them.
        rubric: the scales; None guesses them.
        tasks: who graded what, in which order.
        rationales: with their styles.
        settings: levels and categories that the user sets instead.
        name: for messages.
    """
    settings = settings or RatingReadSettings()
    controls = {t.item for t in tasks if t.control}
    people = [r for r in ratings if not r.simulated] or list(ratings)
    kept = [r for r in people if r.item not in controls and r.round == MAIN]
    counts = (
        (len(ratings) - len(people), "ratings of simulated raters beside people's"),
        (len(people) - len(kept), "ratings of planted controls or of other rounds than the main one"),
    )
    notes = tuple(f"left out: {n:,} {what}" for n, what in counts if n)
    answers, cluster_name = of_ratings(kept, {(t.item, t.rater): t.order for t in tasks})
    style = {r.id: r.style for r in rationales}
    answers["group"] = pd.Series([style.get(r.rationale, "") for r in kept], dtype=object)
    declared = {d.name: d for d in rubric.dimensions} if rubric else {}
    raw = Unsettled(
        name,
        "ratings of a study",
        "the main round",
        answers,
        {"item": "rationale or claim", "rater": "rater", "cluster": cluster_name, "group": "style"},
        notes=notes,
        categories={n: d.categories for n, d in declared.items()},
        levels={n: d.level for n, d in declared.items()},
        closed=True,
        cluster_name=cluster_name,
        group_name="system",
    )
    if answers.empty:
        return RatingSource(answers, {}, _reading(raw), cluster_name)
    source = settled(raw, settings)
    order = [n for n in declared if n in source.scales] + [n for n in source.scales if n not in declared]
    scales = {n: _as_declared(n, source.scales[n], declared.get(n), settings) for n in order}
    return source._replace(scales=scales, simulated=bool(kept) and kept[0].simulated)


def _as_declared(
    name: str, scale: ScaleFound, dimension: Dimension | None, settings: RatingReadSettings
) -> ScaleFound:
    level = settings.levels.get(name) or settings.levels.get("")
    return scale._replace(assumed=dimension is None and level is None)


def _reading(raw: Unsettled) -> FileReading:
    return FileReading(
        source=raw.name, format=raw.format, shape=raw.shape, columns=raw.columns, notes=raw.notes
    )
