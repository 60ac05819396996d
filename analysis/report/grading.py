"""How the grading went, as the report shows it: progress, calibration, and who noticed the planted controls."""

from pathlib import Path
from typing import NamedTuple

from ...annotate.records import Anchoring, Noticed, RaterProgress, Rating, Rubric, Verdict
from ...study import layout
from ...study.files import rows
from ...study.records import read_record
from ..agreement import agreements
from ..agreement.judged import JudgeRow, with_judge
from ..records import Agreement

CALIBRATION = "calibration"


class GradingOverview(NamedTuple):
    """What the annotate stage says of itself, finished or not."""

    raters: tuple[RaterProgress, ...]
    waiting: int
    """Forms that are still to come; 0 when all are in."""
    calibration: tuple[Agreement, ...]
    """Alpha on the items that everybody graded first."""
    noticed: tuple[Noticed, ...]
    verdicts: tuple[Verdict, ...]
    judge: tuple[JudgeRow, ...]
    """A language model that graded by the same rubric, beside the people's consensus."""
    anchoring: tuple[Anchoring, ...]


def grading(home: Path, seed: int) -> GradingOverview | None:
    """What is known of the grading so far; None where nobody grades."""
    folder = home / "annotate"
    raters = rows(folder / layout.PROGRESS.name, RaterProgress)
    if not raters:
        return None
    verdicts = rows(folder / layout.VERDICTS.name, Verdict)
    return GradingOverview(
        raters=tuple(raters),
        waiting=sum(r.total - r.done for r in raters),
        calibration=tuple(_calibration(folder, seed)),
        noticed=tuple(rows(folder / layout.NOTICED.name, Noticed)),
        verdicts=tuple(verdicts),
        judge=tuple(_judge(folder, seed)),
        anchoring=tuple(rows(folder / layout.ANCHORING.name, Anchoring)),
    )


def _calibration(folder: Path, seed: int) -> list[Agreement]:
    given = [r for r in rows(folder / layout.RATINGS.name, Rating) if r.round == CALIBRATION]
    if not given:
        return []
    rubric = read_record(folder / layout.RUBRIC.name, Rubric)
    as_main = [r.model_copy(update={"round": "main"}) for r in given]
    return [a for a in agreements(as_main, rubric, seed) if a.statistic == "krippendorff_alpha"]


def _judge(folder: Path, seed: int) -> list[JudgeRow]:
    judged = rows(folder / layout.JUDGE_RATINGS.name, Rating)
    if not judged:
        return []
    rubric = read_record(folder / layout.RUBRIC.name, Rubric)
    return with_judge(rubric, judged, rows(folder / layout.RATINGS.name, Rating), seed)
