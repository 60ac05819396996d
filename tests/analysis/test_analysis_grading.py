"""What the annotate stage says of itself stands in the report, while people grade and afterwards."""

import html
import re
from pathlib import Path
from typing import Any

from wherefore.analysis.report.grading import grading
from wherefore.analysis.run import run
from wherefore.annotate.records import Anchoring, Noticed, RaterProgress, Rating
from wherefore.study.records import read_jsonl, write_jsonl


def row(rater: str, done: int, round: str = "main", **more: Any) -> RaterProgress:
    return RaterProgress(
        round=round,
        rater=rater,
        done=done,
        total=30,
        skipped=1,
        faults=2,
        median_seconds=83.4,
        per_hour=None,
        **more,
    )


def laid(home: Path, done: int) -> None:
    """Progress, controls, and the main round's ratings once more as those of a calibration round."""
    folder = home / "annotate"
    rounds = ("calibration", "main")
    write_jsonl(
        folder / "progress.jsonl", [row(r, done if n == "main" else 30, n) for n in rounds for r in "abc"]
    )
    write_jsonl(
        folder / "noticed.jsonl",
        [Noticed(rater=r, control="wrong_value", n=4, noticed=k) for k, r in enumerate("abc")],
    )
    ratings = list(read_jsonl(folder / "ratings.jsonl", Rating))
    write_jsonl(
        folder / "ratings.jsonl",
        [*ratings, *(r.model_copy(update={"round": "calibration"}) for r in ratings)],
    )


def text(home: Path) -> str:
    page = (home / "analysis" / "report.html").read_text()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split('id="grading"')[1].split("</section>")[0]))


def test_the_report_shows_a_finished_grading(trial: Any) -> None:
    laid(trial.home, 30)
    assert run(trial.study, trial.home)
    said = text(trial.home)
    assert "How the grading went" in said
    assert "still to come" not in said
    assert "main a 30 30 1 2 83 –" in said
    for n, rater in enumerate("abc"):
        assert f"{rater} {n} of 4" in said
    assert (
        "Of 30 rationales, 30 were accepted, by the rule: majority. 0 were decided by an adjudicator" in said
    )
    found = grading(trial.home, 1)
    assert found is not None
    assert [a.dimension for a in found.calibration] == ["accuracy", "accept"]
    assert {a.n_items for a in found.calibration} == {30}
    assert f"{found.calibration[0].value:.2f} for accuracy" in said


def test_the_report_shows_a_grading_under_way(trial: Any) -> None:
    laid(trial.home, 21)
    assert run(trial.study, trial.home)
    assert "27 forms are still to come" in text(trial.home)


def test_nobody_grades_and_nothing_is_said(trial: Any) -> None:
    assert grading(trial.home, 1) is None
    assert run(trial.study, trial.home)
    assert 'id="grading"' not in (trial.home / "analysis" / "report.html").read_text()


def test_a_judge_is_reported_apart_from_people(trial: Any) -> None:
    laid(trial.home, 30)
    folder = trial.home / "annotate"
    assert run(trial.study, trial.home)
    before = text(trial.home)
    assert "language model" not in before
    ratings = list(read_jsonl(folder / "ratings.jsonl", Rating))
    main = [r for r in ratings if r.round == "main" and r.rater == "a"]
    said = {(r.rationale, r.dimension): r.value for r in main}
    real = [
        r.model_copy(update={"simulated": False, "value": said[r.rationale, r.dimension]}) for r in ratings
    ]
    write_jsonl(folder / "ratings.jsonl", real)  # everybody says what rater a says
    judged = [r.model_copy(update={"rater": "judge", "round": "judge", "simulated": False}) for r in main]
    planted = judged[0].model_copy(update={"item": "planted", "value": "3"})
    write_jsonl(folder / "judge_ratings.jsonl", [*judged, planted])
    row = Anchoring(dimension="accuracy", blind=0.5, assisted=0.75, n_blind=60, n_assisted=20)
    write_jsonl(
        folder / "anchoring.jsonl", [row, row.model_copy(update={"dimension": "accept", "n_assisted": 0})]
    )
    (trial.home / "analysis" / "manifest.json").unlink()
    assert run(trial.study, trial.home)
    after = text(trial.home)
    assert "main accuracy 30 100 % 1.00" in html.unescape(after)
    assert "in 75 % of answers about accuracy, against 50 % of those who did not." in after
    assert "1 of 4" in after, "what people noticed stays as it was"
