"""Text with loss groups becomes token ids with loss groups. Each segment is encoded alone, so no token straddles."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..study.errors import DataError, StudyError
from .records import Example, Segment
from .targets import LABELS

PROMPT, RATIONALE, LABEL = 0, 1, 2
GROUPS = {"prompt": PROMPT, "rationale": RATIONALE, "label": LABEL}

_WORDS = (LABELS, ("no", "yes"), (" No", " Yes"), ("No", "Yes"), (" 0", " 1"), ("0", "1"))
"""Tried in this order until both words are one token."""


@dataclass(frozen=True)
class Row:
    """An example as a model takes it."""

    case: str
    ids: tuple[int, ...]
    groups: tuple[int, ...]
    """Of every token: 0 prompt (never counts), 1 rationale, 2 label. The first is always 0: nothing foretells it."""
    truncated: bool = False


class Encoder:
    """A tokenizer that knows the label's two tokens and the loss groups.

    Raises:
        StudyError: the tokenizer has no pair of one-token words for no and yes.
    """

    def __init__(self, tokenizer: Any, max_length: int, chat: bool = False) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.chat = chat
        self.start: list[int] = [] if chat else _start(tokenizer)
        self.labels = label_tokens(tokenizer)
        """Token ids of (no, yes)."""

    def row(self, example: Example) -> Row:
        """Encode a whole example.

        Raises:
            DataError: what the model is to write alone is longer than `max_length`.
        """
        ids, groups, cut = self._encode(example.segments)
        if example.end is not None:
            ids, groups = [*ids, self.tokenizer.eos_token_id], [*groups, GROUPS[example.end]]
            over = len(ids) - self.max_length
            if over > 0:
                ids, groups, cut = self._cut(ids, groups, over, example.segments)
        return Row(example.case, tuple(ids), tuple(groups), cut)

    def ids(self, segments: Iterable[Segment]) -> list[int]:
        """Token ids of what stands before the label, for a read-out."""
        return self._encode(tuple(segments))[0]

    def text_ids(self, text: str) -> list[int]:
        """Token ids of a piece of text, without start or end."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _encode(self, segments: tuple[Segment, ...]) -> tuple[list[int], list[int], bool]:
        ids, groups = list(self.start), [PROMPT] * len(self.start)
        for i, s in enumerate(segments):
            text = self._turn(s.text) if self.chat and i == 0 else s.text
            piece = [self.labels[LABELS.index(text)]] if s.group == "label" else self.text_ids(text)
            ids += piece
            groups += [GROUPS[s.group]] * len(piece)
        over = len(ids) - self.max_length
        return self._cut(ids, groups, over, segments) if over > 0 else (ids, groups, False)

    def _cut(
        self, ids: list[int], groups: list[int], over: int, segments: tuple[Segment, ...]
    ) -> tuple[list[int], list[int], bool]:
        """Take `over` tokens from the front of the prompt, behind the start token: the oldest history goes first."""
        front = len(self.start)
        if groups[front : front + over] != [PROMPT] * over:
            raise DataError(
                f"train.max_length: {len(ids)} tokens, and without the history still more than "
                f"{self.max_length}, in an example that begins {segments[0].text[:40]!r}. Raise it."
            )
        return ids[:front] + ids[front + over :], groups[:front] + groups[front + over :], True

    def _turn(self, text: str) -> str:
        turn: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
        )
        return turn


def label_tokens(tokenizer: Any) -> tuple[int, int]:
    """Ids of two words, no and yes, that are one token each.

    Raises:
        StudyError: there is no such pair.
    """
    for words in _WORDS:
        no, yes = (tokenizer(w, add_special_tokens=False)["input_ids"] for w in words)
        if len(no) == len(yes) == 1 and no != yes and tokenizer.unk_token_id not in (no[0], yes[0]):
            return no[0], yes[0]
    raise StudyError(
        f"bases: the tokenizer {tokenizer.name_or_path!r} writes none of {[w[1] for w in _WORDS]} as one token, "
        "so no risk can be read from it. Choose another base model."
    )


def _start(tokenizer: Any) -> list[int]:
    """The begin-of-text token where the tokenizer writes one, else nothing."""
    found: list[int] = tokenizer("")["input_ids"]
    return [tokenizer.bos_token_id] if found[:1] == [tokenizer.bos_token_id] else []
