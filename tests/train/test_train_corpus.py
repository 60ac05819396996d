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


def grounding(r: Rationale, supported: tuple[bool, ...]) -> Grounding:
    return Grounding(
        rationale=r.id,
        checks=tuple(
            Check(claim=i, supported=s, fault=None if s else "wrong_value") for i, s in enumerate(supported)
        ),
    )


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
        ("usable", 1.0, [0, 1, 4]),  # 2 has a claim without support, 3 is rejected, 5 was never checked
        ("usable", 0.5, [0, 1, 2, 4]),
        ("accepted", 1.0, [1]),
        ("all", 1.0, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_what_was_not_supported_or_was_rejected_is_not_taught(
    rationales: str, min_support: float, taught: list[int], reasons: dict[str, Rationale]
) -> None:
    some = list(reasons.values())[:6]
    groundings = [grounding(r, (True, i != 2)) for i, r in enumerate(some[:5])]
    verdicts = [
        verdict(some[1], "accepted"),
        verdict(some[3], "rejected"),
        verdict(some[4], "needs_adjudication"),
    ]
    settings = Settings.model_validate({"rationales": rationales, "min_support": min_support})
    assert corpus.usable(some, groundings, verdicts, settings) == [some[i] for i in taught]


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
    with pytest.raises(DataError, match=r"shuffled\.jsonl: not there"):
        corpus.read(toy, "shuffled", settings)
    some = set(list(reasons)[:30])
    made = [r for r in read_jsonl(toy / "synth" / "rationales.jsonl", Rationale) if r.case in some]
    write_jsonl(toy / "synth" / "controls" / "shuffled.jsonl", made)
    fewer = corpus.order_for(study, toy, settings)
    assert fewer == [c for c in everyone if c.id in some]
