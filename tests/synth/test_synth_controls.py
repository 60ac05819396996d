"""Control corpora, the corpus card, filtered labels: what each keeps and what it takes away."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.errors import StudyError
from wherefore.study.records import from_frame, read_jsonl, read_table
from wherefore.synth.controls import CONTROLS
from wherefore.synth.records import Rationale, Refusal
from wherefore.synth.run import resolve, run
from wherefore.synth.styles import STYLES

Write = Callable[..., Path]


Made = tuple[Path, dict[str, Case], dict[tuple[str, str], Rationale]]


@pytest.fixture(scope="module")
def made(cohort: Write, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One corpus with all controls, in two styles, of 250 people; rationales by case and style."""
    home = cohort(tmp_path_factory.mktemp("controls"), 250)
    teacher = {"name": "reference", "faults": 0.0}
    run(Study(name="t", cohort={}, synth={"teacher": teacher, "controls": list(CONTROLS)}), home)
    cases = {c.id: c for c in from_frame(read_table(home / "cohort" / "cases.parquet", Case), Case)}
    rows = read_jsonl(home / "synth" / "rationales.jsonl", Rationale)
    return home, cases, {(r.case, r.style): r for r in rows}


def control(home: Path, name: str) -> list[Rationale]:
    return list(read_jsonl(home / "synth" / "controls" / f"{name}.jsonl", Rationale))


@pytest.mark.parametrize("name", list(CONTROLS))
def test_a_control_is_about_the_same_cases_and_says_its_name(made: Made, name: str) -> None:
    home, _, teacher = made
    rows = control(home, name)
    assert {(r.case, r.style) for r in rows} == set(teacher)
    assert {r.teacher for r in rows} == {f"reference+{name}"}
    assert len({r.id for r in rows} | {r.id for r in teacher.values()}) == 2 * len(rows)


def test_shuffled_keeps_every_sentence(made: Made) -> None:
    home, _, teacher = made
    rows = control(home, "shuffled")
    assert all(
        sorted(c.text for c in r.claims) == sorted(c.text for c in teacher[r.case, r.style].claims)
        for r in rows
    )
    assert sum(r.text != teacher[r.case, r.style].text for r in rows) > 0.9 * len(rows)


@pytest.mark.parametrize(("name", "same_verdict"), [("other_patient", True), ("label_swapped", False)])
def test_donors_are_other_people_of_the_same_split(made: Made, name: str, same_verdict: bool) -> None:
    home, cases, teacher = made
    by_text = {(r.style, r.text): r.case for r in teacher.values()}
    for r in control(home, name):
        donor = by_text[r.style, r.text]
        assert cases[donor].subject != cases[r.case].subject
        assert cases[donor].split == cases[r.case].split
        assert (cases[donor].label == cases[r.case].label) is same_verdict


def test_length_matched_has_the_words_but_no_evidence(made: Made) -> None:
    home, _, teacher = made
    for r in control(home, "length_matched"):
        counts = [len(c.text.split()) for c in teacher[r.case, r.style].claims]
        assert [len(c.text.split()) for c in r.claims] == counts
        assert not any(c.cites for c in r.claims)


def test_template_names_the_cited_lines_and_truncated_ends_before_the_verdict(made: Made) -> None:
    home, cases, teacher = made
    for r in control(home, "template"):
        for claim in r.claims:
            name = claim.text.removeprefix("The history holds ").removesuffix(".")
            assert f"[{claim.cites[0]}]" in cases[r.case].timeline
            assert name in cases[r.case].timeline
    for r in control(home, "truncated"):
        whole = teacher[r.case, r.style].claims
        assert r.claims == whole[: len(whole) // 2]


def test_the_card_measures_what_the_rationales_give_away(made: Made) -> None:
    home, _, teacher = made
    card = json.loads((home / "synth" / "card.json").read_text())
    auc = {(r["style"], r["text"]): r["roc_auc"] for r in card["readability"]}
    assert auc["free", "rationale"] > 0.9  # a teacher that knows the outcome says it
    assert auc["free", "history"] < 0.7  # labels of this cohort are drawn without a look at the history
    assert auc["free", "rationale without its last claim"] > auc["free", "history"]
    assert sum(f["cited"] for f in card["findings"]) > 1000
    text = (home / "synth" / "README.md").read_text()
    assert f"{len(teacher)} rationales by reference" in text
    assert "keep this corpus where the records are" in text


def test_hidden_labels_are_not_in_the_prompt_and_verdicts_are_the_teachers(
    cohort: Write, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 120)
    run(Study(name="t", cohort={}, synth={"label": "hidden", "styles": ["free"]}), home)
    rows = list(read_jsonl(home / "synth" / "rationales.jsonl", Rationale))
    cases = {c.id: c for c in from_frame(read_table(home / "cohort" / "cases.parquet", Case), Case)}
    assert not any(r.label_shown for r in rows)
    wrong = sum(r.verdict != cases[r.case].label for r in rows)
    assert 0 < wrong < len(rows)


def test_filtered_labels_keep_right_verdicts_in_the_ratio_of_the_classes(
    cohort: Write, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 600)
    run(Study(name="t", cohort={}, synth={"label": "filtered", "styles": ["free"]}), home)
    cases = {c.id: c for c in from_frame(read_table(home / "cohort" / "cases.parquet", Case), Case)}
    rows = list(read_jsonl(home / "synth" / "rationales.jsonl", Rationale))
    refusals = list(read_jsonl(home / "synth" / "refusals.jsonl", Refusal))
    assert all(r.verdict == cases[r.case].label for r in rows)
    assert {r.reason for r in refusals} == {"censored", "wrong_verdict", "balanced_away"}
    assert len(rows) + len(refusals) == len(cases)
    for split in ("train", "held_out"):
        asked = Counter(c.label for c in cases.values() if c.split == split and c.label is not None)
        kept = Counter(cases[r.case].label for r in rows if cases[r.case].split == split)
        assert kept[1] / asked[1] == pytest.approx(kept[0] / asked[0], abs=1 / asked[1])


def test_every_style_gives_its_sections(cohort: Write, tmp_path: Path) -> None:
    home = cohort(tmp_path, 25)
    run(Study(name="t", cohort={}, synth={"styles": list(STYLES)}), home)
    for r in read_jsonl(home / "synth" / "rationales.jsonl", Rationale):
        sections = list(dict.fromkeys(c.section for c in r.claims))
        assert sections == list(STYLES[r.style].sections or ("",)), r


def test_a_wrong_control_is_refused_by_name() -> None:
    with pytest.raises(StudyError, match="'shufled' is not a control; did you mean 'shuffled'"):
        resolve(Study(name="t", cohort={}, synth={"controls": ["shufled"]}))
