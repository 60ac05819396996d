"""The whole stage on a run folder whose truth is known."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.records import Average, Comparison, Metric, Written
from wherefore.analysis.report.headline import headline
from wherefore.analysis.run import evaluate, resolve, run
from wherefore.analysis.written import Claims
from wherefore.cohort.records import Case
from wherefore.study.errors import DataError, StudyError
from wherefore.study.records import from_frame, read_table, write_table
from wherefore.study.runs import manifest, run_once
from wherefore.train.records import Prediction


def rows(home: Any, name: str, kind: type) -> list[Any]:
    return from_frame(read_table(home / "analysis" / f"{name}.parquet", kind), kind)


def test_the_noisy_target_is_found_to_be_worse(analysed: Any) -> None:
    found = {
        (c.a, c.a_readout): c
        for c in rows(analysed.home, "comparisons", Comparison)
        if c.family == "targets: roc_auc"
    }
    own = found["free_rationale", "own_rationale"]
    assert own.high < 0
    assert own.p_adjusted < 0.05
    assert (own.pairs, own.pairs_expected) == (3, 3)
    assert own.seed_sd > 0
    same = found["label_then_rationale", "direct"]  # made from the same draws of noise as the reference
    assert same.difference == 0
    assert same.p == 1
    assert ("free_rationale", "teacher_rationale") not in found  # hindsight is no prediction


def test_missing_predictions_are_counted_and_leave_both_sides_of_a_comparison(analysed: Any) -> None:
    metric = {
        (m.cell, m.readout): m
        for m in rows(analysed.home, "metrics", Metric)
        if m.metric == "roc_auc" and m.group == "all" and m.population == "sample"
    }
    cell = next(c for c in analysed.study.grid.cells() if c.target == "free_rationale")
    own = metric[cell.id, "own_rationale"]
    assert own.n_missing > 0
    full = metric["bayes", "baseline"]
    assert own.n + own.n_missing == full.n
    pair = next(
        c
        for c in rows(analysed.home, "comparisons", Comparison)
        if c.a == cell.id and c.a_readout == "own_rationale" and c.metric == "roc_auc"
    )
    assert pair.n == own.n


def test_done_once_same_bytes_and_set_aside_for_other_predictions(trial: Any) -> None:
    assert run(trial.study, trial.home)
    assert not run(trial.study, trial.home)
    first = manifest(trial.home / "analysis")
    shutil.rmtree(trial.home / "analysis")
    assert run(trial.study, trial.home)
    again = manifest(trial.home / "analysis")
    assert first is not None
    assert again is not None
    assert first.outputs == again.outputs
    gone = trial.study.grid.cells()[1]
    (trial.home / "train" / gone.id / "manifest.json").unlink()
    assert run(trial.study, trial.home)
    assert (trial.home / f"analysis-{first.key}" / "report.html").exists()
    assert not [a for a in rows(trial.home, "averages", Average) if a.target == gone.target]
    assert "2 of 3 finished, 0 failed, 1 missing" in (trial.home / "analysis" / "report.html").read_text()


def test_averages_say_how_many_cells_they_rest_on(trial: Any, seeds: Any) -> None:
    three = seeds(trial.home)
    lost = next(c for c in three.grid.cells() if c.target == "label_only" and c.seed == 2)
    (trial.home / "train" / lost.id / "manifest.json").unlink()
    (trial.home / "train" / lost.id / "failure.json").write_text(
        '{"error": "out of memory", "traceback": ""}'
    )
    tables = evaluate(three, trial.home)
    average = next(a for a in tables.averages if a.target == "label_only" and a.metric == "roc_auc")
    assert (average.cells, average.expected) == (2, 3)
    pair = next(c for c in tables.comparisons if c.family == "targets: roc_auc" and c.a == "free_rationale")
    assert (pair.pairs, pair.pairs_expected) == (2, 3)  # the orphan is in no comparison
    assert [(s.state, s.why) for s in tables.cells if s.state != "done"] == [("failed", "out of memory")]


def test_study_without_grid_and_ratings_ends_with_what_there_is(trial: Any) -> None:
    for part in ("train", "annotate"):
        shutil.rmtree(trial.home / part)
    study = trial.study.model_copy(update={"grid": None})
    assert run(study, trial.home)
    assert headline(trial.home) == (
        "No predictions: the study ends with the verdicts.\nNo ratings: agreement is not measured."
    )
    assert "study has no grid" in (trial.home / "analysis" / "report.html").read_text()


def test_headline_names_every_target_and_readout(analysed: Any) -> None:
    text = headline(analysed.home)
    assert re.search(r"label only +direct +0\.\d{3} +0\.\d{3} to 0\.\d{3} +3 of 3 fits", text)
    assert re.search(r"bayes +baseline +0\.\d{3}", text)
    assert "simulated raters" in text


def test_reference_that_the_grid_lacks_is_refused(trial: Any) -> None:
    wrong = trial.study.model_copy(update={"analysis": {"reference": "label_onyl"}})
    with pytest.raises(
        StudyError, match=r"analysis\.reference: 'label_onyl' is not a target .* 'label_only'\?"
    ):
        resolve(wrong)


def test_citations_of_what_was_not_shown_are_counted(analysed: Any) -> None:
    """Every text cites E002, which two in three cases show, and E099, which nobody has."""
    found = rows(analysed.home, "written", Written)
    assert {(w.target, w.readout) for w in found} == {("free_rationale", "own_rationale")}
    cases = read_table(analysed.home / "cohort" / "cases.parquet", Case)
    held = cases[cases["split"] == "held_out"]
    assert found[0].texts == len(held)
    assert found[0].citations == 2 * len(held)
    assert found[0].existing == held["timeline"].str.contains("E002").sum()
    assert found[0].words == 5
    assert (found[0].checked, found[0].supported, found[0].faulty) == (100, 0, 100)
    assert "<del>E099</del>" in (analysed.home / "analysis" / "report.html").read_text()


def test_what_models_write_is_checked_against_the_history(trial: Any) -> None:
    """The stroke of E002 is at 61; the last sentence of the second text was cut off."""
    claims = Claims(trial.study, trial.home / "cohort")
    cases = read_table(trial.home / "cohort" / "cases.parquet", Case)
    held = [c for c in cases.loc[cases["timeline"].str.contains("E002"), "id"] if c in claims]
    texts = [(held[0], "There is a stroke at age 61.0. [E002] Risk is high.")]
    assert claims.count(texts) == {"supported": 1, "undecided": 1}
    texts += [
        (held[1], "Findings: There is a stroke at age 75.0. [E002] There is diabetes. There is a stroke at 6")
    ]
    assert claims.count(texts) == {"supported": 1, "undecided": 1, "fault": 2}


def test_every_file_that_the_stage_opens_is_an_input_of_its_manifest(trial: Any) -> None:
    """Python says which files are opened; the manifest must know each of the run folder, and that some are absent."""
    import sys

    opened: set[str] = set()
    watching = [True]

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if (
            watching[0]
            and event == "open"
            and isinstance(args[0], str | Path)
            and args[1] in ("r", "rb", None)
        ):
            opened.add(str(args[0]))

    sys.addaudithook(watch)  # it cannot be taken away again, so it is switched off
    assert run(trial.study, trial.home)
    watching[0] = False
    made = manifest(trial.home / "analysis")
    assert made is not None
    inside = {str(Path(p).relative_to(trial.home)) for p in opened if p.startswith(str(trial.home))}
    inside = {p for p in inside if not p.startswith("analysis/") and not p.endswith(".lock")}
    assert len(inside) > 10
    assert inside <= set(made.inputs)
    assert "absent" in made.inputs.values()


def test_a_file_that_appears_makes_the_page_again(trial: Any) -> None:
    (trial.home / "synth" / "card.json").unlink(missing_ok=True)
    assert run(trial.study, trial.home)
    assert not run(trial.study, trial.home)
    (trial.home / "synth" / "card.json").write_text('{"readability": []}')
    assert run(trial.study, trial.home)


def test_an_edited_predictions_file_is_refused(trial: Any) -> None:
    """A finished cell's risks replaced by the outcome: an AUC of 1 that nobody trained."""
    cell = trial.study.grid.cells()[0]
    folder = trial.home / "train" / cell.id
    shutil.move(folder / "predictions.parquet", folder / "kept.parquet")
    (folder / "manifest.json").unlink()

    def work(folder: Path) -> None:
        shutil.copyfile(folder / "kept.parquet", folder / "predictions.parquet")

    run_once(folder, {}, [], work)
    assert run(trial.study, trial.home)
    table = read_table(folder / "predictions.parquet", Prediction)
    write_table(folder / "predictions.parquet", table.assign(risk=1.0 - table["risk"]), Prediction)
    with pytest.raises(DataError, match=r"predictions\.parquet: changed after its stage had finished"):
        run(trial.study, trial.home)
