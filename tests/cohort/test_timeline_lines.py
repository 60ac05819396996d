"""What a line says of repeated findings: each value with its own age, the last one that has a value, the course."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wherefore.cohort.records import Evidence, Reading
from wherefore.cohort.run import run
from wherefore.study.config import Study
from wherefore.study.records import from_frame, read_table

SCORE, PRESSURE, SMOKING, NOTE = "LOINC//72106-8", "LOINC//8480-6", "LOINC//72166-2", "LOINC//11506-3"
Row = tuple[str | None, str, float | None, str | None, str | None]
"""date, code, value, unit, text."""


def timeline(rows: list[Row], folder: Path, **settings: object) -> tuple[str, dict[str, Evidence]]:
    """The text and the evidence (by code) of a person of 70 with these rows."""
    ill = ("2012-01-01", "ICD10//G30", None, None, None)
    frame = pd.DataFrame(
        [
            (i, *row)
            for i, own in ((1, rows), (2, [("2001-01-01", "ICD10//I10", None, None, None), ill]))
            for row in [
                (None, "SEX//F", None, None, None),
                ("1940-01-01", "MEDS_BIRTH", None, None, None),
                *own,
            ]
        ],
        columns=["subject_id", "time", "code", "numeric_value", "unit", "text_value"],
    )
    frame["time"] = pd.to_datetime(frame["time"])
    frame.astype({"numeric_value": "float32"}).to_parquet(folder / "0.parquet")
    cohort: dict[str, Any] = {
        "source": {"name": "meds", "path": str(folder / "0.parquet")},
        "predict": {"rule": "fixed_age", "age": 70},
        "followup": {"until_age": 80},
        "history_years": 0,
        "min_events": 0,
        "timeline": {"budget": None, **settings},
    }
    run(Study.model_validate({"name": "t", "cohort": cohort}), folder / "home")
    cases = pd.read_parquet(folder / "home/cohort/cases.parquet").set_index("subject")
    lines = read_table(folder / "home/cohort/evidence.parquet", Evidence)
    mine = from_frame(lines[lines["case"].str.startswith("1@")], Evidence)
    return str(cases.loc["1", "timeline"]), {e.code: e for e in mine}


def test_each_value_has_its_own_age(tmp_path: Path) -> None:
    text, lines = timeline(
        [
            ("2003-01-01", SCORE, 30, "{score}", None),
            ("2009-11-01", SCORE, 19, "{score}", None),
            ("2003-01-01", PRESSURE, 118, "mm[Hg]", None),
            ("2009-12-01", PRESSURE, 182, "mm[Hg]", None),
        ],
        tmp_path,
    )
    assert text.splitlines()[1:] == [
        "[E002] age 63.0 (7.0 y before): LOINC 72106-8 30; 2 times, last 19 (low) at 69.8 (0.2 y before)",
        "[E003] age 63.0 (7.0 y before): LOINC 8480-6 118 mmHg; "
        "2 times, last 182 mmHg (high) at 69.9 (0.1 y before)",
    ]
    score = lines["72106-8"]
    assert score.readings == (Reading(63.0, 30.0, ""), Reading(69.8, 19.0, ""))
    assert (score.age, score.last_age, score.years_before, score.count, score.change) == (
        63.0,
        69.8,
        0.2,
        2,
        -11.0,
    )


@pytest.mark.parametrize(("between", "stated"), [((29.0, 28.0), ""), ((29.0, 18.0), ", 18 (low) at 66.0")])
def test_a_value_off_the_straight_course_is_stated(between: Any, stated: str, tmp_path: Path) -> None:
    rows: list[Row] = [
        (f"{year}-01-01", SCORE, value, "{score}", None)
        for year, value in zip((2003, 2005, 2006, 2009), (30.0, *between, 27.0), strict=True)
    ]
    text, lines = timeline(rows, tmp_path)
    assert f"LOINC 72106-8 30; 4 times{stated}, last 27 at 69.0 (1.0 y before)" in text
    assert lines["72106-8"].values == ((30.0, 18.0, 27.0) if stated else (30.0, 27.0))
    (tmp_path / "two").mkdir()
    assert "30; 4 times, last 27" in timeline(rows, tmp_path / "two", values=2)[0]


def test_the_last_row_with_a_value_counts(tmp_path: Path) -> None:
    text, lines = timeline(
        [
            ("2002-01-01", PRESSURE, None, "mm[Hg]", None),
            ("2003-01-01", PRESSURE, 118, "mm[Hg]", None),
            ("2005-01-01", PRESSURE, 120, "mm[Hg]", None),
            ("2009-12-01", PRESSURE, None, "mm[Hg]", None),
        ],
        tmp_path,
    )
    assert (
        "age 62.0 (8.0 y before): LOINC 8480-6; 4 times, 118 mmHg at 63.0, 120 at 65.0, last at 69.9" in text
    )
    line = lines["8480-6"]
    assert (line.value, line.value_age, line.last_age) == (120.0, 65.0, 69.9)


def test_words_have_their_ages_too(tmp_path: Path) -> None:
    said = [
        (1980, "Never smoker"),
        (1985, "Current smoker"),
        (1990, "Current smoker"),
        (2008, "Former smoker"),
    ]
    text, lines = timeline([(f"{y}-01-01", SMOKING, None, None, w) for y, w in said], tmp_path)
    assert (
        "72166-2: Never smoker; 4 times, Current smoker at 50.0, last Former smoker at 68.0 (2.0 y before)"
        in text
    )
    assert [r.text for r in lines["72166-2"].readings] == ["Never smoker", "Current smoker", "Former smoker"]
    (tmp_path / "same").mkdir()
    text, _ = timeline(
        [(f"{y}-01-01", SMOKING, None, None, "Never smoker") for y, _ in said], tmp_path / "same"
    )
    assert "Never smoker; 4 times, last the same at 68.0" in text


def test_results_are_kept_as_said_and_letters_are_not_shown(tmp_path: Path) -> None:
    letter = "Seen with Mrs Jane Doe,\n12 Elm Street. " * 200
    labs = [(f"2009-{m:02d}-01", f"LOINC//77{m}-1", float(m), None, None) for m in range(1, 13)]
    rows: list[Row] = [
        ("2009-01-01", "LOINC//10839-9", None, "ng/mL", "<0.01"),
        ("2009-01-02", "LOINC//600-7", None, None, "Not detected"),
        ("2009-12-30", NOTE, None, None, letter),
        *labs,
    ]
    text, lines = timeline(rows, tmp_path)
    assert "LOINC 10839-9 <0.01 ng/mL" in text
    assert "LOINC 600-7: Not detected" in text
    assert "Elm" not in text
    assert lines["10839-9"].value == 0.01
    (tmp_path / "on").mkdir()
    text, _ = timeline(rows, tmp_path / "on", free_text=True, budget=512)
    shown = next(line for line in text.splitlines() if "11506-3" in line)
    assert shown.endswith(" …")
    assert len(shown) < 160
    assert all(f"77{m}-1" in text for m in range(1, 13))


def test_one_long_line_does_not_hide_the_others(tmp_path: Path) -> None:
    rows: list[Row] = [("2009-12-30", "ICD10//" + "X" * 200, None, None, None)]
    rows += [(f"2009-{m:02d}-01", f"ICD10//M{m:02d}", None, None, None) for m in range(1, 4)]
    text, _ = timeline(rows, tmp_path, budget=90, policy="recent")
    assert text.splitlines()[-1] == "(1 more line is not shown)"
    assert all(f"M{m:02d}" in text for m in range(1, 4))


def test_what_also_happened_in_childhood_is_not_new(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("1947-01-01", "ICD10//J02", None, None, None),
        ("2009-12-30", "ICD10//J02", None, None, None),
        ("2009-06-01", "ICD10//M54", None, None, None),
    ]
    text, _ = timeline(rows, tmp_path, sections=True)
    assert text.splitlines()[2:] == [
        "Conditions first recorded more than 24 months ago:",
        "[E002] age 7.0 (63.0 y before): ICD10 J02; 2 times, last at 70.0 (0.0 y before)",
        "First recorded in the last 24 months, newest first:",
        "[E003] age 69.4 (0.6 y before): ICD10 M54",
    ]


def test_what_holds_always_stands_apart_from_what_has_a_date(tmp_path: Path) -> None:
    rows: list[Row] = [
        (None, "RACE//white", None, None, None),
        ("2005-06-01", "RACE//white", None, None, None),
        (None, "EDUCATION", 12, None, None),
        (None, "EDUCATION", 14, None, None),
    ]
    text, _ = timeline(rows, tmp_path)
    assert text.splitlines()[1:] == [
        "[E002] Race: white",
        "[E003] EDUCATION 12",
        "[E004] EDUCATION 14",
        "[E005] age 65.4 (4.6 y before): Race: white",
    ]
