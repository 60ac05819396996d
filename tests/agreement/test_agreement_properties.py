"""What must hold for any table, for every coefficient of the table of coefficients."""

from itertools import permutations
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wherefore.analysis.agreement import COEFFICIENTS, coefficient
from wherefore.study.errors import DataError

Rows = list[list[int | None]]
LEVELS = ("nominal", "ordinal", "interval", "ratio")
CATEGORIES = [1, 2, 3, 4]
FEW = settings(max_examples=20, deadline=None, derandomize=True)


@st.composite
def tables(draw: st.DrawFn, missing: bool = True, raters: int | None = None) -> Rows:
    r = raters or draw(st.integers(2, 4))
    cell = st.sampled_from([*CATEGORIES, *([None] if missing else [])])
    return draw(st.lists(st.lists(cell, min_size=r, max_size=r), min_size=2, max_size=9))


def named(name: str) -> str:
    return f"{name}:2" if COEFFICIENTS[name].weights == "category" else name


def value(rows: Rows, name: str, level: str = "ordinal", **more: Any) -> float | None:
    try:
        return coefficient(rows, named(name), level, categories=more.pop("categories", CATEGORIES), **more)  # type: ignore[arg-type]
    except DataError:
        return None


def shaped(data: st.DataObject, name: str) -> Rows:
    found = COEFFICIENTS[name]
    return data.draw(tables(missing=not found.complete, raters=2 if found.two else None))


@pytest.mark.parametrize("name", COEFFICIENTS)
@FEW
@given(data=st.data())
def test_order_of_units_and_raters_and_an_unrated_unit_change_nothing(name: str, data: st.DataObject) -> None:
    rows = shaped(data, name)
    before = value(rows, name)
    assume(before is not None)
    units = data.draw(st.permutations(rows))
    order = data.draw(st.permutations(range(len(rows[0]))))
    assert value(units, name) == pytest.approx(before)
    assert value([[row[g] for g in order] for row in rows], name) == pytest.approx(before)
    if not COEFFICIENTS[name].complete:
        assert value([*rows, [None] * len(rows[0])], name) == pytest.approx(before)


@pytest.mark.parametrize("name", [n for n, c in COEFFICIENTS.items() if not c.complete])
@FEW
@given(data=st.data())
def test_names_of_categories_do_not_matter_on_a_nominal_scale(name: str, data: st.DataObject) -> None:
    if name == "within_one_agreement" or COEFFICIENTS[name].weights == "category":
        return  # steps have an order, and the others are of a named category
    rows = shaped(data, name)
    words = dict(zip(CATEGORIES, data.draw(st.permutations("wxyz")), strict=True))
    renamed = [[None if v is None else words[v] for v in row] for row in rows]
    before = value(rows, name, "nominal")
    after = value(renamed, name, "nominal", categories=list("wxyz"))  # type: ignore[arg-type]
    assert (before is None) == (after is None)
    assert before is None or after == pytest.approx(before)


@pytest.mark.parametrize("name", COEFFICIENTS)
@FEW
@given(data=st.data())
def test_a_value_is_finite_and_at_most_one(name: str, data: st.DataObject) -> None:
    rows = shaped(data, name)
    for level in LEVELS[:1] if COEFFICIENTS[name].weights == "category" else LEVELS:
        found = value(rows, name, level)
        assert found is None or (np.isfinite(found) and found <= 1 + 1e-12)


@FEW
@given(rows=tables(), level=st.sampled_from(LEVELS))
def test_alpha_equals_the_package_krippendorff(rows: Rows, level: str) -> None:
    ours = value(rows, "krippendorff_alpha", level)
    assume(ours is not None)
    data = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)
    theirs = krippendorff.alpha(data.T, level_of_measurement=level, value_domain=CATEGORIES)
    assert ours == pytest.approx(theirs, abs=1e-12)


def pairs_of(row: list[int | None]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in permutations([v for v in row if v is not None], 2)]


def apart(a: int, b: int, level: str, values: list[int]) -> float:
    if level == "nominal":
        return float(a != b)
    if level == "interval":
        return float((a - b) ** 2)
    if level == "ratio":
        return ((a - b) / (a + b)) ** 2
    low, high = min(a, b), max(a, b)
    inside = sum(low <= v <= high for v in values)
    return (inside - (values.count(low) + values.count(high)) / 2) ** 2


@FEW
@given(rows=tables(), level=st.sampled_from(LEVELS))
def test_alpha_equals_brute_force(rows: Rows, level: str) -> None:
    ours = value(rows, "krippendorff_alpha", level)
    assume(ours is not None)
    pairable = [row for row in rows if len(pairs_of(row)) >= 2]
    values = [v for row in pairable for v in row if v is not None]
    observed = sum(
        apart(a, b, level, values) / (sum(v is not None for v in row) - 1)
        for row in pairable
        for a, b in pairs_of(row)
    )
    expected = sum(apart(a, b, level, values) for a, b in permutations(values, 2)) / (len(values) - 1)
    assert ours == pytest.approx(1 - observed / expected, abs=1e-10)


@FEW
@given(rows=tables(missing=False))
def test_icc_equals_the_analysis_of_variance(rows: Rows) -> None:
    x = np.array(rows, dtype=float)
    ours = value(rows, "icc_c1", "interval"), value(rows, "icc1", "interval")
    assume(None not in ours)
    n, k = x.shape
    units, raters, grand = x.mean(1), x.mean(0), x.mean()
    msr = k * ((units - grand) ** 2).sum() / (n - 1)
    mse = ((x - units[:, None] - raters + grand) ** 2).sum() / ((n - 1) * (k - 1))
    msw = ((x - units[:, None]) ** 2).sum() / (n * (k - 1))
    assert ours[0] == pytest.approx((msr - mse) / (msr + (k - 1) * mse), abs=1e-9)
    assert ours[1] == pytest.approx((msr - msw) / (msr + (k - 1) * msw), abs=1e-9)
