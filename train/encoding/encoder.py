"""Text with loss groups becomes token ids with loss groups. Each segment is encoded alone, so no token straddles."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...study.errors import DataError, StudyError
from ..records import Example, Segment
from ..targets import LABELS

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
            DataError: it is longer than `max_length` even without any history.
        """
        end = [] if example.end is None else [(self.tokenizer.eos_token_id, GROUPS[example.end])]
        tokens, cut = self._fitting(example.segments, self.max_length - len(end))
        ids, groups = zip(*tokens, *end, strict=True)
        return Row(example.case, ids, groups, cut)

    def ids(self, segments: Iterable[Segment]) -> list[int]:
        """Token ids of what stands before the label, for a read-out."""
        return [token for token, _ in self._fitting(tuple(segments), self.max_length)[0]]

    def text_ids(self, text: str) -> list[int]:
        """Token ids of a piece of text, without start or end."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _fitting(self, segments: tuple[Segment, ...], most: int) -> tuple[list[tuple[int, int]], bool]:
        """(token, group) pairs, at most so many: a prompt that is too long loses whole lines from its front."""
        rest = [pair for s in segments[1:] for pair in self._pairs(s)]
        prompt = segments[0]
        found = self._turn(prompt)
        while len(found) + len(rest) > most:
            _, _, shorter = prompt.text.partition("\n")
            if not shorter:
                raise DataError(
                    f"train.max_length: {most} tokens do not hold the question and an answer of {len(rest)} tokens "
                    f"(it ends {segments[-1].text[-30:]!r}). Raise it."
                )
            prompt = Segment(text=shorter, group=prompt.group)
            found = self._turn(prompt)
        return found + rest, prompt is not segments[0]

    def _turn(self, prompt: Segment) -> list[tuple[int, int]]:
        """The prompt as the model's conversation or text begins with it."""
        text = prompt.text
        if self.chat:
            text = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
            )
        return [(token, PROMPT) for token in [*self.start, *self.text_ids(text)]]

    def _pairs(self, segment: Segment) -> list[tuple[int, int]]:
        if segment.text in LABELS:
            return [(self.labels[LABELS.index(segment.text)], GROUPS[segment.group])]
        return [(token, GROUPS[segment.group]) for token in self.text_ids(segment.text)]


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
