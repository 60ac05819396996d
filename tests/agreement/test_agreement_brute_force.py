"""Coefficients and standard errors against plain loops over the published formulas, and against irrCAC's numbers."""

import warnings
from collections.abc import Iterator
from itertools import combinations, permutations
from math import pi, sin, sqrt
from random import Random
from statistics import fmean

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from wherefore.analysis.agreement import COEFFICIENTS, coefficient, estimate, standard_error, table

Row = list[int | None]
CATEGORIES = [1, 2, 3, 5]  # with a gap, so that positions are not values
LEVELS = ("ordinal", "interval")
GWETS = ("fleiss_kappa", "gwet_ac", "brennan_prediger", "conger_kappa", "weighted_agreement")


def credit(name: str, i: int, j: int, at: list[float]) -> float:
    """Gwet 2014, ch. 3: the agreement weight of the i-th and j-th category, which stand at `at`."""
    x, y, low, high = at[i], at[j], min(at), max(at)
    if name == "identity":
        return float(i == j)
    if name == "linear":
        return 1 - abs(x - y) / (high - low)
    if name == "quadratic":
        return 1 - (x - y) ** 2 / (high - low) ** 2
    if name == "radical":
        return 1 - sqrt(abs(x - y)) / sqrt(high - low)
    if name == "ratio":
        return 1 - ((x - y) / (x + y)) ** 2 / ((high - low) / (high + low)) ** 2
    if name == "ordinal":
        return 1 - pairs_spanned(i, j) / pairs_spanned(0, len(at) - 1)
    if name == "circular":
        furthest = max(chord(a, b, at) for a in at for b in at)
        return 1 - chord(x, y, at) / furthest
    if name == "bipolar":
        furthest = max(bent(a, b, at) for a in at for b in at)
        return 1 - bent(x, y, at) / furthest
    assert name == "within_one"
    return float(abs(x - y) <= 1)


def pairs_spanned(i: int, j: int) -> int:
    n = abs(i - j) + 1
    return n * (n - 1) // 2


def chord(x: float, y: float, at: list[float]) -> float:
    return sin(pi * (x - y) / (max(at) - min(at) + 1)) ** 2


def bent(x: float, y: float, at: list[float]) -> float:
    return 0.0 if x == y else (x - y) ** 2 / ((x + y - 2 * min(at)) * (2 * max(at) - x - y))


NAMES = (
    "identity",
    "linear",
    "quadratic",
    "ordinal",
    "radical",
    "ratio",
    "circular",
    "bipolar",
    "within_one",
)


def weights(name: str, level: str) -> list[list[float]]:
    at = [float(c) for c in CATEGORIES] if level == "interval" else [1.0, 2.0, 3.0, 4.0]
    return [[credit(name, i, j, at) for j in range(4)] for i in range(4)]


def made_up(raters: int, missing: bool, tables: int = 6) -> Iterator[list[Row]]:
    """Small random tables: raters lean on a common category, some ratings and some whole items are missing."""
    random = Random(raters * 2 + missing)
    for _ in range(tables):
        rows: list[Row] = []
        for _ in range(random.randint(6, 12)):
            common = random.choice(CATEGORIES)
            row: Row = [common if random.random() < 0.6 else random.choice(CATEGORIES) for _ in range(raters)]
            rows.append([None if missing and random.random() < 0.25 else v for v in row])
        rows += [list(CATEGORIES[:2]) + [CATEGORIES[0]] * (raters - 2), [5] * raters]  # every rater has rated
        yield rows


def place(v: int | None) -> int:
    assert v is not None
    return CATEGORIES.index(v)


def rated(rows: list[Row]) -> list[list[int]]:
    """Positions of the categories that each item got; items that nobody rated do not count."""
    found = [[place(v) for v in row if v is not None] for row in rows]
    return [row for row in found if row]


def agreement_inside(row: list[int], w: list[list[float]]) -> float:
    return fmean(w[a][b] for a, b in permutations(row, 2))


def shares(row: list[int]) -> list[float]:
    return [row.count(k) / len(row) for k in range(4)]


def by_gwet(rows: list[Row], w: list[list[float]], name: str) -> tuple[float, float]:
    """Value and standard error (Gwet 2014, ch. 5): the item's own share, corrected by what it adds to chance."""
    items = rated(rows)
    n, two = len(items), sum(len(r) >= 2 for r in items)
    inside = [agreement_inside(r, w) if len(r) >= 2 else 0.0 for r in items]
    observed = sum(inside) / two
    p = [fmean(shares(r)[k] for r in items) for k in range(4)]
    all_w = sum(map(sum, w))
    if name == "fleiss_kappa":
        chance = sum(w[k][j] * p[k] * p[j] for k in range(4) for j in range(4))
        pulled = [sum(shares(r)[k] * w[k][j] * p[j] for k in range(4) for j in range(4)) for r in items]
    elif name == "gwet_ac":
        chance = all_w / 12 * sum(q * (1 - q) for q in p)
        pulled = [all_w / 12 * sum(s * (1 - q) for s, q in zip(shares(r), p, strict=True)) for r in items]
    elif name == "conger_kappa":
        return by_conger(rows, w, observed, inside)
    else:
        chance = all_w / 16 if name == "brennan_prediger" else 0.0
        pulled = [chance] * n
    return linearised(items, inside, observed, chance, pulled)


def linearised(
    items: list[list[int]], inside: list[float], observed: float, chance: float, pulled: list[float]
) -> tuple[float, float]:
    n, two = len(items), sum(len(r) >= 2 for r in items)
    value = (observed - chance) / (1 - chance)
    total = 0.0
    for r, own, pull in zip(items, inside, pulled, strict=True):
        part = n / two * (own - chance * (len(r) >= 2)) / (1 - chance)
        total += (part - 2 * (1 - value) * (pull - chance) / (1 - chance) - value) ** 2
    return value, sqrt(total / (n * (n - 1)))


def by_conger(
    rows: list[Row], w: list[list[float]], observed: float, inside: list[float]
) -> tuple[float, float]:
    """Chance is the mean over pairs of raters; its derivative is taken here numerically, item by item."""
    rows = [row for row in rows if any(v is not None for v in row)]
    raters = range(len(rows[0]))

    def chance_of(times: list[float]) -> float:
        p = [
            [sum(t for t, row in zip(times, rows, strict=True) if row[g] == c) for c in CATEGORIES]
            for g in raters
        ]
        p = [[x / sum(own) for x in own] for own in p]
        both = list(combinations(raters, 2))
        return fmean(sum(w[k][j] * p[g][k] * p[h][j] for k in range(4) for j in range(4)) for g, h in both)

    ones, step, n = [1.0] * len(rows), 1e-5, len(rows)
    chance = chance_of(ones)
    pulled = []
    for u in range(n):
        more = [1.0 + step * (v == u) for v in range(n)]
        less = [1.0 - step * (v == u) for v in range(n)]
        slope = n * (chance_of(more) - chance_of(less)) / (2 * step)
        pulled.append(chance + slope / 2)  # Gwet counts a rater's margin once for each of the two it meets
    return linearised(rated(rows), inside, observed, chance, pulled)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", GWETS)
def test_values_and_standard_errors_of_gwets_family(name: str, level: str) -> None:
    for rows in [*made_up(2, True, 2), *made_up(3, True, 2), *made_up(5, True, 1), *made_up(4, False, 1)]:
        for weighting in NAMES:
            value, se = by_gwet(rows, weights(weighting, level), name)
            more = {"weights": weighting, "categories": CATEGORIES}
            assert coefficient(rows, name, level, **more) == pytest.approx(value, abs=1e-10), weighting  # type: ignore[arg-type]
            assert standard_error(rows, name, level, **more) == pytest.approx(se, abs=1e-6), weighting  # type: ignore[arg-type]


@pytest.mark.parametrize("level", LEVELS)
def test_weighted_alpha_and_its_standard_error(level: str) -> None:
    for rows in [*made_up(3, True, 3), *made_up(4, False, 1)]:
        items = [r for r in rated(rows) if len(r) >= 2]
        values = [v for r in items for v in r]
        for weighting in NAMES:
            w = weights(weighting, level)

            def alpha(times: list[float], w: list[list[float]] = w, items: list[list[int]] = items) -> float:
                """alpha without its correction for a finite number of values, as Gwet linearises it."""
                count = [sum(t * r.count(k) for t, r in zip(times, items, strict=True)) for k in range(4)]
                n = sum(count)
                seen = sum(
                    t * len(r) * (1 - agreement_inside(r, w)) for t, r in zip(times, items, strict=True)
                )
                expected = sum((1 - w[k][j]) * count[k] * count[j] / n**2 for k in range(4) for j in range(4))
                return 1 - seen / n / expected

            n, step = len(items), 1e-5
            slopes = []
            for u in range(n):
                more, less = ([1 + sign * step * (v == u) for v in range(n)] for sign in (1, -1))
                slopes.append((alpha(more) - alpha(less)) / (2 * step))
            observed = sum(len(r) * (1 - agreement_inside(r, w)) for r in items)
            expected = sum(1 - w[a][b] for a, b in permutations(values, 2)) / (len(values) - 1)
            kwargs = {"weights": weighting, "categories": CATEGORIES}
            found = coefficient(rows, "krippendorff_alpha", level, **kwargs)  # type: ignore[arg-type]
            assert found == pytest.approx(1 - observed / expected, abs=1e-10), weighting
            se = standard_error(rows, "krippendorff_alpha", level, **kwargs)  # type: ignore[arg-type]
            assert se == pytest.approx(sqrt(n / (n - 1) * sum(s**2 for s in slopes)), abs=1e-6), weighting


def test_the_levels_own_metric_is_that_of_its_weights() -> None:
    for rows in made_up(3, True, 4):
        for level, weighting in (("nominal", "identity"), ("interval", "quadratic"), ("ratio", "ratio")):
            own, weighted = (
                [
                    f(rows, "krippendorff_alpha", level, weights=w, categories=CATEGORIES)
                    for w in (None, weighting)
                ]  # type: ignore[operator]
                for f in (coefficient, standard_error)
            )
            assert own[0] == pytest.approx(own[1])
            assert weighted[0] == pytest.approx(weighted[1])


def by_cohen(pairs: list[tuple[int, int]], w: list[list[float]]) -> float | None:
    n = len(pairs)
    observed = fmean(w[a][b] for a, b in pairs)
    chance = sum(w[a][b] for a, _ in pairs for _, b in pairs) / n**2
    return None if abs(1 - chance) < 1e-12 else (observed - chance) / (1 - chance)


@pytest.mark.parametrize("weighting", NAMES)
def test_cohen_light_and_scott_with_missing_ratings(weighting: str) -> None:
    w = weights(weighting, "ordinal")
    more = {"weights": weighting, "categories": CATEGORIES}
    for rows in made_up(3, True):
        kappas = []
        for g, h in combinations(range(3), 2):
            two = [[row[g], row[h]] for row in rows]
            pairs = [(place(a), place(b)) for a, b in two if a is not None and b is not None]
            kappas.append(by_cohen(pairs, w))
            assert coefficient(two, "cohen_kappa", "ordinal", **more) == pytest.approx(kappas[-1], abs=1e-10)  # type: ignore[arg-type]
            p = [fmean((a == k) + (b == k) for a, b in pairs) / 2 for k in range(4)]
            chance = sum(w[k][j] * p[k] * p[j] for k in range(4) for j in range(4))
            scott = (fmean(w[a][b] for a, b in pairs) - chance) / (1 - chance)
            assert coefficient(two, "scott_pi", "ordinal", **more) == pytest.approx(scott, abs=1e-10)  # type: ignore[arg-type]
        if None not in kappas:
            light = coefficient(rows, "light_kappa", "ordinal", **more)  # type: ignore[arg-type]
            assert light == pytest.approx(fmean(k for k in kappas if k is not None), abs=1e-10)


def test_cohens_standard_errors_equal_statsmodels_also_under_the_null() -> None:
    for rows in made_up(2, False):
        counts = np.array([[sum(row == [a, b] for row in rows) for b in CATEGORIES] for a in CATEGORIES])
        for weighting, theirs in (("identity", None), ("linear", "linear"), ("quadratic", "quadratic")):
            other = cohens_kappa(counts, wt=theirs)
            more = {"weights": weighting, "categories": CATEGORIES}
            assert standard_error(rows, "cohen_kappa", "ordinal", **more) == pytest.approx(other.std_kappa)  # type: ignore[arg-type]
            null = standard_error(rows, "cohen_kappa", "ordinal", method="null", **more)  # type: ignore[arg-type]
            assert null == pytest.approx(other.std_kappa0)


def test_fleiss_null_standard_error_is_the_spread_of_kappas_of_random_ratings() -> None:
    rng = np.random.default_rng(0)
    kappas = [
        coefficient(rng.choice(3, (60, 4), p=[0.5, 0.3, 0.2]), "fleiss_kappa", "nominal") for _ in range(400)
    ]
    rows = rng.choice(3, (60, 4), p=[0.5, 0.3, 0.2])
    null = standard_error(rows, "fleiss_kappa", "nominal", method="null")
    assert null == pytest.approx(float(np.std(np.array(kappas, dtype=float))), rel=0.1)


def mean_squares(x: np.ndarray) -> tuple[float, float, float, float, int, int]:
    n, k = x.shape
    rows, columns, grand = x.mean(1), x.mean(0), x.mean()
    between = k * sum((r - grand) ** 2 for r in rows) / (n - 1)
    raters = n * sum((c - grand) ** 2 for c in columns) / (k - 1)
    within = sum((x[i, j] - rows[i]) ** 2 for i in range(n) for j in range(k)) / (n * (k - 1))
    rest = sum((x[i, j] - rows[i] - columns[j] + grand) ** 2 for i in range(n) for j in range(k)) / (
        (n - 1) * (k - 1)
    )
    return between, within, raters, rest, n, k


def limits_of(name: str, x: np.ndarray, level: float) -> tuple[float, float, float]:
    """Value and limits as McGraw & Wong (1996) print them in tables 4 and 7, each form by its own line."""
    r, wi, c, e, n, k = mean_squares(x)
    q = 1 - (1 - level) / 2
    f1 = (r / wi / stats.f.ppf(q, n - 1, n * (k - 1)), r / wi * stats.f.ppf(q, n * (k - 1), n - 1))
    f3 = (r / e / stats.f.ppf(q, n - 1, (n - 1) * (k - 1)), r / e * stats.f.ppf(q, (n - 1) * (k - 1), n - 1))
    if name == "icc1":
        return (r - wi) / (r + (k - 1) * wi), (f1[0] - 1) / (f1[0] + k - 1), (f1[1] - 1) / (f1[1] + k - 1)
    if name == "icc1k":
        return (r - wi) / r, 1 - 1 / f1[0], 1 - 1 / f1[1]
    if name == "icc_c1":
        return (r - e) / (r + (k - 1) * e), (f3[0] - 1) / (f3[0] + k - 1), (f3[1] - 1) / (f3[1] + k - 1)
    if name == "icc_ck":
        return (r - e) / r, 1 - 1 / f3[0], 1 - 1 / f3[1]
    single = (r - e) / (r + (k - 1) * e + k / n * (c - e))
    mean = (r - e) / (r + (c - e) / n)
    if name == "icc_a1":
        a, b = k * single / (n * (1 - single)), 1 + k * single * (n - 1) / (n * (1 - single))
    else:
        a, b = mean / (n * (1 - mean)), 1 + mean * (n - 1) / (n * (1 - mean))
    v = (a * c + b * e) ** 2 / ((a * c) ** 2 / (k - 1) + (b * e) ** 2 / ((n - 1) * (k - 1)))
    low, high = stats.f.ppf(q, n - 1, v), stats.f.ppf(q, v, n - 1)
    if name == "icc_a1":
        return (
            single,
            n * (r - low * e) / (low * (k * c + (k * n - k - n) * e) + n * r),
            n * (high * r - e) / (k * c + (k * n - k - n) * e + n * high * r),
        )
    return mean, n * (r - low * e) / (low * (c - e) + n * r), n * (high * r - e) / (c - e + n * high * r)


@pytest.mark.parametrize("name", [n for n, c in COEFFICIENTS.items() if c.limits])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_icc_and_its_limits_line_by_line(name: str, level: float) -> None:
    rng = np.random.default_rng(3)
    for n, k in ((6, 2), (8, 4), (15, 3), (30, 5)):
        x = rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=k) + 0.7 * rng.normal(size=(n, k))
        value, low, high = limits_of(name, x, level)
        row = estimate(table(x, "interval"), name, confidence=level)
        assert (row.value, row.low, row.high) == pytest.approx((value, low, high))


KRIPPENDORFF_2011 = [  # example D, and Gwet's four raters: what irrCAC 0.4.4 says of it, value and standard error
    [1, 1, None, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [None, 5, 5, 5],
    [None, None, 1, 1],
    [None, 3, None, None],
]
IRRCAC = {
    "fleiss_kappa": "0.761169 0.153019 0.817945 0.148504 0.864935 0.146034 0.850206 0.147036 "
    "0.789924 0.150036 0.821338 0.152386 0.807200 0.148944 0.853073 0.144632",
    "conger_kappa": "0.762067 0.150109 0.813137 0.145868 0.857168 0.144361 0.843082 0.144823 "
    "0.787646 0.147224 0.811009 0.149612 0.804738 0.148137 0.844241 0.142932",
    "brennan_prediger": "0.772727 0.144717 0.848485 0.123356 0.901515 0.110894 0.886364 0.113906 "
    "0.812627 0.132779 0.840237 0.132209 0.823547 0.136956 0.888149 0.112456",
    "gwet_ac": "0.775444 0.142950 0.858739 0.117329 0.914001 0.103962 0.898940 0.106904 "
    "0.819812 0.128356 0.857368 0.122071 0.830195 0.132651 0.900373 0.105816",
}


@pytest.mark.parametrize("name", IRRCAC)
def test_irrcac_with_missing_ratings(name: str) -> None:
    numbers = [float(x) for x in IRRCAC[name].split()]
    for weighting, value, se in zip(NAMES, numbers[::2], numbers[1::2], strict=False):
        found = coefficient(KRIPPENDORFF_2011, name, "ordinal", weights=weighting)
        assert found == pytest.approx(value, abs=1e-6), weighting
        error = standard_error(KRIPPENDORFF_2011, name, "ordinal", weights=weighting)
        assert error == pytest.approx(se, abs=1e-6), weighting


def test_irrcac_alpha() -> None:
    values = (0.743421, 0.800384, 0.849107, 0.833638, 0.771981, 0.797403, 0.789980, 0.834991)
    for weighting, value in zip(NAMES, values, strict=False):
        found = coefficient(KRIPPENDORFF_2011, "krippendorff_alpha", "ordinal", weights=weighting)
        assert found == pytest.approx(value, abs=1e-6), weighting
    # irrCAC for R 1.4; its port to Python 0.4.4 centres the unequal items otherwise and has 0.14557
    assert standard_error(KRIPPENDORFF_2011, "krippendorff_alpha", "nominal") == pytest.approx(
        0.14548, abs=5e-6
    )


def test_no_table_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, c in COEFFICIENTS.items():
            of = f"{name}:1" if c.weights == "category" else name
            for rows in ([[1, 2]], [[1, 1], [1, 1]], [[1, 2], [2, 1]], [[1, 1], [2, 2]]):
                coefficient(rows, of, "interval", categories=[1, 2])
