"""Ends that are none, deaths that cannot be, births that do not exist, people of whom two things are said."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wherefore.cohort.run import run
from wherefore.study.config import Study
from wherefore.study.errors import DataError

_spec = importlib.util.spec_from_file_location("_read", Path(__file__).with_name("_read.py"))
assert _spec is not None
assert _spec.loader is not None
_read = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_read)
read = _read.read
Write = Callable[[Path], dict[str, Any]]

PEOPLE = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n"
BORN = PEOPLE + "".join(f"{i},8532,1940,1,1\n" for i in (1, 2, 3, 100))
PERIODS = "person_id,observation_period_start_date,observation_period_end_date\n"


def omop(last: str = "2018-01-01", **tables: str) -> Write:
    """Four people with hypertension in 2000 and a code on the day `last`; 100 falls ill in 2012."""

    def write(folder: Path) -> dict[str, Any]:
        rows = [f"{i},320128,{day},I10" for i in (1, 2, 3, 100) for day in ("2000-01-01", last)]
        head = "person_id,condition_concept_id,condition_start_date,condition_source_value"
        made = {"person": BORN, "condition_occurrence": "\n".join([head, *rows, "100,0,2012-01-01,G30"])}
        for name, text in {**made, **tables}.items():
            (folder / f"{name}.csv").write_text(text)
        return {"path": str(folder)}

    return write


def outcomes(cohort: Any) -> dict[str, str]:
    kept = dict(zip(cohort.cases["subject"], cohort.cases["outcome"], strict=True))
    return kept | dict(zip(cohort.exclusions["subject"], cohort.exclusions["reason"], strict=True))


def test_a_period_without_an_end_goes_on_as_long_as_the_record() -> None:
    """Two periods, the second open: neither is the time after 2005 a gap, nor does it end in 2003."""
    periods = PERIODS + (
        "1,1995-01-01,2003-01-01\n1,2005-01-01,\n2,1995-01-01,2003-01-01\n2,2005-01-01,2099-12-31\n"
        "3,1995-01-01,2003-01-01\n3,2005-01-01,2008-01-01\n100,1995-01-01,2018-01-01\n"
    )
    cohort, bad = read("omop", omop(observation_period=periods))
    found = outcomes(cohort)
    assert (found["1"], found["2"], found["3"]) == ("event_free", "event_free", "lost_before")
    assert bad.notes["observation_period.csv: observation_period_end_date 2099-12-31, taken for no end"] == 1


def test_nobody_is_watched_because_an_end_was_filled_in() -> None:
    """All records stop in 2012; an end in 2099 makes no negatives of five years."""
    periods = PERIODS + "".join(f"{i},1995-01-01,2099-12-31\n" for i in (1, 2, 3, 100))
    with pytest.raises(Exception, match="longer than anybody was followed after the prediction time"):
        read("omop", omop(last="2012-06-01", observation_period=periods))


@pytest.mark.parametrize(("rule", "says"), [("exclude", "undated_death"), ("censor", "event_free")])
def test_a_death_that_cannot_be_is_a_death_on_an_unknown_day(rule: str, says: str) -> None:
    deaths = "person_id,death_date\n1,1930-01-01\n2,2212-06-01\n"
    cohort, bad = read("omop", omop(death=deaths), followup={"undated_death": rule})
    found = outcomes(cohort)
    assert (found["1"], found["2"]) == (says, says)
    assert cohort.counts.deaths == 2
    assert bad.notes["deaths before birth or past 125 years of age, taken for deaths on an unknown day"] == 2


def test_a_day_of_birth_that_no_month_has_is_its_middle() -> None:
    people = PEOPLE + "1,8507,1940,2,31\n2,8532,1940,13,5\n3,8532,1940,1,1\n100,8532,1940,1,1\n"
    cohort, bad = read("omop", omop(person=people))
    first = cohort.evidence[cohort.evidence["kind"] == "condition"].groupby("case").first()["age"]
    ages = {case.partition("@")[0]: age for case, age in first.items()}
    assert (ages["1"], ages["2"]) == (59.9, 59.5)  # 15 February and 1 July 1940
    assert not bad.bad


def test_two_things_said_of_a_person_in_a_wide_table_are_counted() -> None:
    def write(folder: Path) -> dict[str, Any]:
        rows = "1,F,80,50,,0\n1,M,80,50,,1\n2,F,999,50,,0\n3,F,80,50,,0\n100,F,80,50,72,0\n"
        (folder / "wide.csv").write_text("id,sex,last,htn,dem,school\n" + rows)
        firsts = [
            {"column": c, "code": code, "system": "ICD10"} for c, code in (("htn", "I10"), ("dem", "G30"))
        ]
        always = [{"column": "school", "code": "S", "name": "School", "words": {"1": "yes", "0": "no"}}]
        path = str(folder / "wide.csv")
        return {
            "path": path,
            "subject": "id",
            "sex": "sex",
            "last": "last",
            "firsts": firsts,
            "always": always,
        }

    cohort, bad = read("wide", write)
    assert bad.notes["people with several values of sex; the first counts"] == 1
    assert bad.notes["people with several values of school; the first counts"] == 1
    assert bad.notes["ends of observation past 125 years of age, taken for none"] == 1
    assert outcomes(cohort)["2"] == "lost_before"


def test_a_row_without_a_value_stands_in_the_line_of_its_code_and_the_unit_stays() -> None:
    rows = [
        ("2009-01-01", None, None),
        ("2009-01-02", 13.5, "g/dL"),
        ("2009-02-02", None, None),
    ]

    def write(folder: Path) -> dict[str, Any]:
        people = ("1", "2", "100")
        base = [(int(i), t, c, None, None) for i in people for t, c in LIFE]
        made = [*base, (100, "2012-01-01", "ICD10//G30", None, None)]
        made += [(1, day, "LOINC//718-7", value, unit) for day, value, unit in rows]
        frame = pd.DataFrame(made, columns=["subject_id", "time", "code", "numeric_value", "unit"])
        frame["time"] = pd.to_datetime(frame["time"]).astype("datetime64[us]")
        frame.sort_values(["subject_id", "time"]).to_parquet(folder / "0.parquet")
        return {"path": str(folder)}

    cohort, _ = read("meds", write)
    line = cohort.cases.set_index("subject").loc["1", "timeline"].splitlines()[-1]
    assert line == (
        "[E002] age 69.0 (1.0 y before): LOINC 718-7; 3 times, 13.5 g/dL at 69.0, last at 69.1 (0.9 y before)"
    )


LIFE = (("1940-01-01", "MEDS_BIRTH"), ("2000-01-01", "ICD10//I10"), ("2018-01-01", "ICD10//Z00"))


def test_a_code_that_is_none_is_a_bad_row_and_a_column_may_have_two_roles() -> None:
    def write(folder: Path) -> dict[str, Any]:
        made = [(i, day, code) for i in (1, 2, 100) for day, code in LIFE]
        made += [(1, "2009-01-01", code) for code in ("//", "RxNorm//", "ICD10// ")]
        frame = pd.DataFrame(
            [*made, (100, "2012-01-01", "ICD10//G30")], columns=["subject_id", "time", "code"]
        )
        frame["time"] = pd.to_datetime(frame["time"]).astype("datetime64[us]")
        frame.sort_values(["subject_id", "time"]).to_parquet(folder / "0.parquet")
        return {"path": str(folder), "site": "subject_id"}

    cohort, bad = read("meds", write, bad_rows=0.5)
    assert bad.bad == {("0.parquet", "no code"): 3}
    assert dict(zip(cohort.cases["subject"], cohort.cases["site"], strict=True)) == {
        "1": "1",
        "2": "2",
        "100": "100",
    }


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("", "no rows. Give a label file with at least one"),
        ("1,2010-01-05,1\n2,2010-01-05\n3,2010-01-05,0\n", "more or fewer cells than the header has"),
    ],
)
def test_label_files_that_are_refused(rows: str, says: str, meds: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        run(labelled(meds, tmp_path, rows), tmp_path)


def test_predictions_keep_their_time_and_impossible_ones_are_left_out(meds: Path, tmp_path: Path) -> None:
    rows = "1,2010-01-05T10:00:00+02:00,1\n2,2010-01-05 23:30,0\n3,1930-01-01,1\n3,2090-01-01,1\n3,2010-03-04,0\n"
    run(labelled(meds, tmp_path, rows), tmp_path)
    cases = pd.read_parquet(tmp_path / "cohort" / "cases.parquet")
    times = dict(zip(cases["subject"], cases["prediction_time"].astype(str).str[:16], strict=True))
    assert times == {"1": "2010-01-05 10:00", "2": "2010-01-05 23:30", "3": "2010-03-04 00:00"}
    flow = pd.read_csv(tmp_path / "cohort" / "flow.csv")
    assert flow.iloc[0]["reason"] == "predictions asked for"
    assert flow.set_index("step").loc["impossible_time", "people"] == 2


def labelled(meds: Path, folder: Path, rows: str) -> Study:
    (folder / "labels.csv").write_text("subject_id,prediction_time,boolean_value\n" + rows)
    predict = {"rule": "per_row", "file": str(folder / "labels.csv"), "labels": "boolean_value"}
    cohort = {"source": {"name": "meds", "path": str(meds)}, "predict": predict, "min_events": 0}
    return Study.model_validate({"name": "s", "cohort": cohort})


def test_a_table_of_people_without_anybody_is_one_line() -> None:
    def write(folder: Path) -> dict[str, Any]:
        (folder / "patients.csv").write_text("Id,BIRTHDATE,DEATHDATE,GENDER\n1,1940-01-01\n")
        head = "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n"
        (folder / "conditions.csv").write_text(head + "2000-01-01,,1,e,59621000,Hypertension\n")
        return {"path": str(folder)}

    with pytest.raises(DataError, match="the table of people holds nobody that can be read"):
        read("synthea_csv", write)
