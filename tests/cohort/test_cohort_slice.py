"""The stage from end to end, on a record written down and on the simulator."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.cohort.run import resolve, run
from wherefore.study.config import Study
from wherefore.study.errors import DataError, StudyError
from wherefore.study.records import from_frame, read_table


def study(**cohort: object) -> Study:
    return Study.model_validate({"name": "t", "cohort": cohort})


def at_seventy(meds: Path, **more: object) -> Study:
    return study(
        source={"name": "meds", "path": str(meds)},
        predict={"rule": "fixed_age", "age": 70},
        followup={"until_age": 80},
        **more,
    )


def test_labels_and_timelines_of_three_people(meds: Path, tmp_path: Path) -> None:
    assert run(at_seventy(meds), tmp_path / "home")
    cases = from_frame(read_table(tmp_path / "home/cohort/cases.parquet", Case), Case)
    assert [(c.subject, c.label, c.outcome) for c in cases] == [
        ("1", 1, "onset"),
        ("2", 0, "death"),
        ("3", 0, "event_free"),
    ]
    assert cases[1].timeline == (
        "[E001] Sex: male\n[E002] age 61.0 (9.0 y before): ICD10 I10\n[E003] age 70.0 (0.0 y before): ICD10 E11"
    )
    assert not run(at_seventy(meds), tmp_path / "home")


def test_the_simulator_is_calibrated_and_repeats(tmp_path: Path) -> None:
    s = study(source={"name": "simulated", "people": 12_000})
    run(s, tmp_path / "a"), run(s, tmp_path / "b")
    cases = read_table(tmp_path / "a/cohort/cases.parquet", Case)
    again = read_table(tmp_path / "b/cohort/cases.parquet", Case)
    pd.testing.assert_frame_equal(cases, again)
    rate = np.average(cases["label"], weights=cases["weight"])
    error = np.sqrt(np.average((cases["label"] - rate) ** 2, weights=cases["weight"]) / len(cases))
    assert abs(rate - cases["true_risk"].mean()) < 4 * error
    from_frame(read_table(tmp_path / "a/cohort/evidence.parquet", Evidence).head(200), Evidence)


def test_a_source_that_does_not_exist() -> None:
    with pytest.raises(StudyError, match="did you mean 'meds'"):
        resolve(study(source={"name": "med", "path": "x"}))


def test_a_missing_column(meds: Path, tmp_path: Path) -> None:
    s = study(source={"name": "meds", "path": str(meds), "code": "concept"})
    with pytest.raises(DataError, match="no column 'concept'; it has subject_id, time, code"):
        run(s, tmp_path / "home")


def test_what_comes_after_the_end_of_the_study_is_cut(meds: Path, tmp_path: Path) -> None:
    s = study(
        source={"name": "meds", "path": str(meds)},
        predict={"rule": "fixed_age", "age": 70},
        followup={"until_date": "2019-06-30"},
    )
    run(s, tmp_path / "home")
    cases = read_table(tmp_path / "home/cohort/cases.parquet", Case).set_index("subject")
    assert cases["outcome"].to_dict() == {"1": "onset", "2": "death", "3": "event_free"}
    flow = pd.read_csv(tmp_path / "home/cohort/flow.csv")
    assert "1 events after cohort.followup.until_date, 2019-06-30, cut" in flow["reason"].tolist()
