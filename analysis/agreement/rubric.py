"""From the ratings of a study to agreement: one table a dimension, one row a coefficient."""

from collections.abc import Sequence

from ...annotate.records import Dimension, Rating, Rubric
from ...study.errors import DataError
from ..records import Agreement
from .estimate import estimates
from .table import Table, table

ALWAYS: dict[str, tuple[str, ...]] = {
    "nominal": ("krippendorff_alpha", "percent_agreement"),
    "ordinal": ("krippendorff_alpha", "percent_agreement"),
    "interval": ("krippendorff_alpha", "percent_agreement"),
    "ratio": ("krippendorff_alpha", "percent_agreement"),
}
"""What is reported for a scale; agreement corrected for chance never stands alone."""


def agreements(
    ratings: Sequence[Rating], rubric: Rubric, seed: int, replicates: int = 10_000
) -> list[Agreement]:
    """Agreement on every dimension of a rubric, by every coefficient that suits its scale.

    Args:
        ratings: all of them; people's and simulated ones are never mixed and give rows of their own.
        rubric: declares scales and categories.
        seed: of the bootstrap.
        replicates: bootstrap draws.
    Returns:
        One row a dimension and coefficient, in the order of the rubric; without a value, but with the reason,
        where too little was rated.
    Raises:
        DataError: a rating outside its scale, two ratings of one thing by one rater.
    """
    out: list[Agreement] = []
    for simulated in (False, True):
        some = [r for r in ratings if r.simulated is simulated]
        if some or (not simulated and not ratings):
            for dimension in rubric.dimensions:
                own = [r for r in some if r.dimension == dimension.name]
                out += [
                    row.model_copy(update={"simulated": simulated})
                    for row in _dimension(own, dimension, seed, replicates)
                ]
    return out


def _dimension(own: list[Rating], dimension: Dimension, seed: int, replicates: int) -> list[Agreement]:
    names = ALWAYS[dimension.level]
    raters, units = {r.rater for r in own}, {(r.item, r.claim) for r in own}
    if len(raters) < 2 or len({(r.item, r.claim, r.rater) for r in own}) == len(units):
        why = (
            f"{len(units)} items by {len(raters)} raters, none rated by two: agreement needs items in common"
        )
        return [
            Agreement(
                dimension=dimension.name,
                statistic=name,
                value=None,
                why_missing=why,
                n_items=len(units),
                n_raters=len(raters),
                n_ratings=len(own),
            )
            for name in names
        ]
    made, unit = rated(own, dimension)
    return estimates(made, names, dimension=dimension.name, replicates=replicates, seed=seed, unit=unit)


def rated(own: Sequence[Rating], dimension: Dimension) -> tuple[Table, str]:
    """The table of one dimension, and what its independent unit is.

    Claims of a rationale are not independent, nor are rationales of one patient: where units share a rationale
    or a patient, that is the cluster.
    """
    cells: dict[tuple[str, int | None], dict[str, str]] = {}
    clusters: dict[tuple[str, int | None], tuple[str, str]] = {}
    for r in own:
        row = cells.setdefault((r.item, r.claim), {})
        if r.rater in row:
            claim = "" if r.claim is None else f", claim {r.claim}"
            raise DataError(f"ratings: {r.rater!r} rated item {r.item!r}{claim}, {r.dimension!r} twice.")
        row[r.rater] = r.value
        clusters[(r.item, r.claim)] = (r.case, r.rationale)
    raters = sorted({r.rater for r in own})
    rows = [[row.get(g) for g in raters] for row in cells.values()]
    cases = [clusters[u][0] for u in cells]
    rationales = [clusters[u][1] for u in cells]
    by, unit = [], "item"
    if len(set(rationales)) < len(cells):
        by, unit = rationales, "rationale"
    if len(set(cases)) < len(set(rationales)):
        by, unit = cases, "patient"
    return table(rows, dimension.level, dimension.categories, clusters=by or None), unit
