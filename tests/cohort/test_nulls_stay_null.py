"""An empty cell stays empty, whatever the rows beside it hold: in every source and every type of column."""

import importlib.util
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wherefore.cohort import sources
from wherefore.study import parts


def _beside(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_facts, _read = _beside("_facts"), _beside("_read")
Fact = _facts.Fact

PATIENT = [
    Fact("1", 24_000, "2345-7"),
    Fact("1", 24_100, "8302-2", value=165.0),
    Fact("1", 24_200, "72166-2"),
    Fact("1", 24_300, "9999-9", value=3.0),
    Fact("1", 24_400, "I10", "ICD10"),
]
"""Nothing of this person has a unit or a word, and two have no value."""
ILL = Fact("3", 26_500, "G30", "ICD10")

neighbour = st.builds(
    Fact,
    subject=st.sampled_from(["2", "3"]),
    day=st.integers(20_000, 25_000),
    code=st.sampled_from(["2345-7", "8302-2", "72166-2", "9999-9"]),
    value=st.none() | st.just(1.7),
    unit=st.none() | st.sampled_from(["m", "mmol/L"]),
    word=st.none() | st.sampled_from(["Never smoker", "positive"]),
)


def evidence(source: str, shape: str, facts: list[Any]) -> pd.DataFrame:
    """What the cohort stage says of these facts at age 70."""
    write, _ = _facts.WRITERS[source]
    records = _facts.Records(facts)
    cohort, _ = _read.read(
        source, lambda folder: write(records, folder, shape), followup={"until_age": 85}, bad_rows=1.0
    )
    return cohort.evidence


@pytest.mark.parametrize(
    ("source", "shape"), [(s, shape) for s, (_, shapes) in _facts.WRITERS.items() for shape in shapes]
)
@settings(max_examples=2, deadline=None, database=None, derandomize=True)
@given(neighbours=st.lists(neighbour, min_size=1, max_size=4))
def test_what_is_said_of_a_person_is_that_person_s(source: str, shape: str, neighbours: list[Any]) -> None:
    others = [Fact("2", 24_000, "I10", "ICD10"), *neighbours, ILL]
    lines = evidence(source, shape, [*PATIENT, *others])
    mine = lines[lines["case"].str.startswith("1@") & (lines["kind"] != "demographic")].set_index("code")
    assert mine["unit"].isna().all()
    assert mine["value"].dropna().to_dict() == {"8302-2": 165.0, "9999-9": 3.0}
    assert not mine["line"].str.contains("smoker|positive|mmol").any()


def test_every_source_is_tried() -> None:
    assert {*_facts.WRITERS, "simulated"} == set(parts.names(sources))
