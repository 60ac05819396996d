"""Published and double-checked worked cases, through the library and through the command; the files stay outside."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.analysis.agreement import COEFFICIENTS, coefficient, estimate, standard_error, table
from wherefore.analysis.agreement.raters.latent import dawid_skene
from wherefore.analysis.agreement.raters.rows import without_each_rater
from wherefore.cli.main import main

Case = dict[str, Any]

FILES = {"agreement_reference.json": 69, "agreement_reference_2.json": 92}

OTHER_DEFINITION = ("icc_ak_ci95_low", "icc_ak_ci95_high")
"""R's irr differs from McGraw & Wong here, whose limits are the default; `method="irr"` gives R's."""


@pytest.fixture(scope="session")
def cases(shared_data: Path) -> list[Case]:
    found: list[Case] = []
    for name, n in FILES.items():
        some = json.loads((shared_data / name).read_text())
        assert len(some) == n
        found += [c | {"file": name} for c in some]
    return found


def by_irr(c: Case) -> bool:
    return c["statistic"] in OTHER_DEFINITION and "irr" in c["source"]


def computed(c: Case) -> float | None:
    """The value of a case by the function that the docs name for its kind."""
    name, ratings, level, weights = c["statistic"], c["ratings"], c["level"], c["weights"]
    if name in COEFFICIENTS:
        return coefficient(ratings, name, level, weights=weights, categories=c.get("categories"))
    for ending, method in (("_boot_percentile95_", "percentile"), ("_ci95_", "irr" if by_irr(c) else "auto")):
        if ending in name:
            statistic, side = name.split(ending)
            return getattr(estimate(table(ratings, level), statistic, method=method), side)  # type: ignore[no-any-return]
    for ending, method in (("_jackknife_se", "jackknife"), ("_se_null", "null"), ("_se", "analytic")):
        if name.endswith(ending):
            return standard_error(ratings, name.removesuffix(ending), level, weights=weights, method=method)  # type: ignore[arg-type]
    if name.endswith("_leave_one_rater_out"):
        return without_each_rater(ratings, name.removesuffix("_leave_one_rater_out"), level)[c["rater_index"]]
    if name == "dawid_skene_prevalence":
        found = dawid_skene(ratings, rater_of_column=c["rater_of_column"])
        return float(found.prevalence[found.categories.index(c["category"])])
    raise AssertionError(f"no function for {name}")


def commanded(c: Case, folder: Path) -> float | None:
    """The same from `wherefore agree` on a file with a column a rater."""
    path = folder / "ratings.csv"
    with path.open("w", newline="") as f:
        out = csv.writer(f)
        raters = [f"rater{g + 1}" for g in range(len(c["ratings"][0]))]
        out.writerow(["item", *raters])
        out.writerows([f"i{i}", *("" if v is None else v for v in row)] for i, row in enumerate(c["ratings"]))
    name = c["statistic"]
    statistic = next((k for k in sorted(COEFFICIENTS, key=len, reverse=True) if name.startswith(k)), "")
    words = ["agree", str(path), "--wide", "--level", c["level"], "--json", "--items", "0"]
    if "specific" not in statistic:
        words += ["--statistic", statistic]
    categories = c.get("categories") or sorted(
        {v for row in c["ratings"] for v in row if v is not None}, key=order
    )
    words += ["--categories", ",".join(f'"{v}"' if "," in str(v) else str(v) for v in categories)]
    if "percentile" in name or by_irr(c):
        words += ["--interval", "irr" if by_irr(c) else "percentile"]
    elif "_ci95" not in name:
        words += ["--replicates", "200"]
    if isinstance(c["weights"], list):
        (folder / "weights.csv").write_text("\n".join(",".join(map(str, row)) for row in c["weights"]) + "\n")
        words += ["--weights", str(folder / "weights.csv")]
    elif c["weights"] and COEFFICIENTS[statistic].weights != "none":
        words += ["--weights", c["weights"]]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, f"{c['name']}: {done.output}"
    (d,) = json.loads(done.output)["dimensions"]
    if name.endswith("_leave_one_rater_out"):
        return d["raters"][c["rater_index"]]["without"]  # type: ignore[no-any-return]
    row = [r for r in d["agreement"] if r["statistic"] == statistic][-1]
    field = next((v for k, v in FIELDS.items() if name.endswith(k)), "value")
    return row[field]  # type: ignore[no-any-return]


FIELDS = {
    "_low": "low",
    "_high": "high",
    "_jackknife_se": "jackknife_error",
    "_se_null": "null_error",
    "_se": "standard_error",
}


def order(v: object) -> tuple[int, Any]:
    return (0, v) if isinstance(v, int | float) else (1, str(v))


def wrong(c: Case, value: float | None) -> bool:
    return value is None or abs(value - c["value"]) > c["tolerance"]


@pytest.mark.shared
def test_every_case_equals_its_reference(cases: list[Case]) -> None:
    found = [(c, computed(c)) for c in cases]
    assert [f"{c['name']}: {v} instead of {c['value']}" for c, v in found if wrong(c, v)] == []


@pytest.mark.shared
def test_the_command_gives_the_same(cases: list[Case], tmp_path: Path) -> None:
    of_table = [
        c for c in cases if c["statistic"] != "dawid_skene_prevalence"
    ]  # latent classes: library only
    assert len(of_table) == len(cases) - 2
    found = [(c, commanded(c, tmp_path)) for c in of_table]
    assert [f"{c['name']}: {v} instead of {c['value']}" for c, v in found if wrong(c, v)] == []
