"""Text with loss groups becomes token ids with loss groups.

An example is encoded whole, as the model will meet it, and its tokens are mapped back to its segments by their
characters. Between what is shown and what is taught, and around the label, no token spans the boundary; so what a
read-out puts before the label is to the token what the fit put there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from ...study.errors import DataError, StudyError
from ..records import Example, Segment
from ..targets import ANSWER, LABELS, REASONS
from .controls import ControlledTokenizer
from .labels import LabelSet, label_set
from .template import PLAIN, Turn

PROMPT, RATIONALE, LABEL, AUXILIARY = 0, 1, 2, 3
GROUPS = {"prompt": PROMPT, "rationale": RATIONALE, "label": LABEL, "auxiliary": AUXILIARY}


@dataclass(frozen=True)
class EncodedRow:
    """An example as a model takes it."""

    case: str
    ids: tuple[int, ...]
    groups: tuple[int, ...]
    """Of every token: 0 prompt (never counts), 1 rationale, 2 label, 3 auxiliary. The first is always 0: nothing
    foretells it."""


class _Piece(NamedTuple):
    """A stretch of the text that is encoded."""

    text: str
    segment: int
    """It belongs to; what the template writes belongs to the prompt."""
    label: int | None = None
    """The class, where it is one."""


class Encoder:
    """A tokenizer that knows the conversation, the classes and the loss groups.

    Args:
        tokenizer: of transformers.
        max_length: tokens of an example at most.
        turn: the conversation around a case; none for a base that is not a chat model.
        words: the classes, in the order of their numbers.
        name: of the base, for errors.
    Raises:
        StudyError: the tokenizer cannot keep the classes or the control tokens apart.
    """

    def __init__(
        self,
        tokenizer: Any,
        max_length: int,
        turn: Turn = PLAIN,
        words: Sequence[str] = LABELS,
        name: str = "bases",
    ) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.turn = turn
        self.controls = ControlledTokenizer(tokenizer)
        self.start: list[int] = [] if turn is not PLAIN else _start(tokenizer)
        self.end: int | None = self.controls.first_control(turn.end) or tokenizer.eos_token_id
        """Token that ends an answer."""
        self._words = list(words)
        self.labels: LabelSet = label_set(words, self._behind_answer, tokenizer.unk_token_id, name)
        self._check_boundaries(name)

    def row(self, example: Example) -> EncodedRow:
        """Encode a whole example.

        Raises:
            DataError: it is longer than `max_length`, or its label is not written as the label is elsewhere.
        """
        pieces = self._pieces(example.segments)
        groups = [GROUPS[s.group] for s in example.segments]
        tokens = [(-1, t, PROMPT) for t in self.start]
        tokens += [(i, id_, groups[pieces[i].segment]) for i, id_ in self._tokens(pieces, groups)]
        for i, piece in enumerate(pieces):
            if piece.label is not None and piece.text:
                written = tuple(id_ for at, id_, _ in tokens if at == i)
                if written != self.labels.tokens[piece.label]:
                    raise DataError(
                        f"{example.case}: the label {piece.text!r} is tokenised as part of its text."
                    )
        ids, counted = [t[1] for t in tokens], [t[2] for t in tokens]
        if example.end is not None and self.end is not None:
            ids.append(self.end)
            counted.append(GROUPS[example.end])
        self._check_length(len(ids), example.case)
        return EncodedRow(example.case, tuple(ids), tuple(counted))

    def before(self, segments: Sequence[Segment], stop: int) -> list[int]:
        """Token ids of what stands before segment number `stop`, as they are in the whole example."""
        pieces = self._pieces(segments)
        groups = [GROUPS[s.group] for s in segments]
        edge = next((i for i, p in enumerate(pieces) if p.segment >= stop), len(pieces))
        tokens = [id_ for i, id_ in self._tokens(pieces, groups, edge) if i < edge]
        self._check_length(len(self.start) + len(tokens), "a case")
        return self.start + tokens

    def length(self, segments: Sequence[Segment]) -> int:
        """Tokens of some first segments, whatever the limit."""
        groups = [GROUPS[s.group] for s in segments]
        return len(self.start) + len(self._tokens(self._pieces(segments), groups))

    def text_ids(self, text: str) -> list[int]:
        """Token ids of a piece of text, without start or end; nothing in it is a control token."""
        return [t.id for t in self.controls.tokens(self.controls.plain(text))]

    @property
    def answer_frame(self) -> str:
        """What a model writes between its reasons and its label, as it is decoded."""
        return self.turn.thought.close + ANSWER.strip() if self.turn.thought else ANSWER

    def answer_ids(self, text: str) -> list[int]:
        """Token ids of a text followed by the frame of the answer."""
        c = self.controls
        frame = c.control(self.turn.thought.close) + ANSWER.strip() if self.turn.thought else ANSWER
        return [t.id for t in c.tokens(c.plain(text) + frame)]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens as they are written."""
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def rendered(self, segments: Sequence[Segment]) -> str:
        """The text as the model meets it, for people."""
        ids = [id_ for _, id_ in self._tokens(self._pieces(segments), [GROUPS[s.group] for s in segments])]
        return self.decode(self.start + ids)

    def _pieces(self, segments: Sequence[Segment]) -> list[_Piece]:
        c, turn = self.controls, self.turn
        case = segments[0].text if turn is PLAIN else segments[0].text.strip()
        out = [_Piece(c.control(turn.before), 0), _Piece(c.plain(case), 0), _Piece(c.control(turn.after), 0)]
        thought = turn.thought
        if thought and _opens_with(segments) != REASONS:
            out.append(_Piece(c.control(thought.open + thought.close), 0))
            thought = None
        inside = False
        for number, segment in enumerate(segments[1:], 1):
            text, label = c.plain(segment.text), None
            if segment.text in self._words:
                label = self._words.index(segment.text)
                text = self.labels.words[label]
            elif thought and segment.text == REASONS:
                text, inside = c.control(thought.open), True
            elif thought and inside and segment.text == ANSWER:
                text, inside = c.control(thought.close) + ANSWER.strip(), False
            elif inside:
                text = text.strip()
            out.append(_Piece(text, number, label))
        return out

    def _tokens(
        self, pieces: Sequence[_Piece], groups: Sequence[int], edge: int | None = None
    ) -> list[tuple[int, int]]:
        """(piece, id) of every token; boundaries that matter are not spanned."""
        edges = [0, *accumulate(len(p.text) for p in pieces)]
        cuts = [
            edges[i + 1]
            for i, (a, b) in enumerate(pairwise(pieces))
            if groups[a.segment] != groups[b.segment] or a.label is not None or b.label is not None
        ]
        if edge is not None and edge < len(pieces):
            cuts.append(edges[edge])
        out, i = [], 0
        for token in self.controls.tokens(
            "".join(p.text for p in pieces), (c for c in cuts if 0 < c < edges[-1])
        ):
            at = max(token.start, token.stop - 1)
            while i + 1 < len(pieces) and at >= edges[i + 1]:
                i += 1
            out.append((i, token.id))
        return out

    def _behind_answer(self, word: str) -> tuple[int, ...]:
        """Tokens of a word behind the frame of the answer."""
        pieces = [*self._pieces(_SAMPLE[:2]), _Piece(ANSWER.strip(), 1), _Piece(word, 2, 0)]
        return tuple(id_ for i, id_ in self._tokens(pieces, (PROMPT, PROMPT, LABEL)) if i == len(pieces) - 1)

    def _check_boundaries(self, name: str) -> None:
        """A tokenizer that writes something of its own where a text is parted is refused."""
        label = Segment(text=self._words[-1], group="label")
        pieces, groups = self._pieces([*_SAMPLE, label]), [GROUPS[s.group] for s in (*_SAMPLE, label)]
        whole = [t.id for t in self.controls.tokens("".join(p.text for p in pieces))]
        parted = [id_ for _, id_ in self._tokens(pieces, groups)]
        if self.decode(whole) != self.decode(parted):
            raise StudyError(
                f"{name}: the tokenizer joins the frame of the answer with what follows it, and cannot part them "
                "without adding to the text. Choose another base."
            )

    def _check_length(self, tokens: int, case: str) -> None:
        if tokens > self.max_length:
            raise DataError(
                f"train.max_length: {case} takes {tokens} tokens, {self.max_length} are allowed. Raise max_length, "
                "or train.answer_tokens so that more of the history gives way."
            )


_SAMPLE = (
    Segment(text="[E001] age 66.4 (3.6 y before): Stroke\nAge now: 70.0\n", group="prompt"),
    Segment(text=REASONS, group="prompt"),
    Segment(text=" There was a stroke. [E001]", group="rationale"),
    Segment(text=ANSWER, group="rationale"),
)


def _opens_with(segments: Sequence[Segment]) -> str | None:
    """Which of the two frames comes first."""
    return next((s.text for s in segments[1:] if s.text in (REASONS, ANSWER, ANSWER.strip())), None)


def _start(tokenizer: Any) -> list[int]:
    """The begin-of-text token where the tokenizer writes one, else nothing."""
    empty: list[int] = tokenizer("")["input_ids"]
    return [tokenizer.bos_token_id] if tokenizer.bos_token_id in empty[:1] else []
