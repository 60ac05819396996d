"""What the fits learned from: training people with the outcome, and rationales that failed a check or a verdict."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..annotate.records import Verdict
from ..study import layout
from ..study.config import Study
from ..study.files import rows
from ..synth.records import Grounding, Rationale
from ..train import corpus
from ..train.settings import Settings as TrainSettings
from ..train.targets import TARGETS
from .cells import CellState, arm
from .records import Taught


def taught(study: Study, run_folder: Path, cells: Sequence[CellState]) -> Iterator[Taught]:
    """One row an arm and training size of the finished fits."""
    done = [s.cell for s in cells if s.state == "done"]
    if not done:
        return
    settings = study.section("train", TrainSettings)
    order = corpus.order_for(study, run_folder, settings)
    corpora = {
        name: corpus.read(run_folder, name, settings) for name in {c.corpus for c in done if _style(c.target)}
    }
    folders = {corpus.told(run_folder, corpus.source(run_folder, c.corpus)) for c in done} - {None}
    written = {r.id: r for f in folders if f for r in rows(f / layout.RATIONALES.name, Rationale)}
    checks = {g.rationale: g for f in folders if f for g in rows(f / layout.GROUNDINGS.name, Grounding)}
    verdicts = {v.rationale: v for v in rows(layout.VERDICTS.at(run_folder), Verdict)}
    seen: set[tuple[str, int]] = set()
    for cell in done:
        if (arm(cell), cell.n) in seen:
            continue
        seen.add((arm(cell), cell.n))
        cases, style = order[: cell.n], _style(cell.target)
        texts = [
            corpora[cell.corpus][c.id, style]
            for c in cases
            if style and (c.id, style) in corpora[cell.corpus]
        ]
        states = [_state(r, written, checks) for r in texts]
        judged = [verdicts[r.id] for r in texts if r.id in verdicts]
        yield Taught(
            target=arm(cell),
            n=len(cases),
            n_positive=sum(c.label == 1 for c in cases),
            rationales=len(texts),
            faulty=states.count("fault"),
            undecided=states.count("undecided"),
            rejected=sum(v.state == "rejected" for v in judged),
            graded=len(judged),
        )


def _style(target: str) -> str | None:
    return TARGETS[target].style if target in TARGETS else None


def _state(r: Rationale, written: dict[str, Rationale], checks: dict[str, Grounding]) -> str:
    """What the check found of a rationale as it is taught: faults that were taken out of it count no more."""
    grounding, original = checks.get(r.id), written.get(r.id)
    if grounding is None or original is None:
        return "unchecked"
    kept = set(r.claims)
    verdicts = {c.verdict for c in grounding.checks if original.claims[c.claim] in kept}
    return "fault" if "fault" in verdicts else "undecided" if "undecided" in verdicts else "supported"
