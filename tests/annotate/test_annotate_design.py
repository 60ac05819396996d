"""Who grades what: balanced, seeded, and kept when a rater joins."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import pytest

from wherefore.annotate.design import deal
from wherefore.annotate.design.blocks import balanced, loads, pair_counts, possible
from wherefore.annotate.design.items import Item
from wherefore.annotate.plan import Plan, prepare, save
from wherefore.annotate.run import resolve
from wherefore.annotate.settings import Settings
from wherefore.study.config import Study
from wherefore.synth.records import Claim

Make = Callable[..., Study]


Parameters = tuple[int, int, int]


def exact_designs(v: int, largest: int) -> Iterator[Parameters]:
    """All (v, k, b) for which pairs and loads divide, with at most so many items a rater."""
    for k in range(2, v):
        for times in range(1, largest):
            each, rest = divmod(times * (v - 1), k - 1)
            if rest == 0 and each <= largest and v * each % k == 0 and v * each // k >= v:
                yield v, k, v * each // k


def evenness(v: int, k: int, b: int, seed: int) -> tuple[int, int]:
    """By how much pairs and loads differ; the blocks are what was asked for."""
    blocks = balanced(v, k, b, seed)
    assert len(blocks) == b
    assert {len(set(block)) for block in blocks} == {k}
    (fewest, most), (least, busiest) = pair_counts(blocks, v), loads(blocks, v)
    return most - fewest, busiest - least


@pytest.mark.parametrize("v", range(3, 14))
def test_every_block_design_of_the_tables_is_found(v: int) -> None:
    """Up to 13 raters and 41 items each all exist (Colbourn & Dinitz, Handbook of Combinatorial Designs, II.1.28)."""
    known = list(exact_designs(v, 41))
    assert [p for p in known if evenness(*p, seed=1) != (0, 0)] == []
    if v == 10:
        assert (10, 4, 15) in known


@pytest.mark.parametrize(
    "known",
    [(15, 3, 35), (15, 7, 15), (16, 4, 20), (16, 6, 16), (16, 12, 20), (19, 9, 19), (21, 5, 21), (25, 5, 30)],
)
def test_larger_ones_too(known: Parameters) -> None:
    assert evenness(*known, seed=1) == (0, 0)


@pytest.mark.parametrize("v", range(3, 14))
@pytest.mark.parametrize("b", [20, 30, 60, 100, 300])
def test_pairs_differ_by_one_at_most_unless_arithmetic_forbids_it(v: int, b: int) -> None:
    for k in range(2, v):
        if possible(v, k, b):
            assert max(evenness(v, k, b, seed=2)) <= 1, (v, k, b)


@pytest.mark.parametrize("impossible", [(6, 4, 20), (9, 4, 30), (7, 5, 30), (13, 12, 20)])
def test_loads_are_even_where_pairs_cannot_be(impossible: Parameters) -> None:
    assert not possible(*impossible)
    pairs, load = evenness(*impossible, seed=3)
    assert load <= 1 < pairs


def test_what_is_called_impossible_is() -> None:
    """Against every set of so many blocks, one by one."""
    for v, k, b in ((4, 3, 2), (4, 3, 3), (5, 3, 3), (5, 4, 2), (5, 4, 3), (5, 3, 4)):
        ways = combinations_with_replacement(list(combinations(range(v), k)), b)
        best = min(max(a[1] - a[0] for a in (pair_counts(w, v), loads(w, v))) for w in ways)
        assert possible(v, k, b) or best > 1
        assert (max(evenness(v, k, b, seed=4)) <= 1) == (best <= 1)


def test_thousands_of_items_stay_quick_and_even() -> None:
    assert max(evenness(20, 3, 5000, seed=5)) <= 1


@pytest.mark.parametrize(
    ("raters", "k", "n", "strata"), [(4, 2, 48, 4), (6, 2, 47, 4), (7, 3, 100, 6), (13, 4, 300, 6)]
)
def test_strata_are_even_and_stay_so_when_a_rater_joins(raters: int, k: int, n: int, strata: int) -> None:
    items = [
        Item(
            id=f"i{i}",
            rationale=f"r{i}",
            case="c",
            round="main",
            claims=(Claim(text="x"),),
            stratum=f"{i % strata}",
        )
        for i in range(n)
    ]
    names = [f"r{r}" for r in range(raters)]
    blocks = deal.spread(items, raters, k, seed=3)
    for stratum in range(strata):
        low, high = loads([b for i, b in enumerate(blocks) if i % strata == stratum], raters)
        assert high - low <= 1
    old = {(i.id, names[r]) for i, block in zip(items, blocks, strict=True) for r in block}
    done = set(random.Random(1).sample(sorted(old), len(old) // 3))
    new = deal.redeal(items, [*names, "new"], k, old, done, seed=3)
    assert done <= new
    assert len(old - new) <= 1.1 * n * k / (raters + 1), "little more moves than what she takes over"
    dealt = [tuple([*names, "new"].index(r) for i, r in new if i == item.id) for item in items]
    assert {len(block) for block in dealt} == {k}
    for (low, high), most in ((loads(dealt, raters + 1), 1), (pair_counts(dealt, raters + 1), 2)):
        assert high - low <= most


def plan(
    study: Make, home: Path, done: frozenset[tuple[str, str, str]] = frozenset(), **section: object
) -> Plan:
    s = study(raters="label_studio", items=48, **section)
    return prepare(s, resolve(s), home, done)


BALANCED = {"kind": "balanced", "per_item": 2}
FOUR = ["ann", "ben", "carla", "dora"]


def test_strata_are_style_label_and_split(study: Make, graded: Path) -> None:
    def made(**section: object) -> Plan:
        s = study(raters="label_studio", items=16, people=FOUR, design=BALANCED, **section)
        return prepare(s, resolve(s), graded)

    both = made(splits=["train", "held_out"])
    strata = Counter(i.stratum for i in both.items.values() if i.round == "main" and i.control is None)
    assert {s.split("/")[2] for s in strata} == {"train", "held_out"}
    assert max(strata.values()) - min(strata.values()) <= 1
    alone = made()
    assert {i.stratum.split("/")[2] for i in alone.items.values()} == {"train"}


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
    from wherefore.annotate.label_studio.push import BLIND, task_data

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
