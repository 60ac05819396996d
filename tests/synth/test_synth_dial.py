"""The hindsight dial: what the teacher is told, what it costs, and how much of it the corpus gives away."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.errors import DataError, StudyError
from wherefore.study.records import from_frame, read_jsonl, read_table, to_frame, write_table
from wherefore.synth.corpus.hedging import hedged
from wherefore.synth.dial.risks import RISKS, base_rate, estimate
from wherefore.synth.dial.told import IN_WORDS
from wherefore.synth.histories import histories
from wherefore.synth.plan import RequestPlan
from wherefore.synth.records import Rationale, Refusal
from wherefore.synth.run import describe, resolve, run
from wherefore.synth.teaching import Request

Write = Callable[..., Path]
Start = Callable[..., Any]


def study(**synth: Any) -> Study:
    return Study(name="t", cohort={}, synth={"styles": ["free"], **synth})


def questions(home: Path, **synth: Any) -> dict[str, Request]:
    """The first question about every labelled case."""
    asked = study(**synth)
    plan = RequestPlan(asked, resolve(asked), home / "cohort")
    found = (r for h in histories(home / "cohort", plan.settings.splits) for r in plan.about(h))
    return {r.history.case.id: r for r in found}


def text(request: Request) -> str:
    return "\n".join(m["content"] for m in request.body["messages"])


def cases(home: Path) -> dict[str, Case]:
    return {c.id: c for c in from_frame(read_table(home / "cohort" / "cases.parquet", Case), Case)}


def rewrite(home: Path, rows: list[Case]) -> None:
    """Another table of cases in place of the one that the fixture made."""
    (home / "cohort" / "manifest.json").unlink(missing_ok=True)
    write_table(home / "cohort" / "cases.parquet", to_frame(rows, Case), Case)


def rationales(home: Path) -> list[Rationale]:
    return list(read_jsonl(home / "synth" / "rationales.jsonl", Rationale))


def card(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "synth" / "card.json").read_text())
    return found


@pytest.mark.parametrize("label", list(IN_WORDS))
def test_every_position_makes_a_corpus_and_says_what_was_told(
    cohort: Write, tmp_path: Path, label: str
) -> None:
    home = cohort(tmp_path, 120)
    run(study(label=label), home)
    assert card(home)["told"] == IN_WORDS[label]  # type: ignore[index]
    assert IN_WORDS[label] in (home / "synth" / "README.md").read_text()  # type: ignore[index]
    told = {r.label_shown for r in rationales(home)}
    assert told == {"shown": {True}, "late": {True}, "partial": {True, False}}.get(label, {False})
    assert all((r.risk_told is not None) == (label == "probability") for r in rationales(home))
    assert all((r.draft_verdict is not None) == (label == "late") for r in rationales(home))


@pytest.mark.parametrize("label", ["hidden", "filtered", "late"])
def test_nothing_of_the_outcome_is_in_the_first_question(cohort: Write, tmp_path: Path, label: str) -> None:
    home = cohort(tmp_path, 30)
    before = {case: r.body for case, r in questions(home, label=label).items()}
    flipped = [_flipped(c) for c in cases(home).values()]
    rewrite(home, flipped)
    assert before == {case: r.body for case, r in questions(home, label=label).items()}


def _flipped(case: Case) -> Case:
    if case.label is None:
        return case
    return case.model_copy(
        update={"label": 1 - case.label, "outcome": "onset" if case.label == 0 else "event_free"}
    )


def test_partial_tells_the_stated_share_and_a_larger_one_holds_a_smaller(
    cohort: Write, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 400)
    told = {
        share: {
            case
            for case, r in questions(home, label="partial", shown_share=share).items()
            if "Outcome: " in text(r)
        }
        for share in (0, 0.25, 0.75, 1)
    }
    n = len(told[1])
    assert n == len([c for c in cases(home).values() if c.label is not None])
    assert told[0] < told[0.25] < told[0.75] < told[1]
    assert abs(len(told[0.25]) / n - 0.25) < 0.07
    labels = cases(home)
    shares = [np.mean([c in told[0.75] for c in told[1] if labels[c].label == y]) for y in (0, 1)]
    assert abs(shares[0] - shares[1]) < 0.15  # who is told does not depend on the outcome


def test_the_base_rate_is_that_of_the_training_split_by_weight(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 60)
    rows = list(cases(home).values())
    for i, c in enumerate(rows):  # cases stand for one person each, controls for three
        if c.label is not None:
            rows[i] = c.model_copy(update={"sampling_weight": 1.0 if c.label else 3.0})
    rewrite(home, rows)
    train = [c for c in rows if c.split == "train" and c.label is not None]
    ones, zeros = sum(c.label == 1 for c in train), sum(c.label == 0 for c in train)
    expected = ones / (ones + 3 * zeros)
    assert base_rate(home / "cohort", 0) == pytest.approx(expected)
    for request in questions(home, label="probability").values():
        assert f"Estimated probability of yes: {100 * expected:.1f}".removesuffix(".0") in text(request)
        assert "Outcome: " not in text(request)
        assert request.label is None


def test_an_estimate_is_read_off_the_history_without_the_person_it_is_about(
    cohort: Write, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 500)
    known = cases(home)
    risks = estimate(home / "cohort", 3)
    assert set(risks) == {c.id for c in known.values() if c.label is not None}
    train = [c for c in risks if known[c].split == "train"]
    # the labels of this cohort have nothing to do with the histories: fitted on themselves they would be read well
    assert abs(roc_auc_score([known[c].label for c in train], [risks[c] for c in train]) - 0.5) < 0.1
    by_age = [
        c.model_copy(
            update={
                "label": int(c.age > 76),
                "outcome": "onset" if c.age > 76 else "event_free",
                "weight": 1.0,
            }
        )
        for c in known.values()
    ]
    rewrite(home, by_age)
    risks = estimate(home / "cohort", 3)
    assert roc_auc_score([c.label for c in by_age], [risks[c.id] for c in by_age]) > 0.95


@pytest.mark.parametrize("name", list(RISKS))
def test_every_source_of_risks_gives_a_probability_for_every_case(
    cohort: Write, tmp_path: Path, name: str
) -> None:
    home = cohort(tmp_path, 60)
    if name == "true_risk":
        with pytest.raises(DataError, match="only simulated people"):
            RISKS[name](home / "cohort", 0)
        rows = [c.model_copy(update={"true_risk": c.age / 100}) for c in cases(home).values()]
        rewrite(home, rows)
    told = [r.risk for r in questions(home, label="probability", risks=name).values()]
    assert all(p is not None and 0 < p < 1 for p in told)
    assert (len(set(told)) == 1) == (name == "base_rate")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("case,p\nc00000,0.2\n", r"no column 'risk'; it has case, p"),
        ("case,risk\nc00000,20\n", r"row 2: risk '20' is not a probability"),
        ("case,risk\nc00000,\n", r"row 2: risk '' is not a probability"),
        ("case,risk\nc00000,0.1\nc00000,0.2\n", r"row 3: case 'c00000' already has another risk"),
        ("case,risk\nc00000,0.1\n", r"no risk for case 'c0000\d'"),
        (None, r"'risks.csv' is not a source of risks.*Nor is there a file"),
    ],
)
def test_a_table_of_risks_that_is_wrong_is_refused_in_one_line(
    cohort: Write, tmp_path: Path, rows: str | None, words: str
) -> None:
    home = cohort(tmp_path, 8)
    if rows is not None:
        (tmp_path / "risks.csv").write_text(rows)
    asked = study(label="probability", risks="risks.csv").model_copy(update={"folder": tmp_path})
    with pytest.raises((StudyError, DataError), match=words) as e:
        run(asked, home)
    assert "\n" not in str(e.value)


def test_risks_come_from_a_table_and_another_table_is_another_corpus(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 8)
    known = [c for c in cases(home) if cases(home)[c].label is not None]
    asked = study(label="probability", risks="risks.csv").model_copy(update={"folder": tmp_path})
    keys = []
    for last in (0.25, 0.75):
        table = "".join(f"{case},{last if case == known[-1] else 0.1}\n" for case in known)
        (tmp_path / "risks.csv").write_text("﻿case,risk\r\n" + table)
        plan = RequestPlan(asked, resolve(asked), home / "cohort")
        keys.append(json.dumps(plan.identity()))
        told = [r for h in histories(home / "cohort", plan.settings.splits) for r in plan.about(h)]
        assert [r.risk for r in told] == [0.1] * (len(known) - 1) + [last]
    assert keys[0] != keys[1]


def test_late_asks_for_a_draft_then_tells(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    home = cohort(tmp_path, 30)
    server = endpoint()
    teacher = {"name": "openai", "model": "m", "base_url": server.url}
    run(study(teacher=teacher, label="hidden"), home)
    n = len(server.bodies)
    late = study(teacher=teacher, label="late")
    run(late, home, again=True)
    assert len(server.bodies) == 2 * n  # the answers of the hidden corpus are the drafts
    for body in server.bodies[n:]:
        *_, question, draft, told = body["messages"]
        assert "Outcome: " not in question["content"]
        assert draft["role"] == "assistant"
        assert json.loads(draft["content"])["claims"][0]["text"] == "The history speaks for itself."
        assert re.search(r"The outcome is now known: (yes|no)\.", told["content"])
    known = cases(home)
    assert {r.label_shown for r in rationales(home)} == {True}
    assert {r.draft_verdict for r in rationales(home)} == {0}  # this server says 0 where it is not told
    assert card(home)["right_without_the_outcome"] == sum(known[r.case].label == 0 for r in rationales(home))
    (home / "synth" / "manifest.json").unlink()
    run(late, home)
    assert len(server.bodies) == 2 * n


def test_a_draft_that_cannot_be_read_is_refused_by_its_name(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 20)
    server = endpoint(lambda number, key: "length" if number % 2 else "ok")
    teacher = {"name": "openai", "model": "m", "base_url": server.url}
    run(study(teacher=teacher, label="late", reask=0, job={"in_flight": 1, "unreadable": 0}), home)
    refusals = list(read_jsonl(home / "synth" / "refusals.jsonl", Refusal))
    drafts = [r for r in refusals if r.detail.startswith("the draft: ")]
    assert {r.reason for r in drafts} == {"length"}
    labelled = sum(c.label is not None for c in cases(home).values())
    assert labelled == len(rationales(home)) + sum(r.reason != "censored" for r in refusals)


def test_one_study_holds_corpora_of_a_teacher_told_otherwise(cohort: Write, tmp_path: Path) -> None:
    """The corpus beside is what a study of that position makes, and what both ask is paid for once."""
    home, alone = cohort(tmp_path / "both", 60), cohort(tmp_path / "alone", 60)
    beside = {"blind": {"label": "hidden"}, "late": {"label": "late"}}
    run(study(corpora=beside), home)
    run(study(label="hidden"), alone)
    blind = home / "synth" / "corpora" / "blind"
    for name in ("rationales.jsonl", "groundings.jsonl"):
        assert (blind / name).read_text() == (alone / "synth" / name).read_text()
    assert json.loads((blind / "card.json").read_text())["told"] == IN_WORDS["hidden"]
    n = sum(c.label is not None for c in cases(home).values())
    assert card(home)["calls"] == {"ok": 3 * n}  # shown, hidden (also the draft of late), and told late
    assert f"{4 * n} requests" in describe(study(corpora=beside), home)
    assert (
        "corpora" not in RequestPlan(study(), resolve(study())).identity()
    )  # corpora of older versions stay good


@pytest.mark.parametrize("name", ["teacher", "shuffled", "../x", "Blind"])
def test_a_corpus_needs_a_name_of_its_own(name: str) -> None:
    with pytest.raises(StudyError, match="Choose another"):
        resolve(study(controls=["shuffled"], corpora={name: {"label": "hidden"}}))


def test_check_counts_and_prices_both_rounds(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 30)
    assert "after a first draft without it: 2 requests per case" in describe(
        study(label="late"), tmp_path / "none"
    )
    prices = {"prompt": 1e6, "completion": 0.0}  # a token costs 1
    costs = {
        label: describe(study(label=label, prices=prices), home).rpartition("cost about ")[2]
        for label in ("hidden", "late")
    }
    assert (
        2.2 * float(costs["hidden"]) < float(costs["late"]) < 3.5 * float(costs["hidden"])
    )  # and the drafts


@pytest.mark.parametrize("label", ["shown", "late"])
def test_without_hindsight_the_reference_teacher_writes_the_same_whatever_it_is_told(
    cohort: Write, tmp_path: Path, label: str
) -> None:
    teacher = {"name": "reference", "faults": 0.0, "hindsight": 0.0}
    texts = []
    for name in ("as it is", "flipped"):
        home = cohort(tmp_path / name, 40)
        if name == "flipped":
            rows = [_flipped(c) for c in cases(home).values()]
            rewrite(home, rows)
        run(study(teacher=teacher, label=label), home)
        texts.append({r.case: r.text for r in rationales(home)})
    assert texts[0] == texts[1]


def test_leakage_grows_with_hindsight(cohort: Write, tmp_path: Path) -> None:
    """Labels of this cohort are drawn without a look at the history: all that can be read was told."""
    found: dict[float, dict[str, float]] = {}
    for hindsight in (0.0, 0.5, 1.0):
        home = cohort(tmp_path / str(hindsight), 220)
        run(study(teacher={"name": "reference", "faults": 0.0, "hindsight": hindsight}), home)
        found[hindsight] = {r["text"]: r["roc_auc"] for r in card(home)["readability"]}
    for part in ("rationale", "rationale without its last claim"):
        low, middle, high = (found[h][part] for h in (0.0, 0.5, 1.0))
        assert low < 0.6
        assert low + 0.05 < middle < high - 0.05
    assert found[1.0]["rationale"] > 0.95


def test_partial_reads_the_told_and_the_others_apart(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 300)
    run(study(label="partial", teacher={"name": "reference", "faults": 0.0}), home)
    auc = {r["text"]: r["roc_auc"] for r in card(home)["readability"]}
    assert auc["rationale, outcome told"] > 0.95
    assert auc["rationale, outcome hidden"] < 0.65


VOICES_DOUBT = """
The stroke at 69.5 may have contributed to later decline.
Vascular damage is a plausible route, though the record does not settle it.
It remains unclear whether the hearing loss matters here.
This pattern suggests a raised risk.
A diagnosis within the horizon is unlikely.
The fall in sodium could reflect medication.
Depression at 66 possibly marks a prodrome.
I cannot rule out a contribution of diabetes.
The picture is consistent with small-vessel disease.
It is hard to say which of the two weighs more.
The evidence is not entirely conclusive.
""".strip().splitlines()
STATES_IT = """
Cerebral infarction is recorded at age 69.5.
Hypertension was recorded 4 times, a lasting problem.
The last entry is from May 2012.
There is no doubt that the stroke is the strongest finding.
Without any uncertainty the record shows two falls.
Age is the strongest single risk factor.
The person lives alone and has fourteen years of education.
Systolic blood pressure rose from 134 to 152 mmHg.
No head injury or depression is recorded.
The findings point to vascular dementia.
Diabetes doubles the risk.
""".strip().splitlines()


@pytest.mark.parametrize("sentence", VOICES_DOUBT)
def test_doubt_is_heard(sentence: str) -> None:
    assert hedged(sentence)


@pytest.mark.parametrize("sentence", STATES_IT)
def test_what_is_stated_is_no_doubt(sentence: str) -> None:
    assert not hedged(sentence)


def test_the_card_counts_doubt_by_outcome(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 60)
    run(study(teacher={"name": "reference", "faults": 0.0, "hindsight": 0.0}), home)
    rows = card(home)["hedging"]
    assert [(r["style"], r["label"]) for r in rows] == [("free", 1), ("free", 0)]
    claims = [c.text for r in rationales(home) for c in r.claims]
    assert sum(r["claims"] for r in rows) == len(claims)
    assert sum(r["hedged"] for r in rows) == sum(map(hedged, claims)) > 0
