"""Raters who read items twice: does each agree with himself or herself?"""

import pandas as pd

from ...records import Agreement
from ..coefficients.table import NoPairsError
from ..reading.answers import pivot
from ..reading.source import ScaleFound
from ..reading.words import as_number
from ..uncertainty.estimate import Statistic, estimates
from .records import RepeatRow


def first_readings(own: pd.DataFrame) -> pd.DataFrame:
    """Every rater's first reading of every item: what is compared between raters.

    First is the lowest number; of readings with names, the one that was given earlier, or stands first in the file.
    """
    if (own["replicate"] == "").all():
        return own
    rank = {name: i for i, name in enumerate(_in_order(own))}
    ranked = own.assign(_rank=own["replicate"].map(rank)).sort_values("_rank", kind="stable")
    first = ranked.drop_duplicates(["item", "rater", "dimension", "group"])
    return first.sort_index().drop(columns="_rank")


def _in_order(own: pd.DataFrame) -> list[str]:
    """The names of the readings, first to last."""
    names = [str(n) for n in own["replicate"].unique()]
    numbers = [as_number(n) for n in names]
    if all(n is not None for n in numbers):
        return [n for _, n in sorted(zip(numbers, names, strict=True))]
    time = own.groupby("replicate", sort=False)["order"].mean()
    return names if time.isna().any() else [str(n) for n in time.sort_values(kind="stable").index]


def repeat_rows(
    own: pd.DataFrame,
    scale: ScaleFound,
    statistics: list[Statistic],
    cluster_name: str = "cluster",
    *,
    confidence: float = 0.95,
    replicates: int | None = None,
    seed: int = 0,
) -> list[RepeatRow]:
    """Agreement of each rater's readings of the same items, by the coefficients that suit the scale.

    Args:
        own: ratings of one dimension.
        scale: of the dimension.
        statistics: names, with weights where the level's own are not wanted.
        cluster_name: what a cluster is, in a word.
        confidence: of the intervals.
        replicates: bootstrap draws.
        seed: of the draws.
    """
    if (own["replicate"] == "").all():
        return []
    out = []
    for rater, part in own.groupby("rater", sort=True):
        readings = part.assign(rater=part["replicate"])
        n = int((readings.groupby("item")["replicate"].nunique() > 1).sum())
        row = RepeatRow(rater=str(rater), n=n, readings=int(readings["replicate"].nunique()))
        try:
            table = pivot(readings, scale.level, scale.categories, cluster_name, declared=scale.declared)
        except NoPairsError:
            out.append(row.model_copy(update={"why_missing": "read no item twice"}))
            continue
        rows: list[Agreement] = estimates(
            table, statistics, confidence=confidence, replicates=replicates, seed=seed
        )
        out.append(row.model_copy(update={"agreement": tuple(rows)}))
    return out
