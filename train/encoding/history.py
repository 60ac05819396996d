"""A history that is too long for a base is shortened once, alike for every target and read-out of it.

The room is what the base's context leaves beside the longest answer of all: no target is shown less than another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...cohort.line import parse
from ...cohort.records import Case
from ...study.errors import DataError
from ...synth.records import Rationale
from ..records import Segment
from ..targets import ANSWER, LABELS, REASONS, prompt
from .encoder import Encoder

_LONGEST = 32
"""So many of the longest rationales, by characters, are counted in tokens."""


@dataclass(frozen=True)
class ShownHistory:
    """A case as it is shown."""

    case: Case
    removed: frozenset[str] = frozenset()
    """Evidence ids of the lines that gave way."""

    def cited(self, rationale: Rationale | None) -> int:
        """How many of the removed lines a rationale cites."""
        cites = {id_ for claim in rationale.claims for id_ in claim.cites} if rationale else set()
        return len(cites & self.removed)


@dataclass
class Cuts:
    """What was shortened, over the cases of a fit."""

    cases: int = 0
    """Cases that lost lines."""
    lines: int = 0
    cited: int = 0
    """Lines among them that the rationale taught with the case cites."""

    def add(self, history: ShownHistory, rationale: Rationale | None) -> None:
        """Count one case."""
        self.cases += bool(history.removed)
        self.lines += len(history.removed)
        self.cited += history.cited(rationale)


def answer_tokens(encoder: Encoder, rationales: Iterable[Rationale], written: int) -> int:
    """Tokens of the longest answer: a rationale in both frames with its label, or as much as a model may write.

    Args:
        encoder: of the base.
        rationales: of every style and corpus.
        written: tokens that a model may write before its label.
    """
    texts = sorted({r.text for r in rationales}, key=len, reverse=True)[:_LONGEST]
    shown = Segment(text="x\n", group="prompt")
    empty = encoder.length([shown])
    lengths = [encoder.length([shown, *_answer(t)]) - empty for t in ["", *texts]]
    return max(max(lengths), written + lengths[0]) + 2  # the token that ends a text, and a blank


def _answer(text: str) -> Sequence[Segment]:
    parts = [
        (REASONS, "prompt"),
        (f" {text}" if text else "", "rationale"),
        (ANSWER, "rationale"),
        (LABELS[1], "label"),
    ]
    return [Segment.model_validate({"text": t, "group": g}) for t, g in parts]


class HistoryShortener:
    """Shortens cases to what a base can be shown.

    Args:
        encoder: of the base.
        question: asked behind every history.
        answer: tokens that are kept for the answer.
    Raises:
        DataError: the answer leaves less than a quarter of the context for the history.
    """

    def __init__(self, encoder: Encoder, question: str, answer: int) -> None:
        self._encoder, self._question = encoder, question
        self.room = encoder.max_length - answer
        if self.room < encoder.max_length / 4:
            raise DataError(
                f"train.max_length: {encoder.max_length} tokens leave {max(self.room, 0)} for the history beside an "
                f"answer of {answer}. Raise max_length, lower max_new_tokens, or set train.answer_tokens."
            )

    def __call__(self, case: Case) -> ShownHistory:
        """The case with as many lines as there is room for: undated lines stay, the longest past give way first.

        Raises:
            DataError: the question and the undated lines alone are too long.
        """
        if self._tokens(case) <= self.room:
            return ShownHistory(case)
        lines = case.timeline.splitlines()
        order = oldest_first(lines)
        few, many = 1, len(order)  # the fewest lines that have to go, by halving
        while few < many:
            middle = (few + many) // 2
            if self._tokens(without(case, lines, order[:middle])) <= self.room:
                many = middle
            else:
                few = middle + 1
        gone = order[:many]
        short = without(case, lines, gone)
        if self._tokens(short) > self.room:
            raise DataError(
                f"train.max_length: case {case.id}: its question and undated lines alone take "
                f"{self._tokens(short)} tokens, there is room for {self.room}. Raise max_length."
            )
        ids = [line.id for i in gone if (line := parse(lines[i])) is not None]
        return ShownHistory(short, frozenset(ids))

    def _tokens(self, case: Case) -> int:
        return self._encoder.length([prompt(case, self._question)])


def oldest_first(lines: Sequence[str]) -> list[int]:
    """Places of the dated lines of a timeline, the one whose last event is the longest ago first.

    >>> oldest_first(["[E001] Sex: male", "[E002] age 60.0 (9.0 y before): A", "[E003] age 50.0 (19.0 y before): B"])
    [2, 1]
    """
    since: Mapping[int, float] = {
        i: float(line.since if line.ago is None else line.ago)
        for i, text in enumerate(lines)
        if (line := parse(text)) is not None and line.since is not None
    }
    return sorted(since, key=lambda i: (-since[i], i))


def without(case: Case, lines: Sequence[str], gone: Iterable[int]) -> Case:
    """The case without some of its lines, by their places; a heading with nothing under it goes too."""
    away = set(gone)
    kept = [(i, text) for i, text in enumerate(lines) if i not in away]
    full = [text for n, (_, text) in enumerate(kept) if not _bare(text, [t for _, t in kept[n + 1 : n + 2]])]
    return case.model_copy(update={"timeline": "\n".join(full), "n_shown": case.n_shown - len(away)})


def _bare(text: str, following: Sequence[str]) -> bool:
    """A heading that another heading or the end follows."""
    heading = text.endswith(":") and parse(text) is None
    return heading and (not following or (following[0].endswith(":") and parse(following[0]) is None))
