"""Ratings of a study become rows of agreement."""

import pytest

from wherefore.analysis.agreement import agreements
from wherefore.annotate.records import Dimension, Rating, Rubric
from wherefore.study.errors import DataError

RUBRIC = Rubric(
    name="r",
    dimensions=(
        Dimension(name="accuracy", question="?", level="ordinal", categories=("1", "2", "3", "4", "5")),
        Dimension(name="support", question="?", level="nominal", categories=("no", "yes"), per_claim=True),
    ),
)


def rating(
    item: int, rater: str, value: str, dimension: str = "accuracy", claim: int | None = None, **more: bool
) -> Rating:
    name = str(item)
    return Rating(
        item=name,
        rationale=f"r{name}",
        case=f"c{name}",
        rater=rater,
        dimension=dimension,
        claim=claim,
        value=value,
        **more,
    )


def test_one_row_a_dimension_and_coefficient_with_the_value_by_hand() -> None:
    pairs = [("1", "1"), ("1", "2"), ("2", "2")]
    ratings = [rating(i, g, v) for i, values in enumerate(pairs) for g, v in zip("ab", values, strict=True)]
    rows = {(r.dimension, r.statistic): r for r in agreements(ratings, RUBRIC, seed=1, replicates=200)}
    alpha = rows["accuracy", "krippendorff_alpha"]
    assert alpha.value == pytest.approx(
        4 / 9
    )  # two categories used: the ordinal metric equals the nominal one
    assert rows["accuracy", "percent_agreement"].value == pytest.approx(2 / 3)
    assert (alpha.n_items, alpha.n_raters, alpha.n_ratings) == (3, 2, 6)
    nothing = rows["support", "krippendorff_alpha"]
    assert nothing.value is None
    assert "none rated by two" in str(nothing.why_missing)


def test_claims_are_resampled_by_rationale() -> None:
    ratings = [
        rating(i, g, "yes" if (i + c + (g == "b") * (i % 3 == 0)) % 2 else "no", "support", claim=c)
        for i in range(40)
        for c in range(3)
        for g in "ab"
    ]
    rows = [r for r in agreements(ratings, RUBRIC, seed=1, replicates=300) if r.dimension == "support"]
    assert all("by rationale (n = 40)" in r.method for r in rows)
    assert rows[0].n_items == 120


def test_people_and_programs_are_never_mixed() -> None:
    people = [rating(i, g, str(1 + (i + (g == "b")) % 2)) for i in range(5) for g in "ab"]
    programs = [rating(i, g, str(1 + i % 3), simulated=True) for i in range(5) for g in "cd"]
    rows = agreements(people + programs, RUBRIC, seed=1, replicates=100)
    by = {r.simulated: r for r in rows if r.statistic == "percent_agreement" and r.dimension == "accuracy"}
    assert by[False].value == 0
    assert by[True].value == 1
    assert by[True].n_raters == 2


def test_a_thing_rated_twice_by_one_rater_is_refused() -> None:
    with pytest.raises(DataError, match=r"item '1', rater 'a', 'accuracy'\. Keep one"):
        agreements([rating(1, "a", "1"), rating(1, "b", "1"), rating(1, "a", "2")], RUBRIC, 0, 10)
