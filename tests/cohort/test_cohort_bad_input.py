"""What is wrong with records or a study file is one line; nothing is half-written and nothing lost silently."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from wherefore.cohort.run import counted, resolve, run
from wherefore.study.config import Study
from wherefore.study.errors import DataError, StaleError, StudyError, WhereforeError

OMOP = {
    "PATIENTS.csv": "PID,YEAR_OF_BIRTH,month_of_birth,DAY_OF_BIRTH,GENDER_CONCEPT_ID\n"
    "1,1940,1,1,8507\n2,1940,,,8532\n",
    "Condition_Occurrence.csv": "PID,dx_day,condition_source_value,condition_concept_id\n"
    "1.0,03/05/2001,I10,0\n1,10/01/2013,G30.9,0\n2,03/05/2002,3310,0\n2,BAD_DATA,E11,0\n",
    "Observation_Period.csv": "PID,observation_period_start_date,observation_period_end_date\n"
    "1,01/01/1999,01/01/2020\n",
}
MAPPED = {
    "name": "omop",
    "tables": {"person": "patients"},
    "date_format": "%d/%m/%Y",
    "columns": {"person_id": "pid", "condition_occurrence.condition_start_date": "DX_DAY"},
}


def study(**cohort: object) -> Study:
    return Study.model_validate({"name": "t", "cohort": cohort})


def written(folder: Path, files: dict[str, str]) -> str:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return str(folder)


def one_line(error: WhereforeError) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_odd_names_and_a_bad_date_are_a_matter_of_the_study_file(tmp_path: Path) -> None:
    path = written(tmp_path / "omop", OMOP)
    found = counted(study(source={**MAPPED, "path": path}, bad_rows=0.3))
    assert (found["people"], found["with_onset_code"], found["bad_rows"]) == (2, 2, 1)
    assert found["bad_rows_by_reason"] == {"Condition_Occurrence.csv: condition_start_date is no date": 1}
    with pytest.raises(DataError, match=r"1 of 4 rows are bad.*allows 1.0%.*first in row 3: 'BAD_DATA'"):
        counted(study(source={**MAPPED, "path": path}))


def test_only_the_person_table_must_be_there(tmp_path: Path) -> None:
    path = written(tmp_path / "omop", {"person.csv": "person_id,year_of_birth\n1,1940\n"})
    assert counted(study(source={"name": "omop", "path": path}))["people"] == 1
    with pytest.raises(StudyError, match="no table 'person'"):
        counted(
            study(source={"name": "omop", "path": written(tmp_path / "none", {"death.csv": "person_id\n"})})
        )


def test_an_onset_between_two_visits(tmp_path: Path) -> None:
    written(tmp_path, {"w.csv": "id,entry,without,with,dem,end\n1,70,72,74,1,74\n2,70,,,0,80\n3,70,,,0,79\n"})
    first = {"column": "with", "after": "without", "when": "dem", "code": "F03", "system": "ICD10"}
    followup = {}
    for interval in ("midpoint", "upper"):
        source = {
            "name": "wide",
            "path": str(tmp_path / "w.csv"),
            "subject": "id",
            "first": "entry",
            "last": "end",
            "firsts": [first],
            "interval": interval,
        }
        s = study(source=source, predict={"rule": "fixed_age", "age": 71}, history_years=0, min_events=0)
        run(s, tmp_path / interval)
        cases = pd.read_parquet(tmp_path / interval / "cohort/cases.parquet").set_index("subject")
        assert cases["label"].to_dict() == {"1": 1, "2": 0, "3": 0}
        followup[interval] = cases.loc["1", "followup_years"]
    assert followup == {"midpoint": pytest.approx(2, abs=0.01), "upper": pytest.approx(3, abs=0.01)}


def meds_with(meds: Path, change: Callable[[pd.DataFrame], pd.DataFrame], **more: object) -> Study:
    frame = change(pd.read_parquet(meds / "data" / "0.parquet"))
    frame.to_parquet(meds / "data" / "0.parquet")
    return study(
        source={"name": "meds", "path": str(meds)},
        predict={"rule": "fixed_age", "age": 70},
        followup={"until_age": 80},
        **more,
    )


def _before_birth(f: pd.DataFrame) -> pd.DataFrame:
    return f.assign(time=f["time"].where(f["code"] != "ICD10/E11", pd.Timestamp("1939-12-01")))


def _after_death(f: pd.DataFrame) -> pd.DataFrame:
    return f.assign(time=f["time"].where(f["code"] != "ICD10/E11", pd.Timestamp("2012-08-01")))


FAULTS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "before birth": (_before_birth, "1 of 14 rows are bad.*an event before birth.*subject 2, age -0.1"),
    "after death": (_after_death, "1 of 14 rows are bad.*more than a month after death.*subject 2"),
    "empty": (lambda f: f.head(0), "0.parquet: an empty table"),
    "no code": (
        lambda f: f.assign(code=f["code"].where(f["code"] != "ICD10/E11")),
        "1 of 14 rows are bad.*no code",
    ),
    "times in numbers": (lambda f: f.assign(time=1.5), "the time column holds double"),
    "times in words": (
        lambda f: f.assign(time=f["time"].astype("str").where(f["code"] != "ICD10/E11", "BAD_DATA")),
        "1 of 14 rows are bad.*time is no date.*'BAD_DATA'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_records(fault: str, meds: Path, tmp_path: Path) -> None:
    change, message = FAULTS[fault]
    with pytest.raises(DataError, match=message) as e:
        run(meds_with(meds, change), tmp_path / "home")
    one_line(e.value)
    assert not list((tmp_path / "home/cohort").glob("*.parquet"))
    assert not (tmp_path / "home/cohort/manifest.json").exists()


def test_unsorted_rows_are_sorted(meds: Path, tmp_path: Path) -> None:
    run(meds_with(meds, lambda f: f), tmp_path / "a")
    run(meds_with(meds, lambda f: f.sample(frac=1, random_state=1)), tmp_path / "b")
    a, b = (
        pd.read_parquet(tmp_path / x / "cohort/cases.parquet").set_index("subject").sort_index() for x in "ab"
    )
    pd.testing.assert_frame_equal(a, b)


def test_a_subject_in_two_files(meds: Path, tmp_path: Path) -> None:
    s = meds_with(meds, lambda f: f)
    (meds / "data" / "1.parquet").write_bytes((meds / "data" / "0.parquet").read_bytes())
    with pytest.raises(DataError, match=r"1.parquet: subject 1 appears in an earlier file too"):
        run(s, tmp_path / "home")


def test_two_people_of_one_id(tmp_path: Path) -> None:
    path = written(tmp_path / "o", {"person.csv": "person_id,year_of_birth\n1,1940\n1,1941\n"})
    with pytest.raises(DataError, match="subject '1' appears more than once among the people"):
        counted(study(source={"name": "omop", "path": path}))


def test_a_code_set_that_matches_nothing(meds: Path, tmp_path: Path) -> None:
    codes = (
        written(tmp_path / "sets", {"gout.toml": 'name = "Gout"\n[onset]\nICD10 = ["M10"]\n'}) + "/gout.toml"
    )
    s = study(source={"name": "meds", "path": str(meds)}, phenotype={"codes": codes})
    with pytest.raises(
        DataError, match=r"matches no code of the 3 people. The records have: 6 ICD10, 3 SEX"
    ) as e:
        run(s, tmp_path / "home")
    one_line(e.value)


def test_a_horizon_longer_than_followup(meds: Path, tmp_path: Path) -> None:
    s = meds_with(meds, lambda f: f[f["code"] != "ICD10/F03"], horizon_years=20)
    with pytest.raises(
        DataError, match=r"horizon_years: 20 is longer than anybody was followed.*at most 10.0 years"
    ):
        run(s, tmp_path / "home")


def test_a_label_that_is_none(meds: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "subject_id,prediction_time,boolean_value\n1,2010-01-01,1\n2,2010-01-01,2\n"
    )
    predict = {"rule": "per_row", "file": str(tmp_path / "labels.csv"), "labels": "boolean_value"}
    with pytest.raises(
        DataError, match=r"labels.csv: row 1: boolean_value: found '2'; a label is 0 or 1"
    ) as e:
        run(study(source={"name": "meds", "path": str(meds)}, predict=predict), tmp_path / "home")
    one_line(e.value)


def test_fhir_that_does_not_count_or_cannot_be_read(tmp_path: Path) -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "26929004"}]}
    whole = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/1"},
        "recordedDate": "2010-05",
        "code": code,
    }

    def condition(**more: object) -> str:
        return json.dumps({**whole, **more})

    refuted = condition(verificationStatus={"coding": [{"code": "refuted"}]})
    lines = [
        json.dumps({"resourceType": "Patient", "id": "1", "birthDate": "1940"}),
        condition(),
        refuted,
        "{broken",
    ]
    path = written(tmp_path / "f", {"all.ndjson": "\n".join(lines)})
    found = counted(study(source={"name": "fhir_bulk", "path": path}, bad_rows=0.5))
    assert found["events_by_kind"] == {"condition": 1}
    assert found["skipped_rows"] == {"all.ndjson: Condition: refuted": 1}
    assert found["bad_rows_by_reason"] == {"all.ndjson: not JSON": 1}


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        (
            {"source": {"name": "meds", "path": "x", "cod": "y"}},
            "cohort.source.cod: unknown key; did you mean 'code'",
        ),
        ({"source": {"name": "simulated"}, "predict": {"rule": "fixed_age"}}, "rule 'fixed_age' needs 'age'"),
        (
            {"source": {"name": "simulated"}, "phenotype": {"codes": "adr"}},
            "'adr' is neither a file nor a code set; did you mean 'adrd'",
        ),
        ({"source": {"name": "simulated"}, "split": {"held_out": 0.95}}, "nobody is left to train"),
        (
            {"source": {"name": "simulated"}, "horizon": 5},
            "horizon: unknown key; did you mean 'horizon_years'",
        ),
    ],
)
def test_faults_of_the_study_file(cohort: dict[str, object], message: str) -> None:
    with pytest.raises(StudyError, match=message) as e:
        resolve(study(**cohort))
    one_line(e.value)


def test_other_records_under_the_same_path_are_noticed(meds: Path, tmp_path: Path) -> None:
    s = meds_with(meds, lambda f: f)
    run(s, tmp_path / "home")
    assert not run(s, tmp_path / "home")
    more = meds_with(meds, lambda f: f.assign(note="x" * 50))
    with pytest.raises(StaleError, match=r"cohort: made from other settings: files.cohort.source.path"):
        run(more, tmp_path / "home")
