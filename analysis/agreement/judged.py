"""A language model that graded by the rubric, beside the consensus of the people who did not see its grades."""

from collections.abc import Sequence

from ...annotate.records import Dimension, Rating, Rubric
from ...annotate.verdicts.consensus import by_unit
from ...study.records import Record
from ..records import Agreement
from .raters.records import PairRow
from .raters.rows import pair_rows
from .reading.answers import of_ratings, pivot
from .uncertainty.estimate import estimates

ROUNDS = ("calibration", "main")
"""Where people grade blind. The first is what the judge is calibrated on."""
JUDGE, PEOPLE = "judge", "people"


class JudgeRow(Record):
    """The judge and the people's consensus on one question, in one round."""

    round: str
    dimension: str
    alpha: Agreement
    """Krippendorff's, of two raters: the judge and the consensus."""
    same: Agreement
    """Share of answers that are equal."""
    shift: float | None
    """Mean of the judge minus the consensus, in categories; None on a nominal scale, or of fewer than 3 units."""
    confusion: dict[str, dict[str, int]]
    """How often people say each category, by what the judge says: how to read an answer of the judge."""


def with_judge(
    rubric: Rubric, judged: Sequence[Rating], people: Sequence[Rating], seed: int, replicates: int = 10_000
) -> list[JudgeRow]:
    """One row a round and dimension that the judge and the people share units of.

    Args:
        rubric: what both were asked.
        judged: the judge's grades.
        people: theirs, planted items left out; a unit without a consensus counts for nothing.
        seed: of the bootstrap.
        replicates: bootstrap draws.
    """
    judge_values = {(r.item, r.claim, r.dimension): r.value for r in judged}
    out = []
    for round in ROUNDS:
        agreed = by_unit((r for r in people if r.round == round and not r.simulated), rubric)
        for d in rubric.dimensions:
            units = [u for u in agreed if u[2] == d.name and u in judge_values]
            if not units:
                continue
            rows = [_as(PEOPLE, agreed[u][1], agreed[u][0]) for u in units]
            rows += [_as(JUDGE, agreed[u][1], judge_values[u]) for u in units]
            answers, cluster = of_ratings(rows)
            table = pivot(answers, d.level, d.categories, cluster)
            names = ("krippendorff_alpha", "percent_agreement")
            alpha, same = estimates(table, names, dimension=d.name, replicates=replicates, seed=seed)
            (pair,) = pair_rows(table)
            out.append(
                JudgeRow(
                    round=round,
                    dimension=d.name,
                    alpha=alpha,
                    same=same,
                    shift=pair.bias,
                    confusion=_confusion(pair, d),
                )
            )
    return out


def _confusion(pair: PairRow, d: Dimension) -> dict[str, dict[str, int]]:
    """By what the judge says; empty for a scale of more than 20 categories."""
    rows = zip(d.categories, pair.confusion, strict=False)
    return {c: {x: n for x, n in zip(d.categories, row, strict=True) if n} for c, row in rows if any(row)}


def _as(rater: str, unit: Rating, value: str) -> Rating:
    return unit.model_copy(update={"rater": rater, "value": value})
