"""How risk is read from a fine-tuned model: always the probability of the label's tokens, never a sampled word.

What differs is what stands before the label: nothing (`direct`), what the model itself wrote (`own_rationale`), or
what the teacher wrote (`teacher_rationale`), which shows how much of the label a rationale gives away.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ...cohort.records import Case
from ...study.parts import Catalogue
from ...synth.records import Rationale
from ..encoding.encoder import Encoder
from ..encoding.history import History
from ..records import Prediction, Segment
from ..settings import Settings
from ..targets import LABELS, Target

if TYPE_CHECKING:
    from .engine import Engine
    from .served import ServedEngine
    from .writing import Stop, Written

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
    histories: Callable[[Case], History] = field(default=History)
    """Shortens a case to what the base can be shown."""

    @cached_property
    def engine(self) -> "Engine":
        """Asks the model in this process."""
        from .engine import Engine

        return Engine(self.model, self.encoder, self.settings.read_batch)

    @cached_property
    def server(self) -> "ServedEngine | None":
        """Asks the server, where there is one."""
        from .served import ServedEngine

        served = self.settings.served
        return ServedEngine(served, self.encoder, served.model.format(cell=self.cell)) if served else None

    def prompt(self, case: Case) -> list[int]:
        """Token ids of what every read-out of a case begins with."""
        examples = self.target.build(self.histories(case).case, None, self.settings.question)
        return self.encoder.before(examples[0].segments, 1)

    def before_label(self, case: Case, rationale: Rationale | None) -> list[int]:
        """Token ids up to the place of the label: at once, or behind a rationale."""
        examples = self.target.build(self.histories(case).case, rationale, self.settings.question)
        return self._before(examples[0 if rationale is None else -1].segments, lambda s: s.text in LABELS)

    def before_reasons(self, case: Case) -> list[int]:
        """Token ids up to the place of the rationale, for targets that write it first."""
        examples = self.target.build(self.histories(case).case, None, self.settings.question)
        return self._before(examples[-1].segments, lambda s: s.group == "rationale")

    def _before(self, segments: Sequence[Segment], stop: Callable[[Segment], bool]) -> list[int]:
        return self.encoder.before(segments, [stop(s) for s in segments].index(True))

    def risks(self, prefixes: Sequence[Sequence[int]]) -> list[float]:
        """P(yes) / (P(no) + P(yes)) behind each prefix."""
        through_server = self.server is not None and self.server.served.risks == "server"
        engine = self.server if self.server is not None and through_server else self.engine
        return [float(p) for p in engine.probabilities(prefixes)[:, 1]]

    def write(self, prefixes: Sequence[Sequence[int]]) -> "list[Written]":
        """What the model writes greedily behind each prefix until it opens its answer, and the risk behind that."""
        if self.server is None:
            return self.engine.write(prefixes, self.stop)
        written = self.server.write(prefixes, self.stop)
        if self.server.served.risks == "server":
            return written
        rows = [[*row, *self.encoder.answer_ids(w.text)] for row, w in zip(prefixes, written, strict=True)]
        return [
            replace(w, probabilities=p) for w, p in zip(written, self.engine.probabilities(rows), strict=True)
        ]

    @cached_property
    def stop(self) -> "Stop":
        """When a text that the model writes is at its end."""
        from .engine import ends
        from .writing import Stop

        return Stop(self.encoder.answer_frame, ends(self.model, self.encoder), self.settings.max_new_tokens)

    def predictions(self, names: Iterable[str], cases: Sequence[Case]) -> list[Prediction]:
        """Every read-out of every case, read-out by read-out; a prompt goes through the model once for all."""
        names = list(names)
        size = self.settings.read_batch
        length = {c.id: len(self.before_label(c, None)) for c in cases}
        order = sorted(cases, key=lambda c: -length[c.id])
        found: dict[tuple[str, str], Prediction] = {}
        for batch in (order[k : k + size] for k in range(0, len(order), size)):
            if len(names) > 1:
                self.engine.prime([self.prompt(c) for c in batch])
            for name in names:
                found |= {(name, p.case): p for p in READOUTS[name].read(self, batch)}
        return [found[name, c.id] for name in names for c in cases]


def direct(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label at once: behind an empty rationale, or in its place at the front."""
    risks = reader.risks([reader.before_label(c, None) for c in cases])
    return [_prediction(reader, "direct", c, p) for c, p in zip(cases, risks, strict=True)]


def own_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the rationale that the model writes greedily.

    Where it does not come to its answer within `max_new_tokens`, or only repeats itself, the answer's frame is set
    behind what it wrote and the risk is read all the same; `unfinished` says so.
    """
    written = reader.write([reader.before_reasons(c) for c in cases])
    return [
        _prediction(reader, "own_rationale", c, w.risk, written=w.text, unfinished=not w.finished)
        for c, w in zip(cases, written, strict=True)
    ]


def teacher_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the teacher's rationale, which was written by someone who knew it."""
    explained = [c for c in cases if c.id in reader.rationales]
    risks = reader.risks([reader.before_label(c, reader.rationales[c.id]) for c in explained])
    risk = {c.id: p for c, p in zip(explained, risks, strict=True)}
    return [_prediction(reader, "teacher_rationale", c, risk.get(c.id)) for c in cases]


def _prediction(
    reader: Reader,
    readout: str,
    case: Case,
    risk: float | None,
    written: str | None = None,
    unfinished: bool = False,
) -> Prediction:
    return Prediction(
        cell=reader.cell,
        readout=readout,
        case=case.id,
        risk=risk,
        why_missing=NO_RATIONALE if risk is None else None,
        written=written,
        unfinished=unfinished,
    )


@dataclass(frozen=True)
class Readout:
    """A way to read risk, and whether it needs a target that writes its reasons first."""

    read: Callable[[Reader, Sequence[Case]], list[Prediction]]
    label: str = ""
    """As it reads in a sentence, behind "read"; the name where empty."""
    needs_reasons_first: bool = False
    native: Literal["reasons_first", "label_first"] | None = None
    """Which targets are taught in this very format; the headline compares every target in its own."""
    hindsight: bool = False
    """It is given what someone wrote who knew the outcome: a measure of leakage, no prediction."""

    def fits(self, target: Target) -> bool:
        """Whether a model taught this target can be read so."""
        return target.reasons_first or not self.needs_reasons_first

    def is_native(self, target: Target) -> bool:
        """Whether this is the format that the target is taught in."""
        return self.native == target.format


_READOUTS: dict[str, Readout] = {
    "direct": Readout(direct, "directly", native="label_first"),
    "own_rationale": Readout(
        own_rationale, "after its own rationale", needs_reasons_first=True, native="reasons_first"
    ),
    "teacher_rationale": Readout(
        teacher_rationale, "after the teacher's rationale", needs_reasons_first=True, hindsight=True
    ),
}

READOUTS = Catalogue("wherefore.readouts", "read-out", Readout, _READOUTS)
"""By the name in `[train] readouts`; other packages add to it by entry points."""
