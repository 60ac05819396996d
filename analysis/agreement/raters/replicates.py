"""Raters who read items twice: does each agree with himself or herself?"""

import pandas as pd

from ...records import Agreement
from ..coefficients.table import NoPairsError
from ..reading.answers import pivot
from ..reading.source import ScaleFound
from ..records import RepeatRow
from ..uncertainty.estimate import Statistic, estimates


def first_readings(own: pd.DataFrame) -> pd.DataFrame:
    """Every rater's first reading of every item: what is compared between raters."""
    if (own["replicate"] == "").all():
        return own
    order = {name: i for i, name in enumerate(sorted(own["replicate"].unique(), key=_natural))}
    ranked = own.assign(_rank=own["replicate"].map(order)).sort_values("_rank", kind="stable")
    first = ranked.drop_duplicates(["item", "rater", "dimension"])
    return first.sort_index().drop(columns="_rank")


def _natural(name: str) -> tuple[int, float, str]:
    """Numbers by size, before words."""
    try:
        return 0, float(name), ""
    except ValueError:
        return 1, 0.0, name


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
