"""One person in the report: the timeline beside what the teacher wrote about it, checked and graded."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...annotate.records import Rating, Rubric, Verdict
from ...cohort.records import Case, Evidence
from ...study import layout
from ...study.config import Study
from ...study.reads import exists
from ...study.records import from_frame, read_record
from ...synth.records import Check, Claim, Grounding, Rationale
from ..settings import Settings
from .material import Material


class CheckedClaim(NamedTuple):
    """A claim and what the grounding check found."""

    claim: Claim
    check: Check | None


class Graded(NamedTuple):
    """A dimension and the answers to it, in the words that the raters saw."""

    dimension: str
    answers: tuple[str, ...]


class PersonExample(NamedTuple):
    """Everything that the report shows of one person."""

    case: Case
    evidence: tuple[Evidence, ...]
    cited: frozenset[str]
    rationale: Rationale
    claims: tuple[CheckedClaim, ...]
    grades: tuple[Graded, ...]
    verdict: Verdict | None


def why_not(study: Study, settings: Settings) -> str | None:
    """Why no person may be shown; None where one may."""
    if settings.example == "always":
        return None
    if settings.example == "never":
        return "The study file forbids showing any person's records."
    source = study.cohort.get("source", {})
    name = source.get("name") if isinstance(source, dict) else source
    synthetic = study.data_use is not None and study.data_use.kind == "synthetic"
    if synthetic or name == "simulated":
        return None
    return "The records are real people's, and the study file does not say that one may be shown."


def example(m: Material) -> PersonExample | None:
    """A graded rationale with a fault in it where there is one, so that the checks can be seen at work."""
    if not m.rationales:
        return None
    checks = {g.rationale: g for g in m.groundings}
    chosen = _choice(m.rationales, checks, Counter(r.rationale for r in m.ratings))
    grounding = checks.get(chosen.id)
    by_claim = {c.claim: c for c in grounding.checks} if grounding else {}
    shown = m.evidence[(m.evidence["case"] == chosen.case) & m.evidence["shown"]]
    return PersonExample(
        case=from_frame(m.cases[m.cases["id"] == chosen.case], Case)[0],
        evidence=tuple(from_frame(shown, Evidence)),
        cited=frozenset(e for c in chosen.claims for e in c.cites),
        rationale=chosen,
        claims=tuple(CheckedClaim(c, by_claim.get(i)) for i, c in enumerate(chosen.claims)),
        grades=tuple(_grades(m.run_folder, [r for r in m.ratings if r.rationale == chosen.id])),
        verdict=next((v for v in m.verdicts if v.rationale == chosen.id), None),
    )


def _choice(rationales: Sequence[Rationale], checks: dict[str, Grounding], graded: Counter[str]) -> Rationale:
    def rank(r: Rationale) -> tuple[bool, bool, bool, str]:
        support = checks[r.id].support if r.id in checks else None
        return (not graded[r.id], support is None or not 0.5 < support < 1, r.verdict != 1, r.id)

    return min(rationales, key=rank)


def _grades(run_folder: Path, ratings: Sequence[Rating]) -> list[Graded]:
    path = layout.RUBRIC.at(run_folder)
    if not ratings or not exists(path):
        return []
    rubric = read_record(path, Rubric)
    out = []
    for d in rubric.dimensions:
        word = dict(zip(d.categories, d.anchors or d.categories, strict=True))
        grades = sorted(
            (r for r in ratings if r.dimension == d.name and r.claim is None), key=lambda r: r.rater
        )
        if grades:
            out.append(Graded(d.name, tuple(word[r.value] for r in grades)))
    return out
