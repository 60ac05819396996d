"""Two run folders side by side: paired where the people are the same, apart where they are not, refused where nothing
can be said."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from wherefore.analysis.report.two_runs import headline, render
from wherefore.analysis.two_runs import two_runs
from wherefore.cli.main import main
from wherefore.cohort.records import Case
from wherefore.study.errors import DataError
from wherefore.study.records import read_table, to_frame, write_table, write_text
from wherefore.train.records import Prediction

from .conftest import cases, lay, predictions, study

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Lays a run folder of a study that differs in some settings."""

    def made(name: str, seeds: tuple[int, ...] = (0,), **changes: object) -> Path:
        a_study = study(seeds).model_copy(update={"name": name, **changes})
        lay(tmp_path / name, a_study)
        write_text(tmp_path / name / "resolved.json", a_study.model_dump_json())
        return tmp_path / name

    return made


def better(run: Path, seeds: tuple[int, ...] = (0,)) -> None:
    """The free rationales of this run see more, and one case has no prediction."""
    held = [c for c in cases() if c.split == "held_out"]
    for cell in (c for c in study(seeds).grid.cells() if c.target == "free_rationale"):  # type: ignore[union-attr]
        rows = predictions(cell.id, "direct", held, 0.7, cell.seed)
        gone = rows[0].model_copy(update={"risk": None, "why_missing": "no_label"})
        table = to_frame([gone, *rows[1:]], Prediction)
        write_table(run / "train" / cell.id / "predictions.parquet", table, Prediction)


def test_differences_on_the_same_people_are_those_by_hand(make: Make) -> None:
    a, b = make("a", analysis={"replicates": 300}), make("b")
    better(b)
    found = two_runs(a, b)
    assert found.people.same
    assert [row for row in found.settings if row[0] != "text"] == [("analysis.replicates", 300, 200)]
    rows = {(c.a, c.a_readout): c for c in found.comparisons if c.metric == "roc_auc"}
    row = rows["free_rationale", "direct"]
    people = read_table(a / "cohort" / "cases.parquet", Case).set_index("id")
    cell = next(c.id for c in study().grid.cells() if c.target == "free_rationale")  # type: ignore[union-attr]
    tables = [read_table(run / "train" / cell / "predictions.parquet", Prediction) for run in (a, b)]
    direct = [t[t["readout"] == "direct"].set_index("case")["risk"].astype(float) for t in tables]
    both = people.index[people["label"].notna()].intersection(
        direct[0].dropna().index.intersection(direct[1].dropna().index)
    )
    truth = people.loc[both]
    weight = truth["weight"] * truth["sampling_weight"]
    values = [roc_auc_score(truth["label"].astype(int), d[both], sample_weight=weight) for d in direct]
    assert row.n == len(both)
    assert (row.a_value, row.b_value) == pytest.approx(values)
    assert row.difference == pytest.approx(values[0] - values[1])
    assert row.high_adjusted is not None
    assert row.high_adjusted < 0
    # what did not change: no difference at all, and so no interval around one
    assert rows["label_only", "direct"].difference == 0.0
    # the read-outs of free rationales that only the first run has stand apart
    assert {(o.run, o.readout) for o in found.alone} == {("a", "own_rationale"), ("a", "teacher_rationale")}
    assert "free rationale read directly is worse" in headline(found, "roc_auc").lower()
    page = render(found)
    assert "analysis.replicates" in page
    assert "Not paired" in page


def test_seeds_of_both_runs_are_paired_and_enter_the_interval(make: Make) -> None:
    seeds = (0, 1, 2)
    a, b = make("a", seeds), make("b", seeds)
    better(b, seeds)
    rows = {(c.a, c.a_readout): c for c in two_runs(a, b).comparisons if c.metric == "roc_auc"}
    row = rows["free_rationale", "direct"]
    assert (row.pairs, row.pairs_expected, row.seeds, row.about) == (3, 3, 3, "recipes")


def test_other_people_are_shown_apart(make: Make) -> None:
    a, b = make("a"), make("b")
    table = read_table(b / "cohort" / "cases.parquet", Case)
    table.loc[table.index[1], "age"] += 1  # one held-out person is another one
    write_table(b / "cohort" / "cases.parquet", table, Case)
    found = two_runs(a, b)
    assert not found.people.same
    assert found.people.alike == found.people.a - 1
    assert found.comparisons == []
    assert {o.run for o in found.alone} == {"a", "b"}
    assert "judge other people" in headline(found, "roc_auc")
    assert "Two of these numbers say nothing about each other" in render(found)
    assert np.isfinite([o.value for o in found.alone if o.value is not None]).all()


def test_what_cannot_be_compared_is_refused_in_a_line(make: Make, tmp_path: Path) -> None:
    a, b = make("a"), make("b", cohort={"source": {"name": "simulated"}, "horizon_years": 2})
    with pytest.raises(DataError, match=r"different things \(horizon: five years and two years\)"):
        two_runs(a, b)
    with pytest.raises(DataError, match=r"no run folder, as it has no resolved\.json"):
        two_runs(a, tmp_path)
    empty = make("empty")
    for path in empty.glob("train/*/manifest.json"):
        path.unlink()
    for path in empty.glob("train/baselines/*"):
        path.unlink()
    with pytest.raises(DataError, match="no fit is finished"):
        two_runs(a, empty)


def test_the_command_writes_one_page(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("a")
    make("b")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["report", "--compare", "a", "b"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "report: a-and-b.html"
    page = (tmp_path / "a-and-b.html").read_text()
    assert "http" not in page.replace("http://www.w3.org", "")
    wrong = CliRunner().invoke(main, ["report", "--compare", "a", "nowhere"])
    assert wrong.exit_code == 1
    assert (
        wrong.output.strip()
        == "wherefore: nowhere: no run folder, as it has no resolved.json. Give one, such as runs/demo."
    )
    assert CliRunner().invoke(main, ["report"]).exit_code == 2
