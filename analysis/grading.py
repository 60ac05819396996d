"""How the grading went, as the report shows it: progress, calibration, and who noticed the planted controls."""

from pathlib import Path
from typing import NamedTuple

from ..annotate.records import Noticed, Progress, Rating, Rubric, Verdict
from .agreement import agreements
from .example import rows
from .records import Agreement

CALIBRATION = "calibration"


class Grading(NamedTuple):
    """What the annotate stage says of itself, finished or not."""

    raters: tuple[Progress, ...]
    waiting: int
    """Forms that are still to come; 0 when all are in."""
    calibration: tuple[Agreement, ...]
    """Alpha on the items that everybody graded first."""
    noticed: tuple[Noticed, ...]
    verdicts: tuple[Verdict, ...]


def grading(home: Path, seed: int) -> Grading | None:
    """What is known of the grading so far; None where nobody grades."""
    folder = home / "annotate"
    raters = rows(folder / "progress.jsonl", Progress)
    if not raters:
        return None
    return Grading(
        raters=tuple(raters),
        waiting=sum(r.total - r.done for r in raters),
        calibration=tuple(_calibration(folder, seed)),
        noticed=tuple(rows(folder / "noticed.jsonl", Noticed)),
        verdicts=tuple(rows(folder / "verdicts.jsonl", Verdict)),
    )


def _calibration(folder: Path, seed: int) -> list[Agreement]:
    given = [r for r in rows(folder / "ratings.jsonl", Rating) if r.round == CALIBRATION]
    if not given:
        return []
    rubric = Rubric.model_validate_json((folder / "rubric.json").read_text())
    as_main = [r.model_copy(update={"round": "main"}) for r in given]
    return [a for a in agreements(as_main, rubric, seed) if a.statistic == "krippendorff_alpha"]
