"""Input that has no answer says so; input that is wrong is refused in one line; odd types of cells are read."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from wherefore.analysis.agreement import COEFFICIENTS, coefficient, estimate, estimates, standard_error, table
from wherefore.analysis.agreement.reading.answers import frame, pivot
from wherefore.study.errors import DataError, StudyError

SAME = [[3, 3], [3, 3], [3, 3]]


@pytest.mark.parametrize("name", [n for n, c in COEFFICIENTS.items() if c.corrected])
def test_one_used_category_is_none_with_the_reason(name: str) -> None:
    name = f"{name}:3" if COEFFICIENTS[name].weights == "category" else name
    assert coefficient(SAME, name, "ordinal", categories=[1, 2, 3, 4, 5]) is None
    assert coefficient(SAME, name, "nominal") is None
    row = estimate(table(SAME, "ordinal", [1, 2, 3, 4, 5]), name)
    assert row.value is None
    assert "no variation: every rating of a unit with two or more is 3" in str(row.why_missing)


def test_a_lone_rating_of_another_category_is_still_no_variation() -> None:
    for name in ("krippendorff_alpha", "fleiss_kappa", "gwet_ac"):
        assert coefficient([*SAME, [1, None]], name, "nominal") is None


def test_shares_of_equal_ratings_are_one_and_have_no_interval() -> None:
    row = estimate(table(SAME * 2, "nominal"), "percent_agreement")
    assert (row.value, row.low) == (1.0, None)
    assert "the same in every resample" in str(row.why_missing)


@pytest.mark.parametrize("name", [n for n, c in COEFFICIENTS.items() if c.complete])
def test_an_icc_without_variance_is_none(name: str) -> None:
    assert coefficient(SAME, name, "interval") is None


def test_an_icc_that_divides_by_a_negative_variance_is_none() -> None:
    assert (
        coefficient([[1, 2], [2, 1]], "icc_ak", "interval") is None
    )  # (0 - 1) / (0 + (0 - 1) / 2) would be 2


@pytest.mark.parametrize(
    ("ratings", "says"),
    [
        ([[1], [2]], "1 rater with ratings on 2 units; two are needed"),
        ([[1, None], [2, None]], "1 rater with ratings on 2 units"),
        ([[None, None]], "0 rater with ratings on 0 units"),
        ([], "0 rater with ratings on 0 units"),
        ([[1, None], [None, 2]], "none of 2 units was rated by two of the 2 raters"),
        ([[1, 2], [1, 9]], "9 at unit 1 outside the scale. Allowed: 1, 2, 3."),
        ([[1, 2], [1, float("inf")]], "inf at unit 1 outside the scale"),
        ([[1, 2], [1, -np.inf]], "-inf at unit 1 outside the scale"),
        ([[1, 2.5], [1, 1]], "2.5 at unit 0 outside the scale"),
        ([[9, 8], [7, 6], [5, 4]], "9 at unit 0; 8 at unit 0; 7 at unit 1 and 3 more outside the scale"),
        ([[1, 2], [1]], "row 1: 1 ratings where row 0 has 2"),
        ([[1, [2]], [1, 1]], "a rating is one value"),
    ],
)
def test_wrong_ratings_are_refused_by_count_or_row(ratings: Any, says: str) -> None:
    with pytest.raises(DataError) as e:
        coefficient(ratings, "krippendorff_alpha", "ordinal", categories=[1, 2, 3])
    assert says in str(e.value)
    assert "\n" not in str(e.value)


def test_infinity_is_no_category_of_its_own() -> None:
    with pytest.raises(DataError, match="inf at unit 1 outside the scale"):
        coefficient([[1.0, 2.0], [1.0, np.inf], [2.0, 2.0]], "krippendorff_alpha", "interval")


def test_two_answers_of_one_rater_name_their_rows() -> None:
    rows = [("r", 1, "x.csv:2"), ("s", 1, ""), ("r", 2, "x.csv:4")]
    twice = frame([{"item": "a", "rater": g, "value": v, "where": w} for g, v, w in rows])
    with pytest.raises(
        DataError, match=r"1 given twice; the first: item 'a', rater 'r', 'value' \(x.csv:2 and x.csv:4"
    ):
        pivot(twice, "nominal")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: coefficient([[1, 2]], "kripendorff_alpha", "nominal"), "did you mean 'krippendorff_alpha'"),
        (
            lambda: coefficient([[1, 2]], "gwet_ac", "nominal", weights="quadratik"),
            "did you mean 'quadratic'",
        ),
        (lambda: coefficient([[1, 2]], "icc1", "interval", weights="linear"), "icc1 takes none"),
        (
            lambda: coefficient([[1, 2]], "krippendorff_alpha", "ordnal"),
            "'ordnal' is not a level; did you mean",
        ),
        (
            lambda: coefficient([[1, 2]], "gwet_ac", "nominal", categories=[1, None]),
            "a missing value is not a category",
        ),
        (lambda: coefficient([1, 2, 3], "gwet_ac", "nominal"), "one row per unit and one column per rater"),
        (
            lambda: coefficient(pd.Series([1, 2, 3]), "gwet_ac", "nominal"),
            "one row per unit and one column per rater",
        ),
        (lambda: standard_error([[1, 2], [1, 1]], "krippendorff_alpha", "ordinal"), "method='jackknife'"),
        (lambda: standard_error([[1, 2], [1, 1]], "gwet_ac", "nominal", method="null"), "Known: cohen_kappa"),
        (
            lambda: coefficient([[1, 2]], "gwet_ac", "nominal", weights=[[1, 0]]),
            "a symmetric (2, 2) one is needed",
        ),
        (lambda: coefficient([[1, 2]], "gwet_ac", "nominal", weights=[[2, 1], [1, 1]]), "neither all 1"),
        (lambda: coefficient([[1, 2, 3]], "cohen_kappa", "nominal"), "is of two raters; found 3"),
        (lambda: coefficient([[1, 2], [None, 2]], "icc1", "interval"), "1 of 2 units lack some"),
        (lambda: coefficient([[1, 2], [1, 2]], "icc1", "nominal"), "the scale is nominal"),
        (lambda: coefficient([["a", "b"]], "icc1", "interval"), "the order of 'a', 'b' is not known"),
        (lambda: coefficient([["lo", "hi"]], "krippendorff_alpha", "ordinal"), "declare the categories"),
        (lambda: coefficient([[1, 2]], "specific_agreement", "nominal"), "write specific_agreement:2"),
        (lambda: coefficient([["a", "b"]], "icc1", "interval", categories="ab"), "a scale at interval level"),
        (lambda: coefficient([[1, -2]], "krippendorff_alpha", "ratio"), "no negative values"),
        (
            lambda: coefficient([[1, 2]], "krippendorff_alpha", "nominal", categories=[1, 1, 2]),
            "duplicate in",
        ),
        (lambda: standard_error([[1, 2], [1, 1]], "light_kappa", "nominal"), "method='jackknife'"),
        (lambda: standard_error(SAME, "gwet_ac", "nominal"), "it has no standard error"),
        (lambda: table([[1, 2]], "nominal", clusters=["a", "b"]), "clusters: 2 for 1 units"),
    ],
)
def test_wrong_questions_are_refused_in_a_line(call: Any, says: str) -> None:
    with pytest.raises((DataError, StudyError)) as e:
        call()
    assert says in str(e.value)
    assert "\n" not in str(e.value)


def test_categories_must_be_declared_where_the_value_depends_on_them() -> None:
    rows = [[4, 5], [4, 4], [5, 5], [5, 4]]
    seen, declared = table(rows, "ordinal"), table(rows, "ordinal", [1, 2, 3, 4, 5])
    for name in ("gwet_ac", "brennan_prediger", "fleiss_kappa"):
        with pytest.raises(DataError, match=f"{name} depends on which categories raters were offered"):
            estimate(seen, name)
        assert estimate(declared, name).value is not None
    assert estimate(seen, "krippendorff_alpha").value == estimate(declared, "krippendorff_alpha").value


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame(
            {"a": pd.array([1, 2, None, 2], dtype="Int64"), "b": pd.array([1, 1, 2, 2], dtype="Int64")}
        ),
        pd.DataFrame({"a": [1.0, 2.0, np.nan, 2.0], "b": [1.0, 1.0, 2.0, 2.0]}),
        pd.DataFrame({"a": ["p", "q", None, "q"], "b": ["p", "p", "q", "q"]}),
        pd.DataFrame({"a": ["p", "q", None, "q"], "b": ["p", "p", "q", "q"]}, dtype="category"),
        pd.DataFrame(
            {"a": pd.array([True, False, None, False], dtype="boolean"), "b": [True, True, False, False]}
        ),
        np.array([[1, 1], [2, 1], [np.nan, 2], [2, 2]]),
        np.array([["p", "p"], ["q", "p"], [None, "q"], ["q", "q"]], dtype=object),
        [[True, True], [False, True], [None, False], [False, False]],
        [["nan", "nan"], ["NA", "nan"], [None, "NA"], ["NA", "NA"]],
        [[b"p", b"p"], [b"q", b"p"], [pd.NA, b"q"], [b"q", b"q"]],
    ],
    ids=[
        "Int64",
        "float",
        "str",
        "category",
        "boolean",
        "array",
        "objects",
        "bools",
        "the word nan",
        "bytes",
    ],
)
def test_every_kind_of_cell_gives_the_same_alpha(rows: Any) -> None:
    assert coefficient(rows, "krippendorff_alpha", "nominal") == pytest.approx(1 - 5 * 2 / (2 * 3 * 3))


def test_an_ordered_categorical_declares_its_scale() -> None:
    kind = pd.CategoricalDtype(["low", "middling", "high"], ordered=True)
    rows = pd.DataFrame({"a": ["low", "high", None, "high"], "b": ["low", "low", "high", "high"]}, dtype=kind)
    words = rows.astype(object).to_numpy()
    made = table(rows, "ordinal")
    assert made.scale.declared
    assert made.scale.categories == ("low", "middling", "high")
    for name in ("krippendorff_alpha", "gwet_ac"):
        expected = coefficient(words, name, "ordinal", categories=["low", "middling", "high"])
        assert coefficient(rows, name, "ordinal") == expected
    assert not table(rows.astype("str").astype("category"), "nominal").scale.declared


def test_a_matrix_of_agreement_may_have_any_number_for_full_agreement() -> None:
    rows = [[1, 1], [1, 2], [2, 2], [3, 2], [3, 3]]
    credit, distance = [[6, 5, 3], [5, 6, 0], [3, 0, 6]], [[0, 1, 3], [1, 0, 6], [3, 6, 0]]
    for name in ("cohen_kappa", "gwet_ac", "krippendorff_alpha"):
        a, b = (coefficient(rows, name, "nominal", weights=w) for w in (credit, distance))
        assert a == pytest.approx(b)


def test_a_rater_who_rated_nothing_changes_nothing() -> None:
    rows = [[1, 1, 2], [2, 1, 2], [2, 2, 2], [1, 2, 1]]
    for name in (
        n for n, c in COEFFICIENTS.items() if not c.complete and not c.two and c.weights != "category"
    ):
        idle = [[*row, None] for row in rows]
        assert coefficient(idle, name, "ordinal") == pytest.approx(coefficient(rows, name, "ordinal")), name
        if name != "light_kappa" and name != "krippendorff_alpha":
            assert standard_error(idle, name, "ordinal") == pytest.approx(
                standard_error(rows, name, "ordinal")
            )


def test_a_scale_of_many_numbers_needs_no_matrix_and_weights_between_all_pairs_are_refused() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 1)) + rng.normal(size=(3000, 2))
    assert coefficient(x, "krippendorff_alpha", "interval") == pytest.approx(0.5, abs=0.05)
    assert coefficient(x, "krippendorff_alpha", "ordinal") == pytest.approx(0.48, abs=0.05)
    with pytest.raises(DataError, match="6000, more than 300; weights between all pairs"):
        coefficient(x, "cohen_kappa", "interval", weights="linear")


def test_one_item_has_a_value_and_no_interval() -> None:
    row = estimate(table([[1, 2, 2]], "nominal"), "krippendorff_alpha")
    assert row.value == pytest.approx(0.0)
    assert row.low is None
    assert "1 independent unit" in str(row.why_missing)


def test_an_interval_rests_on_five_items_with_two_ratings_however_many_stand_alone() -> None:
    lone = [[1, None], [2, None]] * 20
    row = estimate(table([*lone, [1, 1], [1, 2], [2, 2], [2, 1]], "nominal", [1, 2]), "gwet_ac")
    assert row.value is not None
    assert row.low is None
    assert row.why_missing == "4 independent units with two ratings, 5 are needed"
    five = estimate(table([*lone, [1, 1], [1, 2], [2, 2], [2, 1], [1, 1]], "nominal", [1, 2]), "gwet_ac")
    assert "t with 4 df, by item (n = 45)" in five.method


def test_a_single_disagreement_is_about_zero_and_the_note_says_why() -> None:
    from wherefore.analysis.agreement.notes import noted

    made = table([[1, 1]] * 49 + [[1, 2]], "nominal", [1, 2])
    rows = noted(estimates(made, ["krippendorff_alpha", "gwet_ac", "percent_agreement"]), made)
    assert rows[0].value == pytest.approx(0.0, abs=0.02)
    assert "prevalence paradox: 99% of ratings are 1" in rows[0].note
    assert "'2' is on 1 of 50 items only" in rows[0].note
    assert (
        rows[0].low is not None
    )  # what resampling cannot see, the chances of the pairs tell: hardly anything
    assert rows[0].high is not None
    assert rows[0].low < 0.0 < 0.7 < rows[0].high
    assert rows[1].value == pytest.approx(0.98, abs=0.01)


def test_a_warning_counts_the_independent_units_that_a_rare_category_is_on() -> None:
    from wherefore.analysis.agreement.notes import few, noted

    def rows(rare: int, n: int, split: int = 0) -> list[list[int]]:
        return [[1, 1]] * (n - rare - split) + [[2, 2]] * rare + [[1, 2]] * split

    def note(rare: int, n: int, split: int = 0) -> str:
        return few(table(rows(rare, n, split), "nominal", [1, 2]))

    assert note(4, 30) == "'2' is on 4 of 30 items only"
    assert "'1' is on 3 of 30" in note(27, 30)
    assert note(4, 30, split=10) != ""  # on 14 items, 18 of 60 ratings
    assert note(5, 30, split=10) == ""  # on 15
    assert note(10, 30) == ""  # a third of the ratings is not rare, though on 10 items
    assert note(6, 12) == "12 independent items only"
    assert few(table([[1, 1], [2, 3], [3, 3]] * 6, "nominal", [1, 2, 3])) == ""
    assert few(table([[1, 1]] * 20 + [[2, 3], [3, 3]], "nominal")) == "'2' or '3' is on 2 of 22 items only"
    patients = [i // 6 for i in range(120)]
    clustered = table(rows(9, 120, 9), "nominal", [1, 2], clusters=patients, cluster_name="patient")
    assert few(clustered) == "'2' is on 3 of 20 patients only"
    asked = ["krippendorff_alpha", "gwet_ac", "cohen_kappa", "category_kappa:2", "percent_agreement"]
    notes = [r.note for r in noted(estimates(clustered, asked, replicates=300), clustered)]
    assert all("3 of 20 patients" in n for n in notes[:4])
    assert ["too narrow" in n for n in notes] == [False, False, False, True, False]


def test_unused_categories_that_carry_a_coefficient_are_named() -> None:
    from wherefore.analysis.agreement.notes import noted

    rows = [[4, 5, 4], [4, 4, 4], [5, 5, 4], [5, 4, 5], [5, 5, 5], [4, 4, 5], [5, 4, 4], [4, 5, 5]]
    made = table(rows, "ordinal", [1, 2, 3, 4, 5])
    ac = noted(estimates(made, ["krippendorff_alpha", "gwet_ac"]), made)[1]
    assert ac.value is not None
    assert ac.value > 0.85
    assert "3 of 5 declared categories are unused; without them it is" in ac.note
