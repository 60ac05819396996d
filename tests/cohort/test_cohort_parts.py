"""Splits, sampling, near-duplicates, timelines, units, labels: each on a few rows that are written down."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wherefore.cohort.near import HistoryMarks
from wherefore.cohort.reading.bad_rows import BadRows
from wherefore.cohort.records import Case, Evidence, Exclusion
from wherefore.cohort.run import run
from wherefore.cohort.sampling import sample
from wherefore.cohort.settings import Sampling, Settings, SplitRule
from wherefore.cohort.split import share, split
from wherefore.study.config import Study
from wherefore.study.records import read_table


def study(**cohort: object) -> Study:
    return Study.model_validate({"name": "t", "cohort": cohort})


def meds_study(meds: Path, **more: object) -> Study:
    base = {"predict": {"rule": "fixed_age", "age": 70}, "followup": {"until_age": 80}}
    return study(source={"name": "meds", "path": str(meds)}, **{**base, **more})


def population(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "subject": [f"p{i}" for i in range(n)],
            "site": np.where(np.arange(n) % 4 == 0, "a", "b"),
            "split_given": None,
            "birth": pd.Timestamp("1940-01-01"),
            "day": rng.integers(24_000, 28_000, n).astype(float),
            "sex": rng.choice(["male", "female"], n),
            "label": (rng.random(n) < 0.15).astype(int),
        }
    )


def test_a_split_stays_when_people_are_added() -> None:
    people, rule = population(), SplitRule(tuning=0.1, held_out=0.3)
    few, all_ = split(people.head(50), rule, 1), split(people, rule, 1)
    assert (few == all_[:50]).all()
    assert abs((all_ == "held_out").mean() - 0.3) < 0.07
    assert [share("p1", 1) < 0.3] == [all_[1] == "held_out"]


def test_a_site_or_a_time_is_held_out_whole() -> None:
    people = population()
    by_site = split(people, SplitRule(by="site", sites=("a",)), 1)
    assert set(people["site"][by_site == "held_out"]) == {"a"}
    assert set(people["site"][by_site != "held_out"]) == {"b"}
    by_time = split(people, SplitRule(by="time", after="2010-01-01"), 1)
    late = people["birth"] + pd.to_timedelta(people["day"], unit="D") >= "2010-01-01"
    assert (late == (by_time == "held_out")).all()


def test_sampling_weights_give_the_population_back() -> None:
    people = population().assign(split="train")
    out = sample(people, Sampling(train=60, case_share=0.5), 1)
    taken = out[out["sampled"]]
    assert len(taken) == 60
    assert taken["label"].mean() == 0.5
    assert taken.groupby("label")["sampling_weight"].sum().round(6).to_dict() == {
        0: float((people["label"] == 0).sum()),
        1: float((people["label"] == 1).sum()),
    }


@pytest.mark.parametrize("rule", [{"train": 60, "case_share": 0.5}, {"match": {"ratio": 2}}])
def test_the_sample_does_not_depend_on_the_order_of_the_records(rule: dict[str, object]) -> None:
    people = population().assign(split="train")
    shuffled = people.sample(frac=1, random_state=3).reset_index(drop=True)
    a, b = (sample(frame, Sampling.model_validate(rule), 1) for frame in (people, shuffled))
    assert set(a.loc[a["sampled"], "subject"]) == set(b.loc[b["sampled"], "subject"])


@pytest.mark.parametrize("caliper", [0.0, 1.0])
def test_matched_controls_are_alike_and_stand_for_all_that_could_be_drawn(caliper: float) -> None:
    people = population(4000).assign(split="train")
    out = sample(people, Sampling.model_validate({"match": {"ratio": 3, "caliper": caliper}}), 1)
    taken = out[out["sampled"]]
    cases, controls = taken[taken["label"] == 1], taken[taken["label"] == 0]
    assert len(controls) == 3 * len(cases)
    assert abs(cases["day"].mean() - controls["day"].mean()) < 30
    assert abs((cases["sex"] == "male").mean() - (controls["sex"] == "male").mean()) < 0.01
    total = (people["label"] == 0).sum()
    assert controls["sampling_weight"].sum() == pytest.approx(total, rel=0.05)


def history(case: str, ages: list[float]) -> list[dict[str, object]]:
    return [
        {
            "case": case,
            "id": f"E{i:03d}",
            "kind": "condition",
            "age": a,
            "years_before": 1.0,
            "code": f"I{i}",
            "system": "ICD10",
            "name": "x",
            "value": None,
            "unit": None,
            "count": 1,
            "shown": True,
            "line": "",
            "source": "f:0",
        }
        for i, a in enumerate(ages, 1)
    ]


def test_one_person_under_two_ids_is_not_in_two_parts() -> None:
    ages = [50.0 + i for i in range(12)]
    lines = history("a@1", ages) + history("b@1", [*ages[:-1], 70.0]) + history("c@1", [a + 3 for a in ages])
    evidence = pd.DataFrame(lines).reindex(columns=list(Evidence.model_fields))
    cases = pd.DataFrame(
        {"id": ["a@1", "b@1", "c@1"], "subject": ["a", "b", "c"], "split": ["held_out", "train", "train"]}
    )
    histories = HistoryMarks()
    histories.add(cases[:2], evidence[evidence["case"] != "c@1"])
    histories.add(cases[2:], evidence[evidence["case"] == "c@1"])
    assert histories.twins(0.8, lambda ids: evidence[evidence["case"].isin(ids)]) == {"b@1"}  # 11 of 13 marks
    assert histories.twins(0.9, lambda ids: evidence[evidence["case"].isin(ids)]) == set()


def test_evidence_numbers_stay_under_another_budget_and_a_later_prediction(
    meds: Path, tmp_path: Path
) -> None:
    def lines(name: str, **more: object) -> pd.DataFrame:
        run(meds_study(meds, **more), tmp_path / name)
        return read_table(tmp_path / name / "cohort/evidence.parquet", Evidence)

    whole = lines("a", timeline={"budget": None})
    short = lines("b", timeline={"budget": 30})
    later = lines("c", predict={"rule": "fixed_age", "age": 72})
    assert whole["id"].tolist() == short["id"].tolist()
    assert short["shown"].sum() < whole["shown"].sum()
    first = later.merge(whole, on=["source"], suffixes=("_later", ""))
    assert len(first) == len(whole)
    assert (first["id_later"] == first["id"]).all()


def test_sections_are_headings_over_the_same_lines(meds: Path, tmp_path: Path) -> None:
    run(meds_study(meds, timeline={"budget": None, "sections": True}), tmp_path)
    cases = read_table(tmp_path / "cohort/cases.parquet", Case).set_index("subject")
    assert cases.loc["2", "timeline"] == (
        "Person:\n[E001] Sex: male\nConditions first recorded more than 24 months ago:\n"
        "[E002] age 61.0 (9.0 y before): ICD10 I10\n"
        "First recorded in the last 24 months, newest first:\n[E003] age 70.0 (0.0 y before): ICD10 E11"
    )


def test_a_leak_is_kept_masked_or_excluded(meds: Path, tmp_path: Path) -> None:
    frame = pd.read_parquet(meds / "data" / "0.parquet")
    extra = pd.DataFrame({"subject_id": [3], "time": [pd.Timestamp("2009-05-05")], "code": ["ICD10/G31.84"]})
    frame = pd.concat([frame, extra]).sort_values(["subject_id", "time"], na_position="first")
    frame.astype({"time": "datetime64[us]"}).to_parquet(meds / "data" / "0.parquet")
    seen = {}
    for policy in ("keep", "mask", "exclude"):
        run(meds_study(meds, leakage={"mci": policy}), tmp_path / policy)
        text = read_table(tmp_path / policy / "cohort/cases.parquet", Case).set_index("subject")["timeline"]
        seen[policy] = "G31.84" in text["3"] if "3" in text else None
    assert seen == {"keep": True, "mask": False, "exclude": None}
    gone = read_table(tmp_path / "exclude/cohort/exclusions.parquet", Exclusion)
    assert gone.loc[gone["subject"] == "3", "reason"].tolist() == ["early_signs"]


def test_a_confirmed_onset_is_dated_at_the_first_code(meds: Path, tmp_path: Path) -> None:
    run(
        meds_study(meds, phenotype={"confirm": {"again_after_days": 7}}), tmp_path / "one"
    )  # nobody has a second code
    assert read_table(tmp_path / "one/cohort/cases.parquet", Case)["label"].sum() == 0
    frame = pd.read_parquet(meds / "data" / "0.parquet")
    extra = pd.DataFrame({"subject_id": [1], "time": [pd.Timestamp("2013-03-01")], "code": ["ICD10/F03"]})
    frame = pd.concat([frame, extra]).sort_values(["subject_id", "time"], na_position="first")
    frame.astype({"time": "datetime64[us]"}).to_parquet(meds / "data" / "0.parquet")
    run(meds_study(meds, phenotype={"confirm": {"again_after_days": 7}}), tmp_path / "two")
    case = read_table(tmp_path / "two/cohort/cases.parquet", Case).set_index("subject").loc["1"]
    assert case["label"] == 1
    assert case["followup_years"] == pytest.approx(
        (pd.Timestamp("2013-01-10") - pd.Timestamp("1940-01-01")).days / 365.25 - 70, abs=0.01
    )


def test_labels_of_aces_are_taken_as_they_are(meds: Path, tmp_path: Path) -> None:
    pd.DataFrame(
        {
            "subject_id": [1, 3, 99],
            "prediction_time": pd.to_datetime(["2012-01-01"] * 3),
            "boolean_value": [True, False, True],
            "integer_value": [None] * 3,
        }
    ).to_parquet(tmp_path / "labels.parquet")
    predict = {"rule": "per_row", "file": str(tmp_path / "labels.parquet"), "labels": "boolean_value"}
    run(meds_study(meds, predict=predict), tmp_path / "home")
    cases = read_table(tmp_path / "home/cohort/cases.parquet", Case)
    assert cases.set_index("subject")["label"].to_dict() == {"1": 1, "3": 0}
    gone = read_table(tmp_path / "home/cohort/exclusions.parquet", Exclusion)
    assert gone[["subject", "reason"]].to_numpy().tolist() == [["99", "not_in_records"]]


def test_units_become_one_and_what_cannot_be_is_left_out(meds: Path, tmp_path: Path) -> None:
    rows = [
        ("1", "2001-05-05", "LOINC//2339-0", 5.0, "mmol/L"),
        ("1", "2002-05-05", "LOINC//2339-0", 99.0, "mg/dL"),
        ("2", "2001-05-05", "LOINC//8480-6", 1500.0, "mm[Hg]"),
        ("1", "2005-05-05", "LOINC//9999-9", 1.0, "U"),
        ("1", "2006-05-05", "LOINC//9999-9", 2.0, "kU"),
    ]
    old = pd.read_parquet(meds / "data" / "0.parquet")
    new = pd.DataFrame(rows, columns=["subject_id", "time", "code", "numeric_value", "unit"])
    new["subject_id"] = new["subject_id"].astype("int64")
    new["time"] = pd.to_datetime(new["time"])
    frame = pd.concat([old, new]).sort_values(["subject_id", "time"], na_position="first")
    frame.astype({"time": "datetime64[us]"}).to_parquet(meds / "data" / "0.parquet")
    run(meds_study(meds, bad_rows=0.1), tmp_path)
    lines = read_table(tmp_path / "cohort/evidence.parquet", Evidence)
    glucose = lines[lines["code"] == "2339-0"]
    assert glucose[["value", "unit", "count"]].to_numpy().tolist() == [[99.0, "mg/dL", 2]]
    assert lines[lines["code"] == "9999-9"]["unit"].tolist() == ["U", "kU"]
    bad = pd.read_csv(tmp_path / "cohort/bad_rows.csv")
    assert bad[["reason", "found"]].to_numpy().tolist() == [["a value that cannot be", "LOINC 8480-6 1500"]]


def test_bad_rows_are_listed_up_to_a_hundred_and_all_counted() -> None:
    bad = BadRows(limit=1.0)
    bad.read("f", 500)
    bad.add("f", "no date", range(300), ["x"] * 300)
    assert len(bad.rows) == 100
    assert bad.bad["f", "no date"] == 300
    bad.check()


def test_false_switches_off_what_has_a_default() -> None:
    section = {"source": {"name": "simulated"}, "near_duplicates": False, "timeline": {"budget": False}}
    settings = Settings.model_validate(section)
    assert settings.near_duplicates is None
    assert settings.timeline.budget is None
