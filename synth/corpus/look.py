"""A rationale beside its evidence, as text for a terminal."""

from collections.abc import Iterator
from pathlib import Path

from ...study import layout
from ...study.errors import DataError, StudyError, not_one_of
from ...study.records import read_jsonl
from ..grounding.outcomes import DOUBTS, FAULTS
from ..histories import histories
from ..records import Grounding, Rationale
from ..teaching import History

MARKS = {"supported": "ok", "fault": "FAULT", "undecided": "?"}
OUTCOMES = {"supported": "supported", "fault": "with a fault", "undecided": "undecided"}


def look(home: Path, case: str | None = None, fault: str | None = None) -> Iterator[str]:
    """Rationales of a run folder in their order, each with its evidence and the grounding check.

    Args:
        home: the run folder.
        case: only about this one; the beginning of its id will do.
        fault: only with this fault or doubt, a name in `synth/grounding/outcomes.py`; `any`: with any fault;
            `undecided`: with any doubt.
    Raises:
        StudyError: no such fault.
        DataError: there is no corpus.
    """
    names = ("any", "undecided", *FAULTS, *DOUBTS)
    if fault is not None and fault not in names:
        raise StudyError(f"--fault: {not_one_of('fault', fault, names)}")
    folder = home / "synth"
    if not (folder / layout.RATIONALES.name).exists():
        raise DataError(f"{folder}: no corpus. Run `wherefore synth` first.")
    pairs = zip(
        read_jsonl(folder / layout.RATIONALES.name, Rationale),
        read_jsonl(folder / layout.GROUNDINGS.name, Grounding),
        strict=True,
    )
    stream = histories(home / "cohort", ("train", "tuning", "held_out"))
    history: History | None = None
    for rationale, grounding in pairs:
        while history is None or history.case.id != rationale.case:
            history = next(stream, None)
            if history is None:
                raise DataError(
                    f"{folder / 'rationales.jsonl'}: case {rationale.case!r} is not in the cohort. "
                    "Run `wherefore synth` for the cohort as it is now."
                )
        if rationale.case.startswith(case or "") and (fault is None or fault in _names(grounding)):
            yield page(rationale, grounding, history)


def _names(grounding: Grounding) -> set[str]:
    """Every name by which `look` finds a rationale."""
    faults = {c.fault for c in grounding.checks if c.fault}
    doubts = {c.doubt for c in grounding.checks if c.doubt}
    return faults | doubts | ({"any"} if faults else set()) | ({"undecided"} if doubts else set())


def page(rationale: Rationale, grounding: Grounding, history: History) -> str:
    """One rationale: who wrote it, and under each claim the lines that it cites and what the check says."""
    case = history.case
    lines = {e.id: e for e in history.evidence}
    out = [
        f"{rationale.id}  case {case.id}, {case.split}, outcome {case.label}  by {rationale.teacher}, "
        f"style {rationale.style}, argues for {rationale.verdict}",
        "  "
        + ", ".join(f"{grounding.count(v)} {word}" for v, word in OUTCOMES.items())
        + f"; {grounding.facts} facts of the record checked",
    ]
    section = ""
    for claim, check in zip(rationale.claims, grounding.checks, strict=True):
        if claim.section != section:
            section = claim.section
            out.append(f"{section}:")
        out.append(f"  {MARKS[check.verdict]:5} {claim.text}")
        for i in claim.cites:
            e = lines.get(i)
            out.append(
                f"          {e.line if e else f'[{i}] is no line of the history'}"
                + ("" if not e or e.shown else "  (not shown)")
            )
        if check.fault or check.doubt:
            out.append(f"          {check.fault or check.doubt}: {check.why}")
    return "\n".join(out)
