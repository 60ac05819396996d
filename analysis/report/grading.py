"""How the grading went, as the report shows it: progress, calibration, and who noticed the planted controls."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...annotate.records import Anchoring, Noticed, Progress, Rating, Rubric, Verdict
from ...study import layout
from ...study.files import rows
from ...study.records import read_record
from ..agreement import agreements, coefficient
from ..records import Agreement

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
    judge: tuple["Judged", ...]
    """A language model that graded by the same rubric, against people's consensus."""
    anchoring: tuple[Anchoring, ...]


class Judged(NamedTuple):
    """Alpha of a judge and the people's consensus on one question about the whole rationale."""

    dimension: str
    alpha: float | None
    n: int


def grading(home: Path, seed: int) -> Grading | None:
    """What is known of the grading so far; None where nobody grades."""
    folder = home / "annotate"
    raters = rows(folder / layout.PROGRESS.name, Progress)
    if not raters:
        return None
    verdicts = rows(folder / layout.VERDICTS.name, Verdict)
    return Grading(
        raters=tuple(raters),
        waiting=sum(r.total - r.done for r in raters),
        calibration=tuple(_calibration(folder, seed)),
        noticed=tuple(rows(folder / layout.NOTICED.name, Noticed)),
        verdicts=tuple(verdicts),
        judge=tuple(_judge(folder, verdicts)),
        anchoring=tuple(rows(folder / layout.ANCHORING.name, Anchoring)),
    )


def _calibration(folder: Path, seed: int) -> list[Agreement]:
    given = [r for r in rows(folder / layout.RATINGS.name, Rating) if r.round == CALIBRATION]
    if not given:
        return []
    rubric = read_record(folder / layout.RUBRIC.name, Rubric)
    as_main = [r.model_copy(update={"round": "main"}) for r in given]
    return [a for a in agreements(as_main, rubric, seed) if a.statistic == "krippendorff_alpha"]


def _judge(folder: Path, verdicts: Sequence[Verdict]) -> list[Judged]:
    judged = rows(folder / layout.JUDGE_RATINGS.name, Rating)
    if not judged:
        return []
    rubric = read_record(folder / layout.RUBRIC.name, Rubric)
    return with_judge(rubric, judged, rows(folder / layout.RATINGS.name, Rating), verdicts)


def with_judge(
    rubric: Rubric, judged: Sequence[Rating], people: Sequence[Rating], verdicts: Sequence[Verdict]
) -> list[Judged]:
    """A judge against the consensus of the people who did not see its grades; planted items are left out."""
    consensus = {v.rationale: v.consensus for v in verdicts}
    seen = {r.item for r in people if r.round == "main"}
    out = []
    for d in rubric.dimensions:
        pairs = [
            (r.value, consensus[r.rationale][d.name])
            for r in judged
            if r.item in seen and r.dimension == d.name and d.name in consensus.get(r.rationale, {})
        ]
        if pairs:
            alpha = coefficient(pairs, "krippendorff_alpha", d.level, categories=d.categories)
            out.append(Judged(d.name, alpha, len(pairs)))
    return out
