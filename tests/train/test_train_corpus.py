"""Which rationales are taught, and on which cases: the same for every target, and nested in size."""

from pathlib import Path

import pytest

from wherefore.annotate.records import Verdict
from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.errors import DataError
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Check, Grounding, Rationale
from wherefore.train import corpus
from wherefore.train.settings import Settings


def grounding(r: Rationale, outcomes: str, **more: object) -> Grounding:
    """A letter a claim: supported, fault or undecided."""
    kinds = {
        "s": {"verdict": "supported", "facts": 1},
        "f": {"verdict": "fault", "fault": "wrong_value"},
        "u": {"verdict": "undecided", "doubt": "unread", **more},
    }
    checks = tuple(Check.model_validate({"claim": i, **kinds[o]}) for i, o in enumerate(outcomes))
    return Grounding(rationale=r.id, checks=checks)


def verdict(r: Rationale, state: str) -> Verdict:
    return Verdict.model_validate(
        {
            "rationale": r.id,
            "case": r.case,
            "state": state,
            "rule": "r",
            "n_raters": 3,
            "consensus": {},
            "why": "w",
        }
    )


@pytest.mark.parametrize(
    ("rationales", "min_support", "taught"),
    [
        ("usable", 1.0, [0, 1, 4]),  # 2 has a claim with a fault, 3 is rejected, 5 was never checked
        ("usable", 0.5, [0, 1, 2, 4]),
        ("accepted", 1.0, [1]),
        ("all", 1.0, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_what_was_not_supported_or_was_rejected_is_not_taught(
    rationales: str, min_support: float, taught: list[int], reasons: dict[str, Rationale]
) -> None:
    some = list(reasons.values())[:6]
    groundings = [grounding(r, "sf" if i == 2 else "ss") for i, r in enumerate(some[:5])]
    verdicts = [
        verdict(some[1], "accepted"),
        verdict(some[3], "rejected"),
        verdict(some[4], "needs_adjudication"),
    ]
    settings = Settings.model_validate(
        {"rationales": rationales, "min_support": min_support, "faulty": "keep"}
    )
    assert corpus.usable(some, groundings, verdicts, settings) == [some[i] for i in taught]


@pytest.mark.parametrize(
    ("outcomes", "settings", "left"),
    [
        ("sfs", {}, "ss"),  # the faulty claim goes
        ("ssf", {}, None),  # the conclusion is one of them
        ("fffs", {}, None),  # more than half of what was decided
        ("fffs", {"min_support": 0.25}, "s"),
        ("sfs", {"faulty": "reject"}, None),
        ("sfs", {"faulty": "keep"}, "sfs"),
        ("suu", {}, "suu"),  # what rules cannot decide counts neither way
        ("uuu", {}, None),  # no fact of the record
        ("uuu", {"min_facts": 0}, "uuu"),
        ("sss", {"min_facts": 4}, None),
    ],
)
def test_faulty_claims_go_or_their_rationale_does(
    outcomes: str, settings: dict[str, object], left: str | None, reasons: dict[str, Rationale]
) -> None:
    one = next(iter(reasons.values()))
    claims = tuple(one.claims[0].model_copy(update={"text": f"{i}{o}"}) for i, o in enumerate(outcomes))
    one = one.model_copy(update={"claims": claims})
    taught = corpus.usable([one], [grounding(one, outcomes)], [], Settings.model_validate(settings))
    assert [[c.text[1] for c in r.claims] for r in taught] == ([list(left)] if left else [])


def test_what_is_left_to_clinicians_needs_their_acceptance(reasons: dict[str, Rationale]) -> None:
    one = next(iter(reasons.values()))
    groundings = [grounding(one, "su", left_to_clinicians=True)]
    for state, taught in (("accepted", [one]), ("needs_more_ratings", []), (None, [])):
        verdicts = [verdict(one, state)] if state else []
        assert corpus.usable([one], groundings, verdicts, Settings()) == taught


def test_a_smaller_training_set_begins_a_larger_one_whoever_else_is_there(
    cases: list[Case], reasons: dict[str, Rationale]
) -> None:
    free = {(case, "free"): r for case, r in reasons.items()}
    order = corpus.training_order(cases, [free], ["free"], seed=1)
    fewer = {k: r for k, r in free.items() if k[0] != order[5].id}
    assert corpus.training_order(cases, [fewer], ["free"], seed=1) == [*order[:5], *order[6:]]
    assert corpus.training_order(cases, [free], ["free"], seed=2) != order
    assert corpus.first(order, 7) == order[:7]
    with pytest.raises(DataError, match="41 training cases are asked for, 40 are labelled"):
        corpus.first(order, 41)


def test_censored_and_held_out_cases_are_not_trained_on(cases: list[Case]) -> None:
    lost = cases[0].model_copy(update={"label": None, "outcome": "censored", "weight": 0.0})
    elsewhere = cases[1].model_copy(update={"split": "held_out"})
    order = corpus.training_order([lost, elsewhere, *cases[2:]], [], [], seed=1)
    assert {c.id for c in order} == {c.id for c in cases[2:]}


def test_every_target_shares_its_cases_and_a_control_corpus_is_read_from_its_file(
    toy: Path, study: Study, reasons: dict[str, Rationale]
) -> None:
    settings = study.section("train", Settings)
    everyone = corpus.order_for(study, toy, settings)
    assert len(everyone) == 40
    with pytest.raises(DataError, match=r"shuffled\.jsonl: not found"):
        corpus.read(toy, "shuffled", settings)
    some = set(list(reasons)[:30])
    made = [r for r in read_jsonl(toy / "synth" / "rationales.jsonl", Rationale) if r.case in some]
    write_jsonl(toy / "synth" / "controls" / "shuffled.jsonl", made)
    fewer = corpus.order_for(study, toy, settings)
    assert fewer == [c for c in everyone if c.id in some]


def test_a_corpus_of_a_teacher_told_otherwise_is_checked_and_read_as_its_own(
    toy: Path, study: Study, reasons: dict[str, Rationale]
) -> None:
    settings = study.section("train", Settings)
    assert corpus.source(toy, "blind") == corpus.TEACHER
    folder = toy / "synth" / "corpora" / "blind"
    folder.mkdir(parents=True)
    said = [r.model_copy(update={"teacher": "blind"}) for r in list(reasons.values())[:30]]
    write_jsonl(folder / "rationales.jsonl", said)
    write_jsonl(folder / "groundings.jsonl", [grounding(r, "f" * len(r.claims)) for r in said[:10]])
    assert corpus.read(toy, "blind", settings) == {}
    write_jsonl(folder / "groundings.jsonl", [grounding(r, "s" * len(r.claims)) for r in said[:20]])
    assert {case for case, _ in corpus.read(toy, "blind", settings)} == {r.case for r in said[:20]}
    assert len(corpus.order_for(study, toy, settings)) <= 20
    assert {r.teacher for r in corpus.teacher_rationales(toy, "free", "blind").values()} == {"blind"}
    assert {folder / "rationales.jsonl", folder / "groundings.jsonl"} <= set(corpus.files(toy))
