"""Worked values from the papers themselves, tables written out."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from wherefore.analysis.agreement import coefficient, estimate, standard_error, table
from wherefore.analysis.agreement.uncertainty.legacy import kalpha_interval

FLEISS_1971 = [  # 30 patients, 6 psychiatrists, 5 diagnoses: Psychol Bull 76:378, table 1
    (0, 0, 0, 6, 0),
    (0, 3, 0, 0, 3),
    (0, 1, 4, 0, 1),
    (0, 0, 0, 0, 6),
    (0, 3, 0, 3, 0),
    (2, 0, 4, 0, 0),
    (0, 0, 4, 0, 2),
    (2, 0, 3, 1, 0),
    (2, 0, 0, 4, 0),
    (0, 0, 0, 0, 6),
    (1, 0, 0, 5, 0),
    (1, 1, 0, 4, 0),
    (0, 3, 3, 0, 0),
    (1, 0, 0, 5, 0),
    (0, 2, 0, 3, 1),
    (0, 0, 5, 0, 1),
    (3, 0, 0, 1, 2),
    (5, 1, 0, 0, 0),
    (0, 2, 0, 4, 0),
    (1, 0, 2, 0, 3),
    (0, 0, 0, 0, 6),
    (0, 1, 0, 5, 0),
    (0, 2, 0, 1, 3),
    (2, 0, 0, 4, 0),
    (1, 0, 0, 4, 1),
    (0, 5, 0, 1, 0),
    (4, 0, 0, 0, 2),
    (0, 2, 0, 4, 0),
    (1, 0, 5, 0, 0),
    (0, 0, 0, 0, 6),
]

HAYES_KRIPPENDORFF_2007 = [  # 40 newspaper articles, 5 observers: Commun Methods Meas 1:77, table 1
    *(
        "1 1 2 . 2",
        "1 1 0 1 .",
        "2 3 3 3 .",
        ". 0 0 . 0",
        "0 0 0 . 0",
        "0 0 0 . 0",
        "1 0 2 . 1",
        "1 . 2 0 .",
        "2 2 2 . 2",
        "2 1 1 1 .",
        ". 1 0 0 .",
        "0 0 0 0 .",
        "1 2 2 2 .",
        "3 3 2 2 3",
        "1 1 1 . 1",
        "1 1 1 . 1",
    ),
    *(
        "2 1 2 . 2",
        "1 2 3 3 .",
        "1 1 0 1 .",
        "0 0 0 . 0",
        "0 0 1 1 .",
        "0 0 . 0 0",
        "2 3 3 3 .",
        "0 0 0 0 .",
        "1 2 . 2 2",
        "0 1 1 1 .",
        "0 0 0 1 0",
        "1 2 1 2 .",
        "1 1 2 2 .",
        "1 1 2 . 2",
        "1 1 0 . 0",
        "2 1 2 1 .",
    ),
    *("2 2 . 2 2", "3 2 2 2 .", "2 2 2 . 2", "2 2 3 . 2", "2 2 2 . 2", "2 2 . 1 2", "2 2 2 2 .", "1 1 1 . 1"),
]


def spelled(counts: list[tuple[int, ...]]) -> list[list[int]]:
    return [[k for k, n in enumerate(row) for _ in range(n)] for row in counts]


def crossed(counts: list[list[int]]) -> list[list[int]]:
    """A square table of two raters, unit by unit."""
    return [[i, j] for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]


def test_fleiss_1971() -> None:
    rows = spelled(FLEISS_1971)
    assert coefficient(rows, "fleiss_kappa", "nominal") == pytest.approx(0.430, abs=5e-4)
    assert coefficient(rows, "percent_agreement", "nominal") == pytest.approx(0.5556, abs=5e-5)
    null = standard_error(rows, "fleiss_kappa", "nominal", method="null")
    assert 0.43024 / null == pytest.approx(17.7, abs=0.05)  # z in the manual of the package irr for R


def test_cohen_1968_weights_of_disagreement() -> None:
    # n = 200; kappa .492, weighted .348 with disagreement weights 0 1 3 / 1 0 6 / 3 6 0
    rows = crossed([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    assert coefficient(rows, "cohen_kappa", "nominal") == pytest.approx(0.492, abs=5e-4)
    weighted = coefficient(rows, "cohen_kappa", "nominal", weights=[[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert weighted == pytest.approx(0.348, abs=5e-4)


def test_gwet_2008_paradox() -> None:
    rows = crossed([[118, 5], [2, 0]])
    assert coefficient(rows, "cohen_kappa", "nominal") == pytest.approx(-0.0234, abs=5e-5)
    assert coefficient(rows, "gwet_ac", "nominal") == pytest.approx(0.9408, abs=5e-5)


def test_shrout_fleiss_1979() -> None:
    judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    expected = {"icc1": 0.17, "icc_a1": 0.29, "icc_c1": 0.71, "icc1k": 0.44, "icc_ak": 0.62, "icc_ck": 0.91}
    for name, value in expected.items():
        assert coefficient(judged, name, "interval") == pytest.approx(value, abs=5e-3), name
    row = estimate(table(judged, "interval"), "icc_a1")
    assert (row.low, row.high) == pytest.approx((0.019, 0.761), abs=1e-3)  # their .02 to .76


def test_hand_worked_conger_and_brennan_prediger() -> None:
    # three raters, two items: pairs agree 1/3 and 1; shares of "a" 1, 1/2, 1/2
    rows = [["a", "a", "b"], ["a", "b", "a"], ["a", "a", "a"], ["a", "b", "b"]]
    observed = (1 / 3 + 1 / 3 + 1 + 1 / 3) / 4
    chance = (2 * (1 * 0.5) + (0.5 * 0.5 + 0.5 * 0.5)) / 3
    assert coefficient(rows, "conger_kappa", "nominal") == pytest.approx((observed - chance) / (1 - chance))
    assert coefficient(rows, "brennan_prediger", "nominal", categories=["a", "b", "c"]) == pytest.approx(
        (observed - 1 / 3) / (2 / 3)
    )


def test_two_radiologists_and_85_mammograms() -> None:
    # Boyd et al. 1982, the example of Stata's manual: kappa 0.4728; the standard error against another program
    counts = [[21, 12, 0, 0], [4, 17, 1, 0], [3, 9, 15, 2], [0, 0, 0, 1]]
    rows = crossed(counts)
    assert coefficient(rows, "cohen_kappa", "nominal") == pytest.approx(0.4728, abs=5e-5)
    for weights, theirs in ((None, None), ("linear", "linear"), ("quadratic", "quadratic")):
        other = cohens_kappa(np.array(counts), wt=theirs)
        level = "nominal" if weights is None else "ordinal"
        assert coefficient(rows, "cohen_kappa", level, weights=weights) == pytest.approx(other.kappa)
        assert standard_error(rows, "cohen_kappa", level, weights=weights) == pytest.approx(other.std_kappa)


def test_kalpha_interval_is_the_narrow_one_of_the_macro() -> None:
    rows = [[None if v == "." else int(v) for v in line.split()] for line in HAYES_KRIPPENDORFF_2007]
    made = table(rows, "ordinal")
    value = coefficient(rows, "krippendorff_alpha", "ordinal")
    low, high = kalpha_interval(made, replicates=20_000)
    honest = estimate(made, "krippendorff_alpha")
    assert value is not None
    assert low < value < high
    assert honest.low is not None
    assert honest.high is not None
    assert (honest.high - honest.low) / (high - low) > 1.7
