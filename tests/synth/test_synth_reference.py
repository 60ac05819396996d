"""The reference teacher through the whole stage: every case has a rationale or a reason, and faults are found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.study.config import Study
from wherefore.study.errors import StaleError, StudyError
from wherefore.study.records import read_jsonl, read_table
from wherefore.synth.records import Call, Grounding, Planted, Rationale, Refusal
from wherefore.synth.run import resolve, run

Write = Callable[..., Path]


def study(**synth: object) -> Study:
    return Study(name="t", cohort={}, synth=synth)


def test_every_case_and_style_ends_with_one_rationale_or_one_refusal(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 60)
    assert run(study(), home)
    made = [(r.case, r.style) for r in read_jsonl(home / "synth" / "rationales.jsonl", Rationale)]
    refused = [(r.case, r.style) for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal)]
    cases = read_table(home / "cohort" / "cases.parquet", Case)
    wanted = {(case, s) for case in cases["id"] for s in ("free", "stepwise")}
    assert len(made) + len(refused) == len(wanted)
    assert set(made) | set(refused) == wanted
    assert {c for c, _ in refused} == set(cases[cases["label"].isna()]["id"])
    assert not run(study(), home)


def test_same_seed_same_bytes_and_another_seed_other_words(cohort: Write, tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        home = cohort(tmp_path / name, 20)
        run(Study(name="t", seed=seed, cohort={}), home)
        texts.append((home / "synth" / "rationales.jsonl").read_text())
    assert texts[0] == texts[1] != texts[2]


def test_rationales_argue_for_the_label_and_cite_only_what_was_shown(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 60)
    run(study(teacher={"name": "reference", "faults": 0.0}), home)
    labels = read_table(home / "cohort" / "cases.parquet", Case).set_index("id")["label"]
    lines = read_table(home / "cohort" / "evidence.parquet", Evidence)
    shown = set(map(tuple, lines[lines["shown"]][["case", "id"]].to_numpy()))
    words = []
    for r in read_jsonl(home / "synth" / "rationales.jsonl", Rationale):
        assert r.verdict == labels[r.case]
        assert {(r.case, i) for c in r.claims for i in c.cites} <= shown
        words.append(sum(len(c.text.split()) for c in r.claims))
    assert 40 <= sum(words) / len(words) <= 80


def test_grounding_finds_each_planted_fault_and_no_other(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 150)
    run(study(teacher={"name": "reference", "faults": 0.3}), home)
    planted = {(p.rationale, p.claim): p.fault for p in read_jsonl(home / "synth" / "planted.jsonl", Planted)}
    found = {
        (g.rationale, c.claim): c.fault or c.doubt
        for g in read_jsonl(home / "synth" / "groundings.jsonl", Grounding)
        for c in g.checks
        if c.verdict != "supported" and c.doubt != "no_fact"
    }
    assert len(planted) > 200
    missed = {k: v for k, v in planted.items() if k not in found}
    invented = {k: v for k, v in found.items() if k not in planted}
    assert len(missed) <= 0.05 * len(planted), missed
    assert len(invented) <= 0.02 * len(found), invented


def test_a_clean_teacher_has_nothing_planted_and_full_support(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 40)
    run(study(teacher={"name": "reference", "faults": 0.0}), home)
    assert (home / "synth" / "planted.jsonl").read_text() == ""
    groundings = list(read_jsonl(home / "synth" / "groundings.jsonl", Grounding))
    assert [c.why for g in groundings for c in g.checks if c.verdict == "fault"] == []
    assert {c.doubt for g in groundings for c in g.checks if c.verdict == "undecided"} <= {"no_fact"}


def test_calls_and_summary_account_for_every_request(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 20)
    run(study(prices={"prompt": 1.0, "completion": 2.0}), home)
    calls = read_table(home / "synth" / "calls.parquet", Call)
    summary = json.loads((home / "synth" / "summary.json").read_text())
    assert len(calls) == summary["rationales"] == summary["calls"]["ok"]
    assert summary["cost"] == pytest.approx(calls["cost"].sum())
    assert summary["possibly_billed_not_received"] == 0


def test_changed_settings_are_refused_by_name(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 10)
    run(study(), home)
    with pytest.raises(StaleError, match=r"styles.*Move the folder away"):
        run(study(styles=["free"]), home)
    run(study(job={"in_flight": 3}), home)  # how it is asked is no part of the outcome


@pytest.mark.parametrize(
    ("synth", "words"),
    [
        ({"styles": ["fre"]}, "'fre' is not a style; did you mean 'free'?"),
        ({"teacher": {"name": "refrence"}}, "'refrence' is not a teacher; did you mean 'reference'?"),
        (
            {"teacher": {"name": "reference", "fault": 1}},
            "synth.teacher.fault: unknown key; did you mean 'faults'?",
        ),
        ({"sampels": 2}, "synth.sampels: unknown key; did you mean 'samples'?"),
        ({"samples": 0}, "synth.samples"),
    ],
)
def test_wrong_names_stop_before_any_work(synth: dict[str, object], words: str) -> None:
    with pytest.raises(StudyError) as e:
        resolve(study(**synth))
    assert words in str(e.value)
    assert "\n" not in str(e.value)
