"""Files as people have them: what is odd is read right, counted, or refused in a line; it never moves a fact."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wherefore.cohort.run import run
from wherefore.study.config import Study
from wherefore.study.errors import DataError, StaleError

_spec = importlib.util.spec_from_file_location("_read", Path(__file__).with_name("_read.py"))
assert _spec is not None
assert _spec.loader is not None
_read = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_read)
read = _read.read
Write = Callable[[Path], dict[str, Any]]

OTHERS = ("100", "101", "102")
HEAD = "id,day,code,system,value,unit,text"
PEOPLE = "id,born,died\n" + "".join(f"{i},1940-01-01,\n" for i in ("1", *OTHERS))


def long(
    rows: list[str], people: str = PEOPLE, head: str = HEAD, after: str = "", last: str = "2020-01-01"
) -> Write:
    """A long table in which person 1 has `rows`, and one of the others falls ill."""

    def write(folder: Path) -> dict[str, Any]:
        lines = [f"{i},{day},I10,ICD10,,," for i in OTHERS for day in ("2000-01-01", "2020-01-01")]
        lines += ["100,2012-01-01,G30,ICD10,,,", "1,2000-01-01,I10,ICD10,,,", f"1,{last},Z00,ICD10,,,", *rows]
        (folder / "p").mkdir()
        (folder / "p" / "people.csv").write_text(people)
        (folder / "long.csv").write_text("\n".join([head, *(f"{line}{after}" for line in lines)]))
        named = {"path": str(folder / "p" / "people.csv"), "subject": "id", "birth": "born", "death": "died"}
        return {
            "path": str(folder / "long.csv"),
            "subject": "id",
            "time": "day",
            "code": "code",
            "system": "system",
            "value": "value",
            "unit": "unit",
            "text": "text",
            "people": named,
        }

    return write


def timeline(cohort: Any, subject: str = "1") -> list[str]:
    lines: list[str] = cohort.cases.set_index("subject").loc[subject, "timeline"].splitlines()
    return [line.partition("before): ")[2] or line for line in lines]


def test_a_line_with_more_cells_than_the_header_is_no_fact() -> None:
    rows = ["1,2009-01-01,2160,0,LOINC,0.9,mg/dL,", '1,2009-01-01,718-7,LOINC,14,g/dL,"a, b"']
    cohort, bad = read("long_csv", long(rows), bad_rows=0.2)
    assert bad.bad == {("long.csv", "more or fewer cells than the header has"): 1}
    assert timeline(cohort)[-1] == "LOINC 718-7 14 g/dL"
    with pytest.raises(DataError, match=r"first in row 9: '8 cells in line 11'"):
        read("long_csv", long(rows), bad_rows=0)


def test_a_mark_at_the_end_of_every_line_moves_nothing() -> None:
    cohort, bad = read("long_csv", long(["1,2009-01-01,718-7,LOINC,14,g/dL,"], after=","))
    assert timeline(cohort)[-1] == "LOINC 718-7 14 g/dL"
    assert not bad.bad


def test_ids_that_became_decimal_numbers_are_the_same_ids() -> None:
    people = PEOPLE.replace(",1940", ".0,1940")
    cohort, bad = read("long_csv", long([], people))
    assert set(cohort.cases["subject"]) == {"1", *OTHERS}
    assert not bad.bad


def test_the_same_person_twice_is_one() -> None:
    cohort, bad = read("long_csv", long([], PEOPLE + "1,1940-01-01,\n"))
    assert len(cohort.cases) == 4
    assert bad.notes == {"rows of people that say the same once more, left out": 1}


def test_a_date_in_the_year_9999_is_none() -> None:
    cohort, bad = read(
        "long_csv", long([], PEOPLE.replace("1,1940-01-01,\n", "1,1940-01-01,9999-12-31\n", 1))
    )
    assert cohort.cases.set_index("subject").loc["1", "outcome"] == "event_free"
    assert bad.notes == {"people.csv: died in or after the year 2900, taken for no date": 1}


@pytest.mark.parametrize("typo", ["2212-01-01", "1009-01-01"])
def test_a_date_that_cannot_be_does_not_tell_how_long_somebody_was_watched(typo: str) -> None:
    cohort, bad = read("long_csv", long([f"1,{typo},E11,ICD10,,,"], last="2011-01-01"), bad_rows=0.2)
    assert cohort.exclusions.set_index("subject")["reason"].to_dict() == {"1": "lost_to_followup"}
    assert sum(bad.bad.values()) == 1


def test_numbers_with_another_mark_are_said() -> None:
    cohort, bad = read("long_csv", long(['1,2009-01-01,718-7,LOINC,"14,2",g/dL,']))
    assert timeline(cohort)[-1] == "LOINC 718-7: 14,2"
    assert any("cohort.source.decimal" in note for note in bad.notes)


def test_a_word_behind_a_number_is_no_unit() -> None:
    cohort, bad = read("long_csv", long(["1,2009-01-01,718-7,LOINC,,,12 Elm"]))
    assert timeline(cohort)[-1] == "LOINC 718-7"
    assert any("free texts" in note for note in bad.notes)


def meds(rows: list[tuple[Any, ...]], codes: dict[str, Any] | None = None, **columns: Any) -> Write:
    """Person 1 has `rows` of (time, code); one of the others falls ill."""

    def write(folder: Path) -> dict[str, Any]:
        events = (("1940-01-01", "MEDS_BIRTH"), ("2000-01-01", "ICD10//I10"), ("2020-01-01", "ICD10//Z00"))
        everybody = [(int(i), t, c) for i in ("1", *OTHERS) for t, c in events]
        cells = [*everybody, (100, "2012-01-01", "ICD10//G30"), *((1, t, c) for t, c in rows)]
        frame = pd.DataFrame(cells, columns=["subject_id", "time", "code"])
        table = pa.Table.from_pandas(frame.assign(time=pd.to_datetime(frame["time"])), preserve_index=False)
        for name, value in columns.items():
            table = table.append_column(name, pa.array([value] * len(frame)))
        (folder / "data").mkdir()
        (folder / "metadata").mkdir()
        pq.write_table(table, folder / "data" / "0.parquet")
        if codes is not None:
            pq.write_table(pa.table(codes), folder / "metadata" / "codes.parquet")
        return {"path": str(folder)}

    return write


@pytest.mark.parametrize("parents", ["ICD10CM//G30.9", ["ICD10CM//G30.9"]])
def test_a_local_code_is_what_its_parent_is(parents: Any) -> None:
    codes = {
        "code": ["LOCAL//7", "LOCAL//7"],
        "description": ["Forgetful", None],
        "parent_codes": [parents, None],
    }
    cohort, _ = read("meds", meds([("2012-01-01", "LOCAL//7")], codes))
    assert cohort.cases.set_index("subject").loc["1", "outcome"] == "onset"


def test_an_allergy_stays_one_whatever_its_parent() -> None:
    codes = {"code": ["ALLERGY//7"], "description": ["Donepezil"], "parent_codes": [["RxNorm//135447"]]}
    cohort, _ = read("meds", meds([("2009-01-01", "ALLERGY//7")], codes))
    assert "1" in set(cohort.cases["subject"])


def test_people_with_two_sexes_or_births() -> None:
    rows = [(None, "SEX//F"), (None, "GENDER//Female"), (None, "SEX//M"), ("1941-01-01", "MEDS_BIRTH")]
    cohort, bad = read("meds", meds(rows))
    assert pd.isna(cohort.cases.set_index("subject").loc["1", "sex"])
    assert timeline(cohort)[:2] == ["[E001] Sex: female", "[E002] Sex: male"]
    assert len(bad.notes) == 2


def test_a_column_of_lists_is_refused() -> None:
    with pytest.raises(DataError, match="column 'text_value' holds list<"):
        read("meds", meds([], text_value=["a"]))


def test_events_without_a_system_are_of_no_known_vocabulary() -> None:
    cohort, _ = read("meds", meds([("2009-01-01", "G30.9")]))
    assert cohort.counts.unknown == {"G30.9": 1}


def omop(tables: dict[str, str]) -> Write:
    def write(folder: Path) -> dict[str, Any]:
        people = ("1", *OTHERS)
        person = "person_id,year_of_birth,month_of_birth,day_of_birth\n" + "".join(
            f"{i},1940,1,1\n" for i in people
        )
        period = "person_id,observation_period_start_date,observation_period_end_date\n"
        condition = "person_id,condition_concept_id,condition_start_date,condition_source_value\n"
        written = {
            "person": person,
            "observation_period": period + "".join(f"{i},1990-01-01,2020-01-01\n" for i in people),
            "condition_occurrence": condition
            + "".join(f"{i},0,2000-01-01,I10\n" for i in people)
            + "100,0,2012-01-01,G30\n",
        }
        for name, text in {**written, **tables}.items():
            (folder / f"{name}.csv").write_text(text)
        return {"path": str(folder)}

    return write


def test_deaths_of_nobody_and_periods_that_end_before_they_begin() -> None:
    with pytest.raises(DataError, match=r"death.csv: 1 of 1 rows.*nobody of that id among the people"):
        read("omop", omop({"death": "person_id,death_date\n999,2012-01-01\n"}))
    backwards = (
        "person_id,observation_period_start_date,observation_period_end_date\n1,2020-01-01,1990-01-01\n"
    )
    with pytest.raises(DataError, match="a period that ends before it begins"):
        read("omop", omop({"observation_period": backwards}))


def test_deaths_of_omop_6_stand_among_the_people() -> None:
    person = "person_id,year_of_birth,death_datetime\n1,1940,2012-01-01 10:00:00\n100,1940,\n101,1940,\n102,1940,\n"
    cohort, _ = read("omop", omop({"person": person}))
    assert cohort.cases.set_index("subject").loc["1", "outcome"] == "death"


def test_omop_is_read_straight_from_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")

    def write(folder: Path) -> dict[str, Any]:
        omop({"death": "person_id,death_date\n1,2012-01-01\n"})(folder)
        with duckdb.connect(str(folder / "cdm.duckdb")) as database:  # the schema has the name of the file
            database.execute("CREATE SCHEMA cdm.cdm")
            for file in folder.glob("*.csv"):
                database.execute(f"CREATE TABLE cdm.cdm.{file.stem} AS FROM read_csv('{file}')")
        return {"path": str(folder / "cdm.duckdb")}

    cohort, _ = read("omop", write)
    assert cohort.cases.set_index("subject")["outcome"].to_dict() == {
        "1": "death",
        "100": "onset",
        "101": "event_free",
        "102": "event_free",
    }


def fhir(resources: list[dict[str, Any]]) -> Write:
    def resource(kind: str, id: str, subject: str, code: str, day: str) -> dict[str, Any]:
        system = "http://hl7.org/fhir/sid/icd-10-cm"
        return {
            "resourceType": kind,
            "id": id,
            "subject": {"reference": f"Patient/{subject}"},
            "code": {"coding": [{"system": system, "code": code}]},
            "recordedDate": day,
        }

    def write(folder: Path) -> dict[str, Any]:
        people = ("1", *OTHERS)
        rows = [{"resourceType": "Patient", "id": i, "birthDate": "1940-01-01"} for i in people]
        rows += [
            resource("Condition", f"{i}{d}", i, "I10", d)
            for i in people
            for d in ("2000-01-01", "2020-01-01")
        ]
        rows += [resource("Condition", "x", "100", "G30.9", "2012-01-01")]
        rows += [{**resource("Condition", "y", "1", "G30.9", "2012-01-01"), **more} for more in resources]
        (folder / "all.ndjson").write_text("\n".join(json.dumps(r) for r in rows))
        return {"path": str(folder)}

    return write


REFUTED = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
WITHDRAWN = {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}, "meta": {"versionId": "2"}}
LATER = {"recordedDate": "2013-01-01", "meta": {"lastUpdated": "2020-02-02T00:00:00Z"}}
EARLIER = {"meta": {"lastUpdated": "2020-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("resources", "outcome", "years"),
    [
        ([{"meta": {"versionId": "1"}}, WITHDRAWN], "event_free", 5),
        ([LATER, EARLIER], "onset", 3),
        ([{}, {}], "onset", 2),
        ([{}, REFUTED], "onset", 2),
        ([{"subject": {"reference": "Group/1"}}], "event_free", 5),
        ([{"code": [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F03"}]}]}], "onset", 2),
    ],
)
def test_versions_copies_and_shapes_of_a_resource(resources: Any, outcome: str, years: float) -> None:
    cohort, _ = read("fhir_bulk", fhir(resources))
    case = cohort.cases.set_index("subject").loc["1"]
    assert case["outcome"] == outcome
    assert case["followup_years"] == pytest.approx(years, abs=0.02)


def test_a_file_that_was_corrected_in_place_is_seen(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    source = {"name": "long_csv", **long([])(tmp_path / "records")}
    cohort = {"source": source, "predict": {"rule": "fixed_age", "age": 70}, "history_years": 0}
    study = Study.model_validate({"name": "t", "cohort": cohort})
    run(study, tmp_path / "home")
    assert not run(study, tmp_path / "home")
    file = Path(str(source["path"]))
    file.write_text(file.read_text().replace("2012-01-01,G30", "2013-01-01,G30"))
    with pytest.raises(StaleError, match=r"files.cohort.source.path"):
        run(study, tmp_path / "home")
