"""Who grades what: balanced, seeded, and kept when a rater joins."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.annotate import design
from wherefore.annotate.plan import Plan, prepare, save
from wherefore.annotate.run import resolve
from wherefore.annotate.settings import Settings
from wherefore.study.config import Study

Make = Callable[..., Study]


@pytest.mark.parametrize(
    ("v", "k", "b"),
    [
        (7, 3, 7),
        (9, 3, 12),
        (13, 4, 13),
        (6, 3, 10),
        (11, 5, 11),
        (8, 4, 14),
        (10, 3, 30),
        (9, 4, 18),
        (13, 3, 26),
        (15, 3, 35),
        (16, 4, 20),
    ],
)
def test_pairs_meet_equally_often_where_such_a_design_is_known(v: int, k: int, b: int) -> None:
    """Parameters of balanced incomplete block designs (Fisher & Yates, table XVII)."""
    blocks = design.balanced(v, k, b, seed=1)
    low, high = design.pair_counts(blocks, v)
    assert low == high == b * k * (k - 1) // (v * (v - 1))
    assert design.loads(blocks, v) == (b * k // v, b * k // v)
    assert all(len(set(block)) == k for block in blocks)


@pytest.mark.parametrize(
    ("v", "k", "b"), [(5, 2, 37), (6, 2, 33), (4, 3, 49), (3, 2, 61), (5, 3, 60), (6, 2, 47)]
)
def test_counts_that_do_not_divide_differ_by_one(v: int, k: int, b: int) -> None:
    blocks = design.balanced(v, k, b, seed=2)
    for low, high in (design.pair_counts(blocks, v), design.loads(blocks, v)):
        assert high - low <= 1


def plan(
    study: Make, home: Path, done: frozenset[tuple[str, str, str]] = frozenset(), **section: object
) -> Plan:
    s = study(raters="label_studio", items=48, **section)
    return prepare(s, resolve(s), home, done)


BALANCED = {"kind": "balanced", "per_item": 2}
FOUR = ["ann", "ben", "carla", "dora"]


def test_same_seed_same_design_and_every_stratum_is_even(study: Make, graded: Path) -> None:
    one, two = (plan(study, graded, people=FOUR, design=BALANCED) for _ in range(2))
    assert one.tasks == two.tasks
    assert set(Counter(t.item for t in one.tasks).values()) == {2}
    assert set(Counter(t.rater for t in one.tasks).values()) == {24}
    strata = Counter((t.rater, one.items[t.item].stratum) for t in one.tasks)
    assert max(strata.values()) - min(strata.values()) <= 1
    orders = [[t.item for t in one.of_round("main") if t.rater == r] for r in FOUR]
    assert len({tuple(o) for o in orders}) == 4, "everybody has an order of their own"


def test_a_rater_who_joins_takes_open_work_only(study: Make, graded: Path) -> None:
    before = plan(study, graded, people=FOUR, design=BALANCED)
    save(before, graded / "annotate")
    done = frozenset(("main", t.rater, t.item) for t in before.tasks if t.rater == "ann" or t.order < 5)
    after = plan(study, graded, done, people=[*FOUR, "emil"], design=BALANCED)
    kept = {(t.round, t.rater, t.item) for t in after.tasks}
    assert done <= kept
    assert set(Counter(t.item for t in after.tasks).values()) == {2}
    open_ = Counter(t.rater for t in after.tasks)
    assert open_["ann"] == 24, "finished work stays where it is"
    assert max(open_[r] for r in FOUR[1:]) - open_["emil"] <= 1
    again = plan(study, graded, done, people=FOUR, design=BALANCED)
    assert again.tasks == before.tasks, "nobody joined, nothing moved"


def test_with_everybody_on_everything_a_rater_who_joins_moves_nobody(study: Make, graded: Path) -> None:
    before = plan(study, graded, people=["ann", "ben"])
    save(before, graded / "annotate")
    after = plan(study, graded, people=["ann", "ben", "carla"])
    assert [t for t in after.tasks if t.rater != "carla"] == list(before.tasks)


def test_raters_are_blind_to_teacher_style_and_label(study: Make, graded: Path) -> None:
    from wherefore.annotate.push import BLIND, task_data

    p = plan(study, graded, people=["ann"], question="Dementia within five years?")
    for t in p.tasks:
        seen = str(task_data(p, t, BLIND))
        for word in ("reference", "stepwise", t.rationale, t.case, "label", "verdict", "outcome"):
            assert word not in seen
    told = plan(study, graded, people=["ann"], show_label=True)
    assert "Recorded outcome: yes" in str([task_data(told, t, BLIND) for t in told.tasks])


def test_controls_look_like_all_others_and_everybody_gets_them(study: Make, graded: Path) -> None:
    p = plan(study, graded, people=FOUR, design=BALANCED, controls={"other_patient": 3, "wrong_value": 4})
    planted = {i.id: i for i in p.items.values() if i.control}
    assert Counter(i.control for i in planted.values()) == {"other_patient": 3, "wrong_value": 4}
    given = Counter(t.item for t in p.tasks if t.control)
    assert given == dict.fromkeys(planted, 4)
    assert not {i.rationale for i in planted.values()} & {r for r, c in p.to_judge() if c == "planted"}
    assert len(p.to_judge()) == 48
    for item in planted.values():
        original = [
            c.text for c in p.items[next(i for i in p.items if p.items[i].rationale == item.rationale)].claims
        ]
        if item.control == "wrong_value":
            changed = [n for n, (a, b) in enumerate(zip(original, item.claims, strict=True)) if a != b.text]
            assert set(changed) == p.faulty[item.id]
            assert len(changed) == 1
        else:
            assert p.cases[item.case].id != item.rationale.split("-")[0].replace("r", "c")
            assert p.faulty[item.id] == {0, 1, 2}, "every claim that cites the other history"


def test_settings_hold_what_the_design_needs() -> None:
    with pytest.raises(ValueError, match=r"design.per_item: 3 of 2 raters"):
        Settings(raters="files", people=["a", "b"], design={"kind": "balanced", "per_item": 3})  # type: ignore[arg-type]
