"""Corpora that are wrong in one known way, made from the teacher's: what of a rationale does a student need?

Each control keeps everything but one thing: the order of the sentences, whose they are, what they say, how many there
are, or which side they take. A cell of the grid names one in its field `corpus`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..cohort.line import lines
from ..cohort.records import Case
from ..study import layout, parts
from ..study.records import digest, read_jsonl, write_jsonl
from ..study.seeds import derive
from .histories import histories
from .records import Claim, Rationale
from .settings import Settings

Made = tuple[tuple[Claim, ...], int | None] | None
"""Claims and verdict; None where the control cannot be made of this one."""
Control = Callable[[Rationale, Case, "Donors", np.random.Generator], Made]


def corpus(name: str, rationales: list[Rationale], cases: Mapping[str, Case], seed: int) -> list[Rationale]:
    """The control corpus called `name`, in the order of the rationales.

    Args:
        name: in the table below.
        rationales: the teacher's.
        cases: by id, all that the rationales are about.
        seed: of the study.
    Returns:
        One rationale for each that allows it; a rationale without any donor is left out.
    Raises:
        StudyError: no such control.
    """
    make = parts.pick(CONTROLS, "control", name)
    donors = Donors(rationales, cases)
    out = []
    for r in rationales:
        rng = np.random.default_rng(derive(seed, "synth", "control", name, r.id))
        control = make(r, cases[r.case], donors, rng)
        if control is not None:
            claims, verdict = control
            fields = {
                "id": digest([name, r.id]),
                "teacher": f"{r.teacher}+{name}",
                "claims": claims,
                "verdict": verdict,
            }
            out.append(r.model_copy(update=fields))
    return out


def write_controls(settings: Settings, cohort: Path, folder: Path, seed: int) -> None:
    """The control corpora of the study file as `controls/<name>.jsonl`, beside the teacher's."""
    if not settings.controls:
        return
    cases = {h.case.id: h.case for h in histories(cohort, settings.splits)}
    rationales = list(read_jsonl(folder / layout.RATIONALES.name, Rationale))
    for name in settings.controls:
        write_jsonl(folder / "controls" / f"{name}.jsonl", corpus(name, rationales, cases, seed))


class Donors:
    """Rationales by split, style and verdict, to take another patient's from."""

    def __init__(self, rationales: list[Rationale], cases: Mapping[str, Case]) -> None:
        self._cases = cases
        self._groups: dict[tuple[str, str, int | None], list[Rationale]] = defaultdict(list)
        for r in rationales:
            self._groups[cases[r.case].split, r.style, r.verdict].append(r)

    def another(self, r: Rationale, verdict: int | None, rng: np.random.Generator) -> Rationale | None:
        """One of the same split and style about another person; None where there is none."""
        group = self._groups[self._cases[r.case].split, r.style, verdict]
        subject = self._cases[r.case].subject
        start = int(rng.integers(len(group))) if group else 0
        return next(
            (d for d in group[start:] + group[:start] if self._cases[d.case].subject != subject), None
        )


def _shuffled(r: Rationale, case: Case, donors: Donors, rng: np.random.Generator) -> Made:
    """The same sentences in another order; headings stay where they are."""
    order = rng.permutation(len(r.claims))
    moved = tuple(
        r.claims[int(j)].model_copy(update={"section": claim.section})
        for claim, j in zip(r.claims, order, strict=True)
    )
    return moved, r.verdict


def _other_patient(r: Rationale, case: Case, donors: Donors, rng: np.random.Generator) -> Made:
    """Somebody else's rationale for the same verdict: right in tone, about another history."""
    donor = donors.another(r, r.verdict, rng)
    return None if donor is None else (donor.claims, donor.verdict)


def _label_swapped(r: Rationale, case: Case, donors: Donors, rng: np.random.Generator) -> Made:
    """Somebody else's rationale for the opposite verdict."""
    donor = None if r.verdict is None else donors.another(r, 1 - r.verdict, rng)
    return None if donor is None else (donor.claims, donor.verdict)


def _length_matched(r: Rationale, case: Case, donors: Donors, rng: np.random.Generator) -> Made:
    """As many words, saying nothing of anybody."""
    return tuple(
        Claim(text=_words(len(claim.text.split()), rng), section=claim.section) for claim in r.claims
    ), None


def _template(r: Rationale, case: Case, donors: Donors, rng: np.random.Generator) -> Made:
    """The cited lines in one fixed sentence each, whatever the verdict: selection without words."""
    names = {line.id: line.what for line in lines(case.timeline)}
    cited = dict.fromkeys(i for claim in r.claims for i in claim.cites if i in names)
    claims = tuple(Claim(text=f"The history holds {names[i]}.", cites=(i,)) for i in cited)
    return (claims, None) if claims else None


def _truncated(r: Rationale, case: Case, donors: Donors, rng: np.random.Generator) -> Made:
    """The first half, without the conclusion."""
    return (r.claims[: len(r.claims) // 2], None) if len(r.claims) > 1 else None


FILLER = (
    "the following text is kept general on purpose and names no finding of this person so that only its length stays "
    "as it was while everything that could inform a reader about the history has been replaced by words of this kind"
)


def _words(n: int, rng: np.random.Generator) -> str:
    """A sentence of n words, from a random place in the filler."""
    words = FILLER.split()
    start = int(rng.integers(len(words)))
    text = " ".join(words[(start + i) % len(words)] for i in range(max(1, n)))
    return text[0].upper() + text[1:] + "."


CONTROLS: dict[str, Control] = {
    "shuffled": _shuffled,
    "other_patient": _other_patient,
    "label_swapped": _label_swapped,
    "length_matched": _length_matched,
    "template": _template,
    "truncated": _truncated,
}
