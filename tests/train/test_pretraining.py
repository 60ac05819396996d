"""The made base reads nothing of an outcome: coins for answers, and no sentence beside the person it is about."""

import numpy as np

from wherefore.cohort.records import Case
from wherefore.train.made import pretraining


class Words:
    """An encoder that keeps the text, so that rows can be compared."""

    def row(self, example):  # type: ignore[no-untyped-def]
        from wherefore.train.encoding.encoder import EncodedRow

        ids = tuple(hash(s.text) for s in example.segments)
        return EncodedRow(example.case, ids, (0,) * len(ids))


def test_reasons_are_lines_of_the_timeline_and_sentences_of_others(cases: list[Case]) -> None:
    case = cases[0]
    alone = pretraining.quoted(case, np.random.default_rng(1))
    names = [line.split(": ")[1] for line in case.timeline.splitlines()[1:]]
    assert {c.text.split(" at age")[0] for c in alone.claims} == set(names)
    assert all(c.cites[0] in case.timeline for c in alone.claims)
    mixed = [pretraining.quoted(case, np.random.default_rng(i), ["Prose. [E009]"]) for i in range(40)]
    assert {c.text for r in mixed for c in r.claims if not c.cites} == {"Prose. [E009]"}


def test_text_is_cut_into_sentences_with_their_citations() -> None:
    text = (
        "Risk factors: Stroke at age 66.4 matters. [E007] Asthma does not. [E002, E003]\nJudgement: So it is."
    )
    assert pretraining._SENTENCE.split(text) == [
        "Risk factors:",
        "Stroke at age 66.4 matters. [E007]",
        "Asthma does not. [E002, E003]",
        "Judgement:",
        "So it is.",
    ]


def test_labels_are_not_read(cases: list[Case]) -> None:
    """The same people with all labels turned give the same rows."""

    turned = [
        c.model_copy(update={"label": 1 - c.label, "outcome": "onset" if c.label == 0 else "event_free"})
        for c in cases
    ]
    made = [
        pretraining.rows(some, Words(), "Why?", 2, np.random.default_rng(3), ["One. Two."])  # type: ignore[arg-type]
        for some in (cases, turned)
    ]
    assert made[0] == made[1]
    assert len(made[0]) == 2 * len(cases)


def test_a_base_may_read_reasons_before_every_answer(cases: list[Case]) -> None:
    read: list[str] = []

    class Kept(Words):
        def row(self, example):  # type: ignore[no-untyped-def]
            read.append("".join(s.text for s in example.segments))
            return super().row(example)

    rng = np.random.default_rng(3)
    pretraining.rows(cases, Kept(), "Why?", 2, rng, forms=["free_rationale"])  # type: ignore[arg-type]
    assert len(read) == 2 * len(cases)
    for text in read:
        reasons, _, answer = text.partition("Reasons:")[2].partition("Answer:")
        assert reasons.strip()
        assert answer.strip() in ("yes", "no")
