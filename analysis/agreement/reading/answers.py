"""Ratings one by one, wherever they come from, and the table they make."""

from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from ....annotate.records import Rating
from ....study.errors import DataError
from ....study.records import Level
from ..coefficients.table import Floats, Table, table

MAIN = "main"
"""The round whose grades were given independently; those of calibration and adjudication were not."""


class Answer(NamedTuple):
    """One value by one rater for one unit."""

    item: str
    rater: str
    value: Hashable
    """None: the rater was asked and gave none."""
    dimension: str = "value"
    cluster: str = ""
    """What the unit belongs to (a rationale, a patient); empty: it stands alone."""
    group: str = ""
    """What is compared: an arm, a system, a round."""
    order: float | None = None
    """When the rater gave it: a rank or a time, rising."""
    where: str = ""
    """File and row, for messages."""


def of_ratings(
    ratings: Sequence[Rating], order: dict[tuple[str, str], int] | None = None
) -> tuple[list[Answer], str]:
    """The ratings of a study, and what their clusters are.

    A claim is a unit. Its cluster is the rationale, or the patient where one patient has several rationales.

    Args:
        ratings: of any dimensions.
        order: (item, rater) -> place in the rater's own sequence.
    """
    rationales = Counter(case for case, _ in {(r.case, r.rationale) for r in ratings})
    by_patient = any(n > 1 for n in rationales.values())
    made = [
        Answer(
            item=r.item if r.claim is None else f"{r.item} claim {r.claim}",
            rater=r.rater,
            value=r.value,
            dimension=r.dimension,
            cluster=r.case if by_patient else r.rationale,
            group=r.round,
            order=(order or {}).get((r.item, r.rater)),
        )
        for r in ratings
    ]
    return made, "patient" if by_patient else "rationale"


def pivot(
    answers: Sequence[Answer],
    level: Level,
    categories: Sequence[Hashable] | None = None,
    cluster_name: str = "cluster",
    *,
    all_clusters: bool = False,
) -> Table:
    """The table of one dimension: units as they first appear, raters by name.

    Args:
        answers: of one dimension.
        level: of its scale.
        categories: all that raters could give; None takes those that occur.
        cluster_name: what a cluster is, in a word.
        all_clusters: keep clusters also where each has a single unit (they may carry the pairing of a comparison).

    Raises:
        DataError: two answers of one rater for one unit, with their rows; and as `table`.
    """
    units = list(dict.fromkeys(a.item for a in answers))
    raters = sorted({a.rater for a in answers})
    row, column = {u: i for i, u in enumerate(units)}, {g: i for i, g in enumerate(raters)}
    _check_once(answers)
    cells: list[list[Hashable]] = [[None] * len(raters) for _ in units]
    clusters = [""] * len(units)
    for a in answers:
        cells[row[a.item]][column[a.rater]] = a.value
        clusters[row[a.item]] = a.cluster
    shared = all(clusters) and (all_clusters or len(set(clusters)) < len(units))
    return table(
        cells,
        level,
        categories,
        clusters=clusters if shared else None,
        units=units,
        raters=raters,
        cluster_name=cluster_name,
    )


def by_group(answers: Sequence[Answer]) -> list[Answer]:
    """Where an item was rated in several groups (arms), each is a unit of its own and the item their cluster.

    Not where the groups are of raters: those rated the same.
    """
    if not _in_several(answers) or groups_of_raters(answers):
        return list(answers)
    return [a._replace(item=f"{a.item} ({a.group})", cluster=a.cluster or a.item) for a in answers]


def groups_of_raters(answers: Sequence[Answer]) -> bool:
    """Every rater is in one group, several of them have two raters or more, and items were rated in several."""
    pairs = {(a.rater, a.group) for a in answers}
    sizes = Counter(group for _, group in pairs)
    one_each = len(pairs) == len({a.rater for a in answers})
    return one_each and sum(n > 1 for n in sizes.values()) > 1 and _in_several(answers)


def _in_several(answers: Sequence[Answer]) -> bool:
    return len({(a.item, a.group) for a in answers}) > len({a.item for a in answers})


def orders(answers: Sequence[Answer], made: Table) -> Floats:
    """(units, raters) when each rating was given; NaN where that is not known."""
    row, column = {u: i for i, u in enumerate(made.units)}, {g: i for i, g in enumerate(made.raters)}
    out = np.full(made.codes.shape, np.nan)
    for a in answers:
        if a.order is not None and a.item in row:
            out[row[a.item], column[a.rater]] = a.order
    return out


def moment(text: str, where: str) -> float | None:
    """The number or the time that a text is; None for an empty one.

    Raises:
        DataError: it is neither.
    """
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as e:
        raise DataError(
            f"{where}: order: {text!r} is neither a number nor a time (2026-11-22T10:30:00)."
        ) from e


def _check_once(answers: Sequence[Answer]) -> None:
    first: dict[tuple[str, str], Answer] = {}
    twice = []
    for a in answers:
        before = first.setdefault((a.item, a.rater), a)
        if before is not a:
            twice.append((before, a))
    if twice:
        before, a = twice[0]
        places = f" ({before.where} and {a.where})" if a.where else ""
        raise DataError(
            f"ratings: {len(twice)} given twice; the first: item {a.item!r}, rater {a.rater!r}, "
            f"{a.dimension!r}{places}. Keep one of each."
        )
