"""From the ratings of a study to agreement: one table a dimension, one row a coefficient."""

from collections.abc import Sequence

import pandas as pd

from ...annotate.records import Dimension, Rating, Rubric
from ..records import Agreement
from .coefficients.table import Scale
from .notes import noted
from .reading.answers import MAIN, of_ratings, pivot
from .uncertainty.estimate import Statistic, estimates


def agreements(
    ratings: Sequence[Rating],
    rubric: Rubric,
    seed: int,
    replicates: int | None = None,
) -> list[Agreement]:
    """Agreement on every dimension of a rubric, by every coefficient that suits its scale.

    Only independent grades count: those of the main round. People's and programs' are never mixed; each has rows
    of its own.

    Args:
        ratings: all of them.
        rubric: declares scales and categories.
        seed: of the bootstrap.
        replicates: bootstrap draws; None: as `estimates`.
    Returns:
        One row a dimension and coefficient, in the order of the rubric; without a value, but with the reason,
        where too little was rated.
    Raises:
        DataError: a rating outside its scale, two ratings of one thing by one rater.
    """
    out: list[Agreement] = []
    for simulated in (False, True):
        kind = [r for r in ratings if r.simulated is simulated]
        if not kind and (simulated or ratings):
            continue
        answers, cluster_name = of_ratings([r for r in kind if r.round == MAIN])
        for dimension in rubric.dimensions:
            own = answers[answers["dimension"] == dimension.name]
            rows = _dimension(own, dimension, cluster_name, seed, replicates)
            out += [row.model_copy(update={"simulated": simulated}) for row in rows]
    return out


def suited(scale: Scale) -> list[Statistic]:
    """What is reported for a scale: alpha first, and what keeps it from being misread.

    AC is never alone, and neither is alpha where prevalence can deceive it.
    """
    if scale.sets:
        return [("krippendorff_alpha", "masi"), ("krippendorff_alpha", "jaccard"), "percent_agreement"]
    names: list[Statistic] = ["krippendorff_alpha"]
    if scale.level in ("nominal", "ordinal") and scale.declared:
        names.append("gwet_ac")
    if not scale.continuous:
        names.append("percent_agreement")
    if scale.level == "ordinal" and scale.declared and len(scale.categories) > 2:
        names.append("within_one_agreement")
    if scale.level == "nominal" and len(scale.categories) == 2:
        names += [f"specific_agreement:{c}" for c in scale.categories]
    return names


def _dimension(
    own: pd.DataFrame, dimension: Dimension, cluster_name: str, seed: int, replicates: int | None
) -> list[Agreement]:
    names = suited(Scale(dimension.level, dimension.categories, declared=True))
    raters, items = own["rater"].nunique(), own["item"].nunique()
    if raters < 2 or len(own) == items:
        why = f"{items} items by {raters} raters, none rated by two: agreement needs items in common"
        return [
            Agreement(
                dimension=dimension.name,
                statistic=name if isinstance(name, str) else name[0],
                value=None,
                why_missing=why,
                n_items=items,
                n_raters=raters,
                n_ratings=len(own),
            )
            for name in names
        ]
    table = pivot(own, dimension.level, dimension.categories, cluster_name)
    rows = estimates(table, names, dimension=dimension.name, replicates=replicates, seed=seed)
    return noted(rows, table)
