"""Published and double-checked worked cases; the file does not travel with the project."""

import json
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.agreement import COEFFICIENTS, coefficient, estimate, standard_error, table
from wherefore.analysis.agreement.raters.latent import dawid_skene
from wherefore.analysis.agreement.raters.rows import without_each_rater

Case = dict[str, Any]


@pytest.fixture(scope="session")
def cases(shared_data: Path) -> list[Case]:
    found: list[Case] = json.loads((shared_data / "agreement_reference.json").read_text())
    return found


def computed(c: Case) -> float | None:
    """The value of a case by the function that the docs name for its kind."""
    name, ratings, level, weights = c["statistic"], c["ratings"], c["level"], c["weights"]
    if name in COEFFICIENTS:
        return coefficient(ratings, name, level, weights=weights)
    if "_boot_percentile95_" in name:
        statistic, side = name.split("_boot_percentile95_")
        return getattr(estimate(table(ratings, level), statistic, method="percentile"), side)  # type: ignore[no-any-return]
    if "_ci95_" in name:
        statistic, side = name.split("_ci95_")
        return getattr(estimate(table(ratings, level), statistic), side)  # type: ignore[no-any-return]
    if name.endswith("_jackknife_se"):
        return standard_error(ratings, name.removesuffix("_jackknife_se"), level, method="jackknife")
    if name.endswith("_se"):
        return standard_error(ratings, name.removesuffix("_se"), level, weights=weights)
    if name.endswith("_leave_one_rater_out"):
        return without_each_rater(ratings, name.removesuffix("_leave_one_rater_out"), level)[c["rater_index"]]
    if name == "dawid_skene_prevalence":
        found = dawid_skene(ratings, rater_of_column=c["rater_of_column"])
        return float(found.prevalence[found.categories.index(c["category"])])
    raise AssertionError(f"no function for {name}")


@pytest.mark.shared
def test_every_case_equals_its_reference(cases: list[Case]) -> None:
    wrong = [
        f"{c['name']}: {value} instead of {c['value']}"
        for c in cases
        if (value := computed(c)) is None or abs(value - c["value"]) > c["tolerance"]
    ]
    assert len(cases) == 69
    assert wrong == []
