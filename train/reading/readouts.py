"""How risk is read from a fine-tuned model: always the probability of the label's two tokens, never a sampled word.

What differs is what stands before the label: nothing (`direct`), what the model itself wrote (`own_rationale`), or
what the teacher wrote (`teacher_rationale`), which shows how much of the label a rationale gives away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...cohort.records import Case
from ...study.parts import Catalogue
from ...synth.records import Rationale
from ..encoding.encoder import Encoder
from ..records import Prediction, Segment
from ..settings import Settings
from ..targets import ANSWER, LABELS, Target

if TYPE_CHECKING:
    from .generate import Written

NO_RATIONALE = "no_rationale"
"""Why a prediction is missing: the teacher gave no rationale for the case."""


@dataclass(frozen=True)
class Reader:
    """A fitted model and what it is asked about."""

    model: Any
    encoder: Encoder
    settings: Settings
    cell: str
    target: Target
    rationales: Mapping[str, Rationale]
    """The teacher's, by case, in the style of the target."""

    def before_label(self, case: Case, rationale: Rationale | None) -> list[int]:
        """Token ids up to the place of the label: at once, or behind a rationale."""
        examples = self.target.build(case, rationale, self.settings.question)
        return self._before(examples[0 if rationale is None else -1].segments, lambda s: s.text in LABELS)

    def before_reasons(self, case: Case) -> list[int]:
        """Token ids up to the place of the rationale, for targets that write it first."""
        examples = self.target.build(case, None, self.settings.question)
        return self._before(examples[-1].segments, lambda s: s.group == "rationale")

    def _before(self, segments: Sequence[Segment], stop: Callable[[Segment], bool]) -> list[int]:
        return self.encoder.ids(segments[: [stop(s) for s in segments].index(True)])

    def risks(self, prefixes: Sequence[Sequence[int]]) -> list[float]:
        """P(yes) / (P(no) + P(yes)) behind each prefix."""
        from .generate import risks

        return risks(self.model, prefixes, self.encoder.labels, self.settings.read_batch)

    def write(self, prefixes: Sequence[Sequence[int]]) -> "list[Written]":
        """What the model writes behind each prefix until it opens its answer."""
        from .generate import write

        return write(
            self.model, prefixes, self.encoder.text_ids(ANSWER),
            self.settings.max_new_tokens, self.settings.read_batch,
        )  # fmt: skip


def direct(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label at once: behind an empty rationale, or in its place at the front."""
    found = reader.risks([reader.before_label(c, None) for c in cases])
    return [_prediction(reader, "direct", c, p) for c, p in zip(cases, found, strict=True)]


def own_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the rationale that the model writes greedily.

    Where it does not come to its answer within `max_new_tokens`, the answer's frame is set behind what it wrote and
    the risk is read all the same; `unfinished` says so.
    """
    starts = [reader.before_reasons(c) for c in cases]
    written = reader.write(starts)
    frame = reader.encoder.text_ids(ANSWER)
    found = reader.risks([[*s, *w.ids, *frame] for s, w in zip(starts, written, strict=True)])
    decode = reader.encoder.tokenizer.decode
    return [
        _prediction(reader, "own_rationale", c, p, written=decode(w.ids).strip(), unfinished=not w.finished)
        for c, p, w in zip(cases, found, written, strict=True)
    ]


def teacher_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the teacher's rationale, which was written by someone who knew it."""
    there = [c for c in cases if c.id in reader.rationales]
    found = reader.risks([reader.before_label(c, reader.rationales[c.id]) for c in there])
    risk = {c.id: p for c, p in zip(there, found, strict=True)}
    return [_prediction(reader, "teacher_rationale", c, risk.get(c.id)) for c in cases]


def _prediction(
    reader: Reader,
    readout: str,
    case: Case,
    risk: float | None,
    written: str | None = None,
    unfinished: bool = False,
) -> Prediction:
    why = NO_RATIONALE if risk is None else None
    return Prediction(
        cell=reader.cell, readout=readout, case=case.id, risk=risk, why_missing=why,
        written=written, unfinished=unfinished,
    )  # fmt: skip


@dataclass(frozen=True)
class Readout:
    """A way to read risk, and whether it needs a target that writes its reasons first."""

    read: Callable[[Reader, Sequence[Case]], list[Prediction]]
    needs_reasons_first: bool = False

    def fits(self, target: Target) -> bool:
        """Whether a model taught this target can be read so."""
        return target.reasons_first or not self.needs_reasons_first


_READOUTS: dict[str, Readout] = {
    "direct": Readout(direct),
    "own_rationale": Readout(own_rationale, needs_reasons_first=True),
    "teacher_rationale": Readout(teacher_rationale, needs_reasons_first=True),
}

READOUTS = Catalogue("wherefore.readouts", "read-out", Readout, _READOUTS)
"""By the name in `[train] readouts`; other packages add to it by entry points."""
