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
from wherefore.annotate.plan import GradingPlan, dealt, prepare, save
from wherefore.annotate.records import Task
from wherefore.annotate.run import resolve
from wherefore.annotate.settings import Settings
from wherefore.study.config import Study
from wherefore.study.errors import StudyError
from wherefore.study.files import rows
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Claim, Grounding, Rationale

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
) -> GradingPlan:
    s = study(raters="label_studio", **{"items": 48, **section})
    old = rows(home / "annotate" / "tasks.jsonl", Task)
    return dealt(prepare(s, resolve(s), home, {item for _, _, item in done}), old, done)


BALANCED = {"kind": "balanced", "per_item": 2}
FOUR = ["ann", "ben", "carla", "dora"]


def test_strata_are_style_label_and_split(study: Make, graded: Path) -> None:
    def made(**section: object) -> GradingPlan:
        return plan(study, graded, items=16, people=FOUR, design=BALANCED, **section)

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

    p = plan(study, graded, people=["ann", "ben"], question="Dementia within five years?")
    for t in p.tasks:
        seen = str(task_data(p, t, BLIND))
        for word in ("reference", "stepwise", t.rationale, t.case, "label", "verdict", "outcome"):
            assert word not in seen
    told = plan(study, graded, people=["ann", "ben"], show_label=True)
    assert "Recorded outcome: yes" in str([task_data(told, t, BLIND) for t in told.tasks])


def test_controls_look_like_all_others_and_everybody_gets_them(study: Make, graded: Path) -> None:
    p = plan(study, graded, people=FOUR, design=BALANCED, controls={"other_patient": 3, "wrong_value": 4})
    planted = {i.id: i for i in p.items.values() if i.control}
    assert Counter(i.control for i in planted.values()) == {"other_patient": 3, "wrong_value": 4}
    given = Counter(t.item for t in p.tasks if t.control)
    assert given == dict.fromkeys(planted, 4)
    assert not {i.rationale for i in planted.values()} & {
        i.rationale for i in p.items.values() if not i.control
    }, "nobody sees the text of a planted item anywhere else"
    assert len(p.to_judge()) == 48
    texts = {r.id: r.claims for r in read_jsonl(graded / "synth" / "rationales.jsonl", Rationale)}
    for item in planted.values():
        if item.control == "wrong_value":
            pairs = zip(texts[item.rationale], item.claims, strict=True)
            assert {n for n, (a, b) in enumerate(pairs) if a != b} == p.faulty[item.id]
            assert len(p.faulty[item.id]) == 1
        else:
            assert item.claims == texts[item.rationale]
            assert p.cases[item.case].id != item.rationale.split("-")[0].replace("r", "c")
            assert p.faulty[item.id] == {0, 1, 2}, "every claim that cites the other history"


PLANTED = {"other_patient": 3, "wrong_value": 3}


def test_more_items_keep_what_was_handed_out(study: Make, graded: Path) -> None:
    """More items after calibration, fewer, and a longer calibration: what somebody has graded stays as it was."""
    settings = {"people": FOUR, "design": BALANCED, "controls": PLANTED}
    before = plan(study, graded, items=20, rounds={"calibration": 8}, **settings)
    save(before, graded / "annotate")
    done = frozenset((t.round, t.rater, t.item) for t in before.tasks)
    old = {i.id for i in before.items.values()}
    for items, calibration in ((40, 8), (20, 12), (10, 4)):
        after = plan(study, graded, done, items=items, rounds={"calibration": calibration}, **settings)
        assert old <= set(after.items), (items, calibration)
        assert {(t.round, t.rater, t.item) for t in after.tasks} >= done
        rounds = Counter((i.round, i.control is not None) for i in after.items.values())
        assert rounds == {
            ("calibration", False): max(calibration, 8),
            ("main", False): max(items, 20),
            ("main", True): 6,
        }
        assert len({i.rationale for i in after.items.values()}) == len(after.items), "every text once"
        assert all(after.faulty[i] == before.faulty[i] for i in old)


def test_a_rater_who_leaves_keeps_finished_work_and_the_rest_is_dealt_again(
    study: Make, graded: Path
) -> None:
    before = plan(study, graded, people=FOUR, design=BALANCED, controls=PLANTED)
    save(before, graded / "annotate")
    done = frozenset(
        ("main", "ann", t.item) for t in before.of_round("main") if t.rater == "ann" and t.order < 10
    )
    after = plan(study, graded, done, people=FOUR[1:], design=BALANCED, controls=PLANTED)
    assert {(t.round, t.rater, t.item) for t in after.tasks if t.rater == "ann"} == done
    shown = {i.id for i in after.items.values() if not i.control}
    assert set(Counter(t.item for t in after.tasks if t.item in shown).values()) == {2}
    save(after, graded / "annotate")
    again = plan(study, graded, done, people=FOUR[1:], design=BALANCED, controls=PLANTED)
    assert again.tasks == after.tasks, "and dealt once"


def test_items_of_one_person_stand_far_apart(study: Make, graded: Path) -> None:
    """Two styles of 48 people: by chance neighbours would be common."""
    p = plan(study, graded, items=80, people=["ann", "ben"])
    for rater in ("ann", "ben"):
        place: dict[str, list[int]] = {}
        for t in p.of_round("main"):
            if t.rater == rater:
                place.setdefault(p.cases[t.case].subject, []).append(t.order)
        gaps = (
            [b - a for a, b in place.values() if b]
            if all(len(v) == 2 for v in place.values())
            else [v[1] - v[0] for v in place.values() if len(v) == 2]
        )
        assert len(gaps) > 30
        assert min(gaps) >= 20
    orders = [[t.item for t in p.of_round("main") if t.rater == r] for r in ("ann", "ben")]
    assert orders[0] != orders[1]


def test_too_few_rationales_for_what_is_planted(study: Make, graded: Path) -> None:
    with pytest.raises(
        StudyError, match=r"annotate.controls.wrong_value: 90, but the rationales of train allow"
    ):
        plan(study, graded, people=FOUR, rounds={"calibration": 10}, controls={"wrong_value": 90})


def test_what_gives_the_label_away_can_be_cut(study: Make, graded: Path) -> None:
    """The grounding check calls the last sentence a judgement; the third is cut by number."""
    path = graded / "synth" / "groundings.jsonl"
    kinds = ("finding", "finding", "finding", "judgement")
    found = list(read_jsonl(path, Grounding))
    checks = [
        tuple(c.model_copy(update={"kind": k}) for c, k in zip(g.checks, kinds, strict=True)) for g in found
    ]
    write_jsonl(path, [g.model_copy(update={"checks": c}) for g, c in zip(found, checks, strict=True)])
    whole = plan(study, graded, people=FOUR)
    assert {len(i.claims) for i in whole.items.values()} == {4}
    assert not whole.left_out
    cut = plan(study, graded, people=FOUR, shown={"judgement": False})
    assert {len(i.claims) for i in cut.items.values()} == {3}
    assert not [i for i in cut.items.values() if "raised risk" in i.text]
    assert {len(c) for c in cut.left_out.values()} == {1}
    short = plan(
        study, graded, people=FOUR, shown={"judgement": False, "sentences": 2}, controls={"wrong_value": 3}
    )
    assert {len(i.claims) for i in short.items.values()} == {2}
    assert all(max(f, default=0) < 2 for f in short.faulty.values())


def test_settings_hold_what_the_design_needs() -> None:
    with pytest.raises(ValueError, match=r"design.per_item: 3 of 2 raters"):
        Settings(raters="files", people=["a", "b"], design={"kind": "balanced", "per_item": 3})  # type: ignore[arg-type]
