"""Published and double-checked worked cases; the file does not travel with the project."""

import json
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.agreement import COEFFICIENTS, coefficient, estimate, table

Case = dict[str, Any]


@pytest.fixture(scope="session")
def cases(shared_data: Path) -> list[Case]:
    found: list[Case] = json.loads((shared_data / "agreement_reference.json").read_text())
    return found


@pytest.mark.shared
def test_coefficients_equal_their_reference(cases: list[Case]) -> None:
    mine = [c for c in cases if c["statistic"] in COEFFICIENTS]
    assert len(mine) >= 12
    for c in mine:
        value = coefficient(c["ratings"], c["statistic"], c["level"], weights=c["weights"])
        assert value == pytest.approx(c["value"], abs=c["tolerance"]), c["name"]


@pytest.mark.shared
def test_percentile_limits_equal_their_reference(cases: list[Case]) -> None:
    mine = [c for c in cases if "_boot_percentile95_" in c["statistic"]]
    assert len(mine) == 5
    for c in mine:
        made = estimate(table(c["ratings"], c["level"]), "krippendorff_alpha", method="percentile")
        side = c["statistic"].rsplit("_", 1)[1]
        assert getattr(made, side) == pytest.approx(c["value"], abs=c["tolerance"]), c["name"]
