"""Scales of several items, repeated readings, benchmarks, own weights: values by hand and by other means."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import truncnorm

from wherefore.analysis.agreement import coefficient
from wherefore.analysis.agreement.instrument import instrument
from wherefore.analysis.agreement.raters.replicates import first_readings
from wherefore.analysis.agreement.reading.files import read
from wherefore.analysis.agreement.reading.matrices import weight_matrix
from wherefore.analysis.agreement.reading.source import RatingReadSettings, RatingSource
from wherefore.analysis.agreement.settings import AgreementSettings
from wherefore.analysis.agreement.summary import summarise
from wherefore.analysis.agreement.uncertainty.benchmark import BENCHMARKS, benchmark
from wherefore.analysis.records import Agreement
from wherefore.cli.main import main
from wherefore.study.errors import DataError, StudyError

ITEMS = ("accurate", "thorough", "useful")


def grades(n: int = 40, raters: str = "ab", seed: int = 0) -> np.ndarray:
    """(n, raters, 3)"""
    rng = np.random.default_rng(seed)
    x = (
        rng.normal(size=(n, 1, 1))
        + 0.5 * rng.normal(size=(n, len(raters), 1))
        + 0.8 * rng.normal(size=(n, len(raters), 3))
    )
    return np.clip(np.round(3 + x), 1, 5)


def forms(folder: Path, x: np.ndarray, raters: str = "ab") -> RatingSource:
    rows = ["note,rater," + ",".join(ITEMS)]
    rows += [
        f"n{i},{g}," + ",".join(f"{v:g}" for v in x[i, k])
        for i in range(len(x))
        for k, g in enumerate(raters)
    ]
    path = folder / "forms.csv"
    path.write_text("\n".join(rows).replace("nan", "") + "\n")
    return read(path, RatingReadSettings(columns={"item": ("note",), "value": ITEMS}))


def test_cronbachs_alpha_by_its_formula(tmp_path: Path) -> None:
    x = grades()
    s = instrument(forms(tmp_path, x), "quality", ITEMS, replicates=400)
    flat = x.reshape(-1, 3)
    expected = 3 / 2 * (1 - flat.var(0, ddof=1).sum() / flat.sum(1).var(ddof=1))
    assert s.alpha == pytest.approx(expected)
    assert (s.n_forms, s.n_incomplete, s.n_independent) == (80, 0, 40)
    assert s.low < s.alpha < s.high  # type: ignore[operator]
    rest = flat[:, 1:].sum(1)
    assert s.items[0].rest_correlation == pytest.approx(np.corrcoef(flat[:, 0], rest)[0, 1])
    two = flat[:, 1:]
    assert s.items[0].alpha_without == pytest.approx(
        2 * (1 - two.var(0, ddof=1).sum() / two.sum(1).var(ddof=1))
    )


def test_incomplete_forms_are_left_out_and_counted_and_the_mean_is_a_dimension(tmp_path: Path) -> None:
    x = grades()
    x[3, 1, 2] = np.nan
    summary = summarise(forms(tmp_path, x), AgreementSettings(replicates=200, instruments={"quality": ITEMS}))
    (s,) = summary.instruments
    assert (s.n_forms, s.n_incomplete) == (79, 1)
    total = next(d for d in summary.dimensions if d.name == "quality")
    mean = x.mean(2)
    assert total.agreement[0].value == pytest.approx(coefficient(mean, "krippendorff_alpha", "interval"))
    assert "1 forms lack some" in " ".join(summary.reading.notes)
    assert "Cronbach's alpha (1951)" in summary.methods


def test_wrong_instruments_are_refused(tmp_path: Path) -> None:
    source = forms(tmp_path, grades())
    with pytest.raises(StudyError, match="'usefull' is not a dimension; did you mean 'useful'"):
        instrument(source, "quality", ("accurate", "usefull"))
    with pytest.raises(DataError, match="1 dimension; two are needed"):
        instrument(source, "quality", ("accurate",))
    with pytest.raises(StudyError, match="give the scale another"):
        summarise(source, AgreementSettings(replicates=200, instruments={"useful": ITEMS}))


def twice(folder: Path, names: tuple[str, str] = ("1", "2")) -> Path:
    """Two raters, 30 items, each read twice."""
    rng = np.random.default_rng(1)
    rows = ["item,rater,reading,value"]
    for i in range(30):
        q = rng.normal()
        for g, noise in (("steady", 0.2), ("wild", 1.5)):
            rows += [
                f"i{i},{g},{name},{int(np.clip(round(3 + q + noise * rng.normal()), 1, 5))}" for name in names
            ]
    path = folder / "twice.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("names", [("1", "2"), ("9", "10"), ("test", "retest")])
def test_readings_within_raters_and_first_readings_between(tmp_path: Path, names: tuple[str, str]) -> None:
    source = read(
        twice(tmp_path, names), RatingReadSettings(categories={"": tuple("12345")}, levels={"": "ordinal"})
    )
    d = summarise(source, AgreementSettings(replicates=200)).dimensions[0]
    steady, wild = d.repeats
    wide = source.ratings.pivot(index="item", columns=["rater", "replicate"], values="value")
    for row, rater in ((steady, "steady"), (wild, "wild")):
        expected = coefficient(wide[rater][list(names)].to_numpy(), "krippendorff_alpha", "ordinal")
        assert row.agreement[0].value == pytest.approx(expected)
        assert (row.n, row.readings) == (30, 2)
    assert steady.agreement[0].value > wild.agreement[0].value  # type: ignore[operator]
    first = wide.xs(names[0], axis=1, level="replicate").to_numpy()
    assert d.agreement[0].value == pytest.approx(coefficient(first, "krippendorff_alpha", "ordinal"))
    assert set(first_readings(source.ratings)["replicate"]) == {names[0]}


@pytest.mark.parametrize("scale", BENCHMARKS)
@pytest.mark.parametrize(("value", "error"), [(0.65, 0.1), (0.9, 0.02), (0.1, 0.3), (-0.3, 0.05)])
def test_probabilities_of_words_are_those_of_a_normal_between_minus_1_and_1(
    scale: str, value: float, error: float
) -> None:
    row = Agreement(
        dimension="",
        statistic="gwet_ac",
        value=value,
        standard_error=error,
        n_items=9,
        n_raters=2,
        n_ratings=18,
    )
    b = benchmark(row, scale)
    peer = truncnorm((-1 - value) / error, (1 - value) / error, loc=value, scale=error)
    for word, low in BENCHMARKS[scale].items():
        assert b.above[word] == pytest.approx(peer.sf(low))
    assert b.word == next(w for w, p in b.above.items() if p >= 0.95)
    assert list(b.above.values()) == sorted(b.above.values())


def test_without_a_value_or_an_error_there_is_no_word() -> None:
    row = Agreement(dimension="", statistic="gwet_ac", value=1.0, n_items=9, n_raters=2, n_ratings=18)
    assert benchmark(row, "landis_koch").why_missing == "no standard error"


OWN = ",mild,moderate,severe\nmild,1,0.8,0\nmoderate,0.8,1,0.3\nsevere,0,0.3,1\n"


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        "severe;mild;moderate\n1;0;0,3\n0;1;0,8\n0,3;0,8;1\n",
        "x,severe,moderate,mild\nsevere,0,7,10\nmoderate,7,0,2\nmild,10,2,0\n",
    ],
    ids=["named rows", "header alone, decimal commas, another order", "disagreement"],
)
def test_own_weights_follow_the_names_of_the_categories(tmp_path: Path, text: str) -> None:
    matrix = tmp_path / "weights.csv"
    matrix.write_text(text)
    words, rng = ["mild", "moderate", "severe"], np.random.default_rng(0)
    said = [[words[k] for k in rng.integers(0, 3, 2)] for _ in range(30)]
    path = tmp_path / "ratings.csv"
    path.write_text(
        "item,reader1,reader2\n" + "\n".join(f"i{i},{a},{b}" for i, (a, b) in enumerate(said)) + "\n"
    )
    words_in_order = "--categories", "mild,moderate,severe"
    done = CliRunner().invoke(
        main,
        [
            "agree",
            str(path),
            "--statistic",
            "cohen_kappa",
            "--weights",
            str(matrix),
            *words_in_order,
            "--json",
        ],
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)["dimensions"][0]["agreement"]
    own = next(r for r in rows if r["statistic"] == "cohen_kappa")
    weights = [[1, 0.8, 0], [0.8, 1, 0.3], [0, 0.3, 1]]
    assert own["value"] == pytest.approx(coefficient(said, "cohen_kappa", "nominal", weights=weights))
    assert own["weights"] == "given"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (",a,b\na,1,0.5\n", "the first row names a, b and the first column a"),
        ("1,0.5\n0.5,1\n0,0\n", "row 1 of 3 has 2 weights; the matrix is not square"),
        (",a,b\na,1,x\nb,x,1\n", "row 1, column 2: 'x' is not a number"),
    ],
)
def test_wrong_weights_are_refused_by_cell(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "weights.csv"
    path.write_text(text)
    with pytest.raises(DataError) as e:
        weight_matrix(path)
    assert says in str(e.value)


def test_nothing_that_was_asked_for_is_dropped(tmp_path: Path) -> None:
    source = forms(tmp_path, grades())
    with pytest.raises(StudyError, match="--weights: of which coefficient"):
        summarise(source, AgreementSettings(replicates=200, weights="linear"))
    with pytest.raises(DataError, match="scott_pi is of two raters; found 3"):
        summarise(
            forms(tmp_path, grades(raters="abc"), "abc"),
            AgreementSettings(replicates=200, statistics=("scott_pi",)),
        )
