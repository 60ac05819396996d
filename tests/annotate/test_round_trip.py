"""A real Label Studio: pushed twice, rated as two users, pulled; alpha equals the value worked out by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.agreement import coefficient
from wherefore.annotate import rounds
from wherefore.annotate.graded import GradedForm, Mark
from wherefore.annotate.label_studio import forms
from wherefore.annotate.label_studio.pull import pull
from wherefore.annotate.label_studio.push import push
from wherefore.annotate.records import Rating, Verdict
from wherefore.annotate.run import resolve, run
from wherefore.study.config import Study
from wherefore.study.errors import PendingError
from wherefore.study.records import read_jsonl

Make = Callable[..., Study]

GRADES = {"ann": ["1", "3", "5"], "ben": ["1", "4", "5"]}
"""Ordinal alpha of these three pairs, by hand (Krippendorff 2011, section D).

Values in order: 1, 1, 3, 4, 5, 5; n = 6; margins n1 = 2, n3 = 1, n4 = 1, n5 = 2. The ordinal distance between c and k
is the square of (sum of margins from c to k) - (n_c + n_k) / 2:
d(3,4) = 2 - 1 = 1, squared 1; d(1,3) = 3 - 1.5 = 1.5, squared 2.25; d(1,4) = 4 - 1.5 = 2.5, squared 6.25;
d(1,5) = 6 - 2 = 4, squared 16; d(3,5) = 4 - 1.5 = 2.5, squared 6.25; d(4,5) = 3 - 1.5 = 1.5, squared 2.25.
Observed: the one pair that differs, 3 and 4, counted both ways, over n: 2 * 1 / 6.
Expected: 2 * (2*2.25 + 2*6.25 + 4*16 + 1*1 + 2*6.25 + 2*2.25) / (6 * 5) = 2 * 99 / 30.
alpha = 1 - (2 / 6) / (198 / 30) = 1 - 5 / 99 = 94 / 99.
"""


@pytest.mark.service
def test_grades_come_back_as_given(label_studio: Any, graded: Path, study: Make, capsys: Any) -> None:
    s = study(raters="label_studio", rubric="paper", items=3, people=["ann", "ben"])
    settings, folder = resolve(s), graded / "annotate"
    with pytest.raises(PendingError, match="ann 0/3, ben 0/3"):
        run(s, graded)

    plan = rounds.people(s, settings, graded).plan
    first = push(plan, label_studio.admin, folder, "main")
    again = push(plan, label_studio.admin, folder, "main")
    assert [(p.created, p.added, p.kept) for p in first] == [(True, 3, 0), (True, 3, 0)]
    assert [(p.created, p.added, p.kept) for p in again] == [(False, 0, 3), (False, 0, 3)]

    for p in first:
        held = label_studio.admin.held(p.project)
        mine = [t for t in plan.of_round("main") if t.rater == p.rater]
        assert sorted(held) == sorted(t.item for t in mine)
        assert {len(tasks) for tasks in held.values()} == {1}
        for item, grade in zip(sorted(held), GRADES[p.rater], strict=True):
            marks = tuple(Mark(dimension=d, value=grade) for d in ("accuracy", "faithfulness"))
            form = forms.write(GradedForm(item=item, rater=p.rater, round="main", marks=marks))
            label_studio.submit(p.rater, held[item][0].id, form, seconds=61.5)

    assert [(p.rater, p.changed, p.graded) for p in pull(plan, label_studio.admin, folder)] == [
        ("ann", 3, 3),
        ("ben", 3, 3),
    ]
    assert run(s, graded)
    assert "3 rationales accepted" in capsys.readouterr().out
    ratings = list(read_jsonl(folder / "ratings.jsonl", Rating))
    assert len(ratings) == 2 * 3 * 2
    assert {r.seconds for r in ratings} == {61.5}
    assert not any(r.simulated for r in ratings)
    items = sorted({r.item for r in ratings})
    given = {(r.item, r.rater): r.value for r in ratings if r.dimension == "accuracy"}
    table = [[given[item, rater] for rater in ("ann", "ben")] for item in items]
    assert table == [["1", "1"], ["3", "4"], ["5", "5"]]
    alpha = coefficient(table, "krippendorff_alpha", "ordinal", categories=["1", "2", "3", "4", "5"])
    assert alpha == pytest.approx(94 / 99, abs=1e-12)
    assert [v.n_raters for v in read_jsonl(folder / "verdicts.jsonl", Verdict)] == [2, 2, 2]
