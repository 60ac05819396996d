"""A fitted model and what it is asked: the texts before a label, what the model writes, and the risks behind both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...cohort.records import Case
from ...study.seeds import derive
from ...synth.records import Claim, Rationale
from ..encoding.encoder import Encoder
from ..encoding.history import ShownHistory
from ..records import Prediction, Segment
from ..settings import Decoding, Settings
from ..targets import LABELS, Target

if TYPE_CHECKING:
    from .engine import Engine
    from .served import ServedEngine
    from .writing import Stop, TokenSampling, WrittenText

NO_RATIONALE = "no_rationale"
"""Why a prediction is missing: there is no rationale for the case."""


@dataclass(frozen=True)
class Ask:
    """A read-out by its name, with the numbers and words in it."""

    name: str = ""
    k: int = 0
    options: frozenset[str] = frozenset()
    decoding: Decoding | None = None
    """How text is written; None: as the read-out does by itself, and no label is decoded."""


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
    histories: Callable[[Case], ShownHistory] = field(default=ShownHistory)
    """Shortens a case to what the base can be shown."""
    people: Sequence[Case] = ()
    """All cases of the study: whose rationale is another person's, and who may be a demonstration."""
    usable: Mapping[str, Rationale] = field(default_factory=dict)
    """Rationales that may be shown as demonstrations, by case."""
    learned: Sequence[Case] = ()
    """The cases that the cell is taught with, for a regression on its states."""
    ask: Ask = Ask()
    """What is read now."""
    shared: dict[str, Any] = field(default_factory=dict, repr=False)
    """Engine, server and what was written, for all that is asked of the same model."""

    def asked(self, ask: Ask) -> "Reader":
        """The same reader, asked something else."""
        return replace(self, ask=ask)

    @property
    def engine(self) -> "Engine":
        """Asks the model in this process."""
        if "engine" not in self.shared:
            from .engine import Engine

            self.shared["engine"] = Engine(self.model, self.encoder, self.settings.read_batch)
        engine: Engine = self.shared["engine"]
        return engine

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
        return self.before(examples[0 if rationale is None else -1].segments, lambda s: s.text in LABELS)

    def before_text(self, case: Case, text: str) -> list[int]:
        """Token ids up to the place of the label behind any reasons; at once where they are empty."""
        if not text.strip():
            return self.before_label(case, None)
        rationale = Rationale(
            id=case.id,
            case=case.id,
            style="",
            teacher="",
            claims=(Claim(text=text),),
            label_shown=False,
            key="",
        )
        return self.before_label(case, rationale)

    def before_reasons(self, case: Case) -> list[int]:
        """Token ids up to the place of the rationale, for targets that write it first."""
        examples = self.target.build(self.histories(case).case, None, self.settings.question)
        return self.before(examples[-1].segments, lambda s: s.group == "rationale")

    def before(self, segments: Sequence[Segment], stop: Callable[[Segment], bool]) -> list[int]:
        """Token ids up to the first segment at which to stop."""
        return self.encoder.before(segments, [stop(s) for s in segments].index(True))

    def risks(self, prefixes: Sequence[Sequence[int]]) -> list[float]:
        """P(yes) / (P(no) + P(yes)) behind each prefix."""
        through_server = self.server is not None and self.server.served.risks == "server"
        engine = self.server if self.server is not None and through_server else self.engine
        return [float(p) for p in engine.probabilities(prefixes)[:, 1]]

    def write(
        self,
        prefixes: Sequence[Sequence[int]],
        cases: Sequence[Case] = (),
        samples: int = 1,
        sampling: "TokenSampling | None" = None,
    ) -> "list[WrittenText]":
        """What the model writes behind each prefix until it opens its answer, and the risk behind that.

        Args:
            prefixes: token ids.
            cases: of the prefixes; what is drawn hangs on the case alone, whatever is asked beside it.
            samples: texts a prefix, prefix by prefix.
            sampling: where the read-out's decoding says nothing; None: greedily.
        """
        from .writing import TokenSampling

        if (d := self.ask.decoding) is not None:
            sampling = TokenSampling(d.temperature, d.top_p, d.seed) if d.temperature > 0 else None
        key = (tuple(map(tuple, prefixes)), samples, sampling, self.stop.most)
        known: dict[Any, list[WrittenText]] = self.shared.setdefault("written", {})
        if key not in known:
            seeds = [derive(0, "train", "write", c.id) % 2**48 for c in cases] or None
            known[key] = self._written(prefixes, samples, sampling, seeds)
        return known[key]

    def _written(
        self, prefixes: Sequence[Sequence[int]], samples: int, sampling: "TokenSampling | None", seeds: Any
    ) -> "list[WrittenText]":
        if self.server is None:
            return self.engine.write(prefixes, self.stop, samples, sampling, seeds)
        written = self.server.write(prefixes, self.stop, samples, sampling, seeds)
        if self.server.served.risks == "server":
            return written
        whole = [row for row in prefixes for _ in range(samples)]
        rows = [[*row, *self.encoder.answer_ids(w.text)] for row, w in zip(whole, written, strict=True)]
        return [
            replace(w, probabilities=p) for w, p in zip(written, self.engine.probabilities(rows), strict=True)
        ]

    def decoded(self, rows: Sequence[Sequence[int] | None], cases: Sequence[Case]) -> list[int | None]:
        """The class that the model writes behind each text, under the decoding that is asked; None: it writes none.

        A text that is None never came to its answer.
        """
        from .writing import NEVER, TokenSampling

        d, most = self.ask.decoding, max(len(t) for t in self.encoder.labels.tokens)
        sampling = (
            TokenSampling(d.temperature, d.top_p, d.seed) if d is not None and d.temperature > 0 else None
        )
        present = [(row, c) for row, c in zip(rows, cases, strict=True) if row is not None]
        stop = replace(self.stop, frame=NEVER, most=most, loops=False)
        seeds = [derive(0, "train", "label", c.id) % 2**48 for _, c in present]
        engine = self.engine if self.server is None else self.server
        texts = (
            iter(engine.write([row for row, _ in present], stop, 1, sampling, seeds)) if present else iter(())
        )
        return [None if row is None else self.parsed(next(texts).text) for row in rows]

    def parsed(self, text: str) -> int | None:
        """The class that a text begins with; None where it begins with none.

        The longest word that fits counts, and no letter may follow it: `Yes.` is yes, `yesterday` is no class.
        """
        answer = text.strip().lower()
        words = [(w.strip().lower(), i) for i, w in enumerate(self.encoder.labels.words)]
        for word, i in sorted(words, key=lambda w: -len(w[0])):
            if answer.startswith(word) and not answer[len(word) : len(word) + 1].isalnum():
                return i
        return None

    @property
    def stop(self) -> "Stop":
        """When a text that the model writes is at its end."""
        from .engine import ends
        from .writing import Stop

        d = self.ask.decoding
        most = d.max_new_tokens if d is not None and d.max_new_tokens else self.settings.max_new_tokens
        if "ends" not in self.shared:
            self.shared["ends"] = ends(self.model, self.encoder)
        return Stop(self.encoder.answer_frame, self.shared["ends"], most)

    def prediction(self, readout: str, case: Case, risk: float | None, **more: Any) -> Prediction:
        """A row, under the name that was asked for; the read-out's own where it is called by itself."""
        missing = NO_RATIONALE if risk is None else None
        name = self.ask.name or readout
        return Prediction(cell=self.cell, readout=name, case=case.id, risk=risk, why_missing=missing, **more)
