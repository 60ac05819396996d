"""ACES task configurations run as they are and give the labels of `aces-cli`.

The expected rows are what es-aces 0.7.3 wrote for the same task and the same rows, in an environment of its own:

    aces-cli cohort_name=T cohort_dir=OUT config_path=T.yaml data.path=0.parquet data.standard=meds

`benchmarks/aces.py` compares random tasks over random records with it.
"""

import json
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from wherefore.cohort.aces import labels
from wherefore.cohort.records import Case
from wherefore.cohort.run import resolve, run
from wherefore.study.config import Study
from wherefore.study.errors import DataError, StudyError, WhereforeError
from wherefore.study.records import read_table

ROWS = """
1 -                SEX//male          -
1 1950-03-01T00:00 MEDS_BIRTH         -
1 2019-12-30T08:00 CLINIC             -
1 2020-01-01T10:00 ADMISSION//MEDICAL -
1 2020-01-01T10:30 LAB//SpO2          97
1 2020-01-01T22:00 LAB//SpO2          93
1 2020-01-02T09:00 ICD9CM//428.0      -
1 2020-01-05T14:00 DISCHARGE//HOME    -
1 2020-01-20T01:00 ADMISSION//ED      -
1 2020-01-20T06:00 LAB//SpO2          95
1 2020-01-21T06:00 LAB//SpO2          88
1 2020-01-23T12:00 DEATH              -
2 -                SEX//female        -
2 1944-06-15T00:00 MEDS_BIRTH         -
2 2018-02-01T09:00 ADMISSION//SURGERY -
2 2018-02-01T09:00 ICD9CM//410.7      -
2 2018-02-02T00:00 LAB//SpO2          99
2 2018-02-02T08:59 LAB//SpO2          -
2 2018-02-02T09:00 LAB//SpO2          124
2 2018-02-09T11:00 DISCHARGE//HOME    -
2 2019-08-01T09:00 ADMISSION//MEDICAL -
2 2019-08-02T09:00 DISCHARGE//SNF     -
2 2019-08-02T09:00 ICD9CM//410.7      -
2 2021-01-01T00:00 CLINIC             -
3 -                SEX//male          -
3 1960-01-01T00:00 MEDS_BIRTH         -
3 2020-05-01T00:00 ADMISSION//ED      -
3 2020-05-01T01:00 LAB//SpO2          90
3 2020-05-01T02:00 LAB//SpO2          120
3 2020-05-03T00:00 DISCHARGE//HOME    -
3 2020-05-31T00:00 ADMISSION//MEDICAL -
3 2020-06-10T00:00 DISCHARGE//HOME    -
4 1938-10-10T00:00 MEDS_BIRTH         -
4 2020-05-01T12:00 LAB//SpO2          91
"""
HOSPITAL = """
predicates:
  admission:
    code: { regex: "ADMISSION//.*" }
  discharge:
    code: { regex: "DISCHARGE//.*" }
  death:
    code: DEATH
  discharge_or_death:
    expr: or(discharge, death)
  heart_failure: { code: { any: [ICD9CM//428.0, ICD9CM//428.9] } }
  infarction: { code: ICD9CM//410.7 }
  spo2: { code: LAB//SpO2 }
  normal: { code: LAB//SpO2, value_min: 90, value_max: 120, value_min_inclusive: True, value_max_inclusive: True }
  low: { code: LAB//SpO2, value_max: 90, value_max_inclusive: False }
  high: { code: LAB//SpO2, value_min: 120, value_min_inclusive: False }
  abnormal: { expr: "or(low, high)" }
  inpatient_infarction: { expr: "and(infarction, discharge)" }
"""
IN_HOSPITAL_MORTALITY = """
trigger: admission
windows:
  input:
    start: NULL
    end: trigger + 24h
    start_inclusive: True
    end_inclusive: True
    has:
      _ANY_EVENT: (3, None)
    index_timestamp: end
  gap:
    start: trigger
    end: start + 48h
    start_inclusive: False
    end_inclusive: True
    has:
      admission: (None, 0)
      discharge: (None, 0)
      death: (None, 0)
  target:
    start: gap.end
    end: start -> discharge_or_death
    start_inclusive: False
    end_inclusive: True
    label: death
"""
IMMINENT_MORTALITY = """
trigger: _ANY_EVENT
windows:
  gap: {start: trigger, end: start + 2 hours, start_inclusive: True, end_inclusive: True, index_timestamp: end}
  target: {start: gap.end, end: start + 3 days, start_inclusive: False, end_inclusive: True, label: death}
"""
READMISSION = """
description: 30 days after discharge
metadata: {author: nobody}
trigger: admission
windows:
  input: {start: trigger, end: start -> discharge, start_inclusive: False, end_inclusive: True, index_timestamp: end}
  target: {start: input.end, end: start + 30 days, start_inclusive: False, end_inclusive: True, label: admission}
"""
RECURRENCE = """
trigger: discharge
windows:
  input: {start: end <- admission, end: trigger, start_inclusive: False, end_inclusive: True, index_timestamp: end}
  gap:
    start: trigger
    end: start + 365 days
    start_inclusive: False
    end_inclusive: True
    has: {inpatient_infarction: "(None, 0)"}
  target: {start: gap.end, end: start + 1095 days, start_inclusive: False, end_inclusive: True, label: infarction}
"""
ABNORMAL_LAB = """
trigger: normal
windows:
  input: {start: NULL, end: trigger, start_inclusive: True, end_inclusive: True, index_timestamp: end}
  gap: {start: trigger, end: start + 1h, start_inclusive: False, end_inclusive: True}
  target:
    start: gap.end
    end: start + 7 days
    start_inclusive: False
    end_inclusive: True
    has: {spo2: "(1, None)"}
    label: abnormal
"""
HEART_FAILURE_READMISSION = """
trigger: discharge
windows:
  data_before:
    start: end - 1825d
    end: stay.start
    start_inclusive: True
    end_inclusive: False
    has: {_ANY_EVENT: "(1, None)"}
  stay:
    start: end <- admission
    end: trigger
    start_inclusive: True
    end_inclusive: True
    has: {heart_failure: "(1, None)"}
  input: {start: NULL, end: trigger, start_inclusive: True, end_inclusive: True, index_timestamp: end}
  target: {start: input.end, end: start + 30d, start_inclusive: False, end_inclusive: True, label: admission}
  watched:
    start: target.start
    end: null
    start_inclusive: False
    end_inclusive: True
    has: {_ANY_EVENT: "(1, None)"}
"""
MEN_ONLY = (
    READMISSION
    + """
patient_demographics:
  male: { code: SEX//male }
"""
)
MAY_3 = "3 2020-05-03 00:00 1"
EXPECTED = {
    "IN_HOSPITAL_MORTALITY": [
        "1 2020-01-02 10:00 0",
        "1 2020-01-21 01:00 1",
        "2 2018-02-02 09:00 0",
        "3 2020-06-01 00:00 0",
    ],
    "READMISSION": [
        "1 2020-01-05 14:00 1",
        "2 2018-02-09 11:00 0",
        "2 2019-08-02 09:00 0",
        MAY_3,
        "3 2020-06-10 00:00 0",
    ],
    "RECURRENCE": [
        "1 2020-01-05 14:00 0",
        "2 2018-02-09 11:00 1",
        "2 2019-08-02 09:00 0",
        "3 2020-05-03 00:00 0",
        "3 2020-06-10 00:00 0",
    ],
    "ABNORMAL_LAB": ["1 2020-01-01 10:30 0", "1 2020-01-20 06:00 1", "2 2018-02-02 00:00 1"],
    "HEART_FAILURE_READMISSION": ["1 2020-01-05 14:00 1"],
    "MEN_ONLY": ["1 2020-01-05 14:00 1", MAY_3, "3 2020-06-10 00:00 0"],
}
IMMINENT = (29, ["1 2020-01-21 08:00 1"])
"""Rows, and those with the label."""


def records(folder: Path) -> Path:
    """The rows as a MEDS file, in the precision that MEDS has."""
    rows = [line.split() for line in ROWS.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["subject_id", "time", "code", "numeric_value"]).replace("-", None)
    frame["time"] = pd.to_datetime(frame["time"]).astype("datetime64[us]")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "0.parquet"
    frame.astype({"subject_id": "int64", "numeric_value": "float32"}).to_parquet(file)
    return file


def written(folder: Path, text: str, name: str = "task.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def found(task: Path, folder: Path, predicates: Path | None = None) -> list[str]:
    rows = labels(task, records(folder / "meds"), predicates).itertuples(index=False)
    return [f"{subject} {str(time)[:16]} {label:d}" for subject, time, label in rows]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_task_gives_the_labels_of_aces(name: str, tmp_path: Path) -> None:
    assert found(written(tmp_path, HOSPITAL + globals()[name]), tmp_path) == EXPECTED[name]


def test_every_event_can_be_a_trigger(tmp_path: Path) -> None:
    rows = found(written(tmp_path, HOSPITAL + IMMINENT_MORTALITY), tmp_path)
    assert (len(rows), [r for r in rows if r.endswith(" 1")]) == IMMINENT


def test_predicates_of_the_records_come_before_those_of_the_task(tmp_path: Path) -> None:
    """As in MEDS-DEV: the task leaves its predicates open."""
    task = written(tmp_path, "predicates:\n  admission: ???\n  discharge: ???\n" + READMISSION)
    assert found(task, tmp_path, written(tmp_path, HOSPITAL, "ours.yaml")) == EXPECTED["READMISSION"]
    with pytest.raises(DataError, match=r"task.yaml: predicates.admission: a code or an expr is needed"):
        labels(task, records(tmp_path / "meds"))


def study(tmp_path: Path, task: str, **cohort: object) -> Study:
    source = {"name": "meds", "path": str(records(tmp_path / "meds").parent)}
    predict = {"rule": "aces", "file": str(written(tmp_path, task))}
    words = {"outcome": "readmission", "question": "Readmission within 30 days?"}
    return Study.model_validate(
        {"name": "s", "cohort": {"source": source, "predict": predict, **words, **cohort}}
    )


def test_the_cases_of_a_study_are_those_of_aces(tmp_path: Path) -> None:
    run(study(tmp_path, HOSPITAL + READMISSION), tmp_path)
    cases = read_table(tmp_path / "cohort" / "cases.parquet", Case)
    rows = zip(cases["subject"], cases["prediction_time"], cases["label"], strict=True)
    assert sorted(f"{s} {str(t)[:16]} {y}" for s, t, y in rows) == EXPECTED["READMISSION"]
    first = cases[cases["prediction_time"] == datetime(2020, 1, 5, 14)].iloc[0]
    assert "428.0" in first["timeline"]
    assert "DISCHARGE" not in first["timeline"], "nothing of the day itself"
    assert json.loads((tmp_path / "cohort" / "summary.json").read_text())["cases"] == 5


def test_other_records_and_missing_words_are_refused(tmp_path: Path) -> None:
    asked = study(tmp_path, HOSPITAL + READMISSION)
    source = {"name": "simulated"}
    with pytest.raises(StudyError, match="'aces' reads MEDS records, not simulated"):
        resolve(asked.model_copy(update={"cohort": {**asked.cohort, "source": source}}))
    with pytest.raises(WhereforeError, match="rule 'aces' needs 'outcome' and 'question'"):
        resolve(study(tmp_path, HOSPITAL + READMISSION, question=""))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "trigger: admission",
            "trigger: admision",
            "trigger: 'admision' is not a predicate; did you mean 'admission'",
        ),
        ("trigger: admission", "triger: admission", "unknown key 'triger'; did you mean 'trigger'"),
        ("label: admission", "lable: admission", "windows.target: unknown key 'lable'"),
        (", label: admission", "", "one window must have label"),
        (", index_timestamp: end", "", "one window must have index_timestamp"),
        ("start + 30 days", "start + 1 month", "windows.target.end: '1 month' is no span of time"),
        ("start + 30 days", "start - 30 days", "windows.target.end: the start would not come before the end"),
        ("start + 30 days", "input.start + 30 days", "one of start and end must be told from the other"),
        (
            "start: input.end",
            "start: inpt.end",
            "windows.target.start: 'inpt' is not a window; did you mean 'input'",
        ),
        ("start: trigger", "start: target.end", "windows.input.start: goes in a circle"),
        ("start -> discharge", "start", "windows.input.index_timestamp: the window has no length"),
        ("start_inclusive: False", "start_inclusive: yes", "windows.input.start_inclusive: true or false"),
        ("code: DEATH", "code: 17", "nothing"),
        ('code: { regex: "ADMISSION//.*" }', "code: 17", "predicates.admission.code: a text"),
        ('"ADMISSION//.*"', '"ADMISSION("', "predicates.admission.code.regex: no regular expression"),
        ('"DISCHARGE//.*"', "DISCHARGE: }", "no YAML"),
        ('code: { regex: "DISCHARGE//.*" }', "expr: or(admission, discharge)", "goes in a circle"),
        ('code: { regex: "DISCHARGE//.*" }', "expr: or(death, or(a, b))", "not nested"),
        ('code: { regex: "DISCHARGE//.*" }', "code: X\n    valu_min: 3", "no column 'valu_min'"),
        (
            "end: start -> discharge,",
            "end: start -> dischrge,",
            "windows.input.end: 'dischrge' is not a predicate",
        ),
        ("start: trigger, end: start -> discharge", "start: end - 24h, end: trigger", "takes the other end"),
        ("metadata:", "description: again\nmetadata:", "the key 'description' stands there twice"),
    ],
)
def test_what_is_not_understood_is_one_line_that_names_the_key(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    text = HOSPITAL + READMISSION
    assert old in text
    task = written(tmp_path, text.replace(old, new, 1))
    if says == "nothing":  # a predicate that the task does not use may hold anything, as in ACES
        assert found(task, tmp_path) == EXPECTED["READMISSION"]
        return
    with pytest.raises(DataError) as e:
        found(task, tmp_path)
    assert says in str(e.value)
    assert "\n" not in str(e.value)
