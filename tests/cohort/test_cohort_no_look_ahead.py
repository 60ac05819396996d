"""Nothing at or after the prediction time (and the gap) reaches a timeline, whatever the rule and the source."""

import datetime as dt
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from wherefore.cohort import sources
from wherefore.cohort.build import build
from wherefore.cohort.events import YEAR, Place
from wherefore.cohort.labels import rows
from wherefore.cohort.phenotype import code_set
from wherefore.cohort.records import Case, Evidence
from wherefore.cohort.settings import Settings
from wherefore.cohort.tokens import counter
from wherefore.study import parts
from wherefore.study.records import read_table

_spec = importlib.util.spec_from_file_location("_formats", Path(__file__).with_name("_formats.py"))
assert _spec is not None
assert _spec.loader is not None
_formats = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_formats)

YEARLY = list(range(12_000, 29_000, 300))
ANCHORS = {
    "1": {"birth": dt.date(1940, 1, 1), "sex": "Male", "events": YEARLY, "ill": 27_000, "death": None},
    "2": {"birth": dt.date(1940, 6, 1), "sex": "Male", "events": YEARLY, "ill": None, "death": None},
}

person = st.fixed_dictionaries(
    {
        "birth": st.dates(dt.date(1935, 1, 1), dt.date(1945, 1, 1)),
        "sex": st.just("Male"),
        "events": st.lists(st.integers(0, 29_000), min_size=1, max_size=12, unique=True),
        "ill": st.none() | st.integers(22_000, 29_000),
        "death": st.none() | st.integers(29_000, 29_010),
    }
)
rule = st.one_of(
    st.fixed_dictionaries({"rule": st.just("fixed_age"), "age": st.floats(66, 73)}),
    st.fixed_dictionaries(
        {"rule": st.just("landmark"), "date": st.dates(dt.date(2007, 1, 1), dt.date(2012, 12, 31)).map(str)}
    ),
    st.fixed_dictionaries({"rule": st.just("enrolment"), "after_days": st.integers(5000, 12000)}),
    st.just({"rule": "random_visit"}),
    st.fixed_dictionaries(
        {"rule": st.just("per_row"), "asked": st.dates(dt.date(2007, 1, 1), dt.date(2012, 12, 31)).map(str)}
    ),
)


def made(
    source: str, people: Any, predict: dict[str, Any], gap: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    with tempfile.TemporaryDirectory() as name:
        folder, scratch = Path(name) / "records", Path(name) / "scratch"
        folder.mkdir(), scratch.mkdir()
        options = _formats.WRITERS[source](people, folder)
        predict = dict(predict)
        if (asked := predict.pop("asked", None)) is not None:
            lines = ["subject_id,prediction_time", *(f"{i},{asked}" for i in people)]
            (Path(name) / "rows.csv").write_text("\n".join(lines))
            predict["file"] = str(Path(name) / "rows.csv")
        s = Settings.model_validate(
            {
                "source": {"name": source, **options},
                "predict": {**predict, "min_age": 45, "max_age": 80},
                "horizon_years": 1,
                "history_years": 0,
                "gap_days": gap,
                "timeline": {"budget": None},
                "followup": {"until_age": 85},
            }
        )
        part = parts.find(sources, "source", source)
        place = Place(Path, 0, scratch)
        records = part.read(s.source.options(part.Options, "cohort.source"), place)
        asked, out = rows(s.predict, place, records), Path(name) / "out"
        build(records, s, code_set("adrd", Path()), seed, counter(None), place.bad, out, None, asked)
        return read_table(out / "cases.parquet", Case), read_table(out / "evidence.parquet", Evidence)


@pytest.mark.parametrize("source", list(_formats.WRITERS))
@settings(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate], database=None, derandomize=True
)
@given(
    people=st.lists(person, max_size=3),
    predict=rule,
    gap=st.sampled_from([0, 1, 180, 365]),
    seed=st.integers(0, 9),
)
def test_the_timeline_is_what_happened_before(
    source: str, people: Any, predict: Any, gap: int, seed: int
) -> None:
    everybody = {**ANCHORS, **{str(i): p for i, p in enumerate(people, 3)}}
    cases, evidence = made(source, everybody, predict, gap, seed)
    assert len(cases)
    for case in cases.itertuples():
        mine = evidence[evidence["case"] == case.id]
        codes = {c for c in mine["code"] if c.startswith("Z")}
        before = {f"Z{d}" for d in everybody[case.subject]["events"] if d < case.day - gap}
        assert codes == before
        assert "G30" not in set(mine["code"])
        assert all(line in case.timeline for line in mine["line"])


def test_every_source_is_tried() -> None:
    assert {*_formats.WRITERS, "simulated"} == set(parts.names(sources))


def test_the_simulators_timelines_too(tmp_path: Path) -> None:
    from wherefore.cohort.sources import simulated

    s = Settings.model_validate(
        {"source": {"name": "simulated"}, "gap_days": 180, "timeline": {"budget": None}}
    )
    place = Place(Path, 5, Path())
    records = simulated.read(simulated.Options(people=3000), place)
    cohort = build(records, s, code_set("adrd", Path()), 5, counter(None), place.bad, tmp_path)
    day = cohort.cases.set_index("id")["day"]
    evidence = read_table(tmp_path / "evidence.parquet", Evidence)
    dated = evidence[evidence["age"].notna()]
    cut = dated["case"].map(day).to_numpy() - 180
    assert (dated["years_before"] >= 0.4).all()  # 180 days are 0.49 years, printed as 0.5
    assert (np.floor(dated["age"] * YEAR - 0.05 * YEAR - 1) < cut).all()
