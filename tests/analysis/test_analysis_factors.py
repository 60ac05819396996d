"""What factors explain: against sums of squares by hand, and runs that were made to order."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from wherefore.analysis.factors import configurations, explained, non_inferior, unseen, variance
from wherefore.study.errors import DataError


def layout(noise: float = 0.0) -> pd.DataFrame:
    """2 x 2 x 3 runs: order is worth 0.2, weight 0.1, both together another 0.1."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "order": o,
            "weight": w,
            "seed": s,
            "auc": 0.5 + 0.2 * o + 0.1 * w + 0.1 * o * w + noise * rng.normal(),
        }
        for o, w, s in product((0, 1), (0, 1), range(3))
    ]
    return pd.DataFrame(rows)


def test_sums_of_squares_are_those_by_hand() -> None:
    """Means .5 .6 .7 .9: order .25, weight .15, both .05 (half effects .125 .075 .025), 12 runs each."""
    table = variance(layout(1e-9), "auc", ["order", "weight"]).set_index("term")
    by_hand = {"order": 12 * 0.125**2, "weight": 12 * 0.075**2, "order:weight": 12 * 0.025**2}
    for term, sum_sq in by_hand.items():
        assert table.sum_sq[term] == pytest.approx(sum_sq)
        assert table.share[term] == pytest.approx(sum_sq / sum(by_hand.values()))
    assert table.df["training runs"] == 8
    assert table.sum_sq["training runs"] < 1e-12


def test_noise_alone_explains_nothing_once_chance_is_taken_off() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        runs = layout().assign(auc=rng.normal(size=12))
        found.append(variance(runs, "auc", ["order", "weight"]).omega_squared.sum())
    assert abs(np.mean(found)) < 0.03


def test_an_unfinished_grid_is_refused() -> None:
    for runs in (layout().iloc[1:], layout()[layout().seed == 0], layout().iloc[3:]):
        with pytest.raises(DataError, match="Finish the grid"):
            variance(runs, "auc", ["order", "weight"])


def test_a_model_that_holds_predicts_what_it_has_not_seen_and_another_does_not() -> None:
    runs = pd.DataFrame(
        [
            {"a": a, "b": b, "seed": s, "auc": 0.5 + 0.04 * a * b + 0.001 * s}
            for a, b, s in product(range(5), range(4), range(2))
        ]
    )
    found = configurations(runs, "auc", ["a", "b"])
    assert found.runs.tolist() == [2] * 20
    assert found.auc[0] == pytest.approx(0.5005)
    right, wrong = (unseen(found, f, hold=6, draws=20, seed=1) for f in ("auc ~ a * b", "auc ~ a + b"))
    assert len(right) == 6 * 20
    assert right.error.abs().max() < 1e-9
    assert wrong.error.abs().mean() > 0.02
    assert explained(found, "auc ~ a * b") == pytest.approx(1)
    assert set(right[right.draw == 0].row) != set(right[right.draw == 1].row)


def test_non_inferiority_by_hand() -> None:
    """With 1e9 degrees of freedom t is normal: 0.02 / 0.01 = 2 gives p 0.0228, and 0.01 / 0.01 gives 0.1587."""
    rows = pd.DataFrame({"a": ["x", "y"], "difference": [0.01, 0.0], "se": [0.01, 0.01], "df": [1e9, 1e9]})
    found = non_inferior(rows, 0.01)
    assert found.p.round(4).tolist() == [0.0228, 0.1587]
    assert found.p_holm.round(4).tolist() == [0.0455, 0.1587]
    assert found.low.round(4).tolist() == [-0.0096, -0.0196]
    assert found.non_inferior.tolist() == [False, False]
    assert non_inferior(rows[:1], 0.01).non_inferior.tolist() == [True]  # a family of one
