"""How the classes of the outcome are written by a tokenizer: one token each if possible, else scored exactly."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...study.errors import StudyError

Ids = tuple[int, ...]


@dataclass(frozen=True)
class LabelSet:
    """The classes as text and as tokens; the place is the class."""

    words: tuple[str, ...]
    """As they are written behind `Answer:`."""
    tokens: tuple[Ids, ...]
    """None begins another, so the probability of each is that of its tokens in turn."""

    @property
    def single(self) -> bool:
        """Whether every class is one token."""
        return all(len(ids) == 1 for ids in self.tokens)


def label_set(words: Sequence[str], encode: Callable[[str], Ids], unknown: int | None, name: str) -> LabelSet:
    """The first spelling in which every class is one token of its own; else the first that can be told apart.

    Args:
        words: of the classes, such as ("no", "yes").
        encode: the tokens of a word behind the answer's frame.
        unknown: the tokenizer's token for what it cannot write.
        name: of the base, for errors.
    Raises:
        StudyError: no spelling keeps the classes apart.
    """
    sets = [LabelSet(spelled, tuple(map(encode, spelled))) for spelled in spellings(words)]
    usable = [s for s in sets if _apart(s.tokens) and not any(unknown in ids for ids in s.tokens)]
    if not usable:
        raise StudyError(
            f"{name}: the tokenizer cannot keep {' and '.join(map(repr, words))} apart (tried "
            f"{', '.join(repr(s.words[-1]) for s in sets)}). Choose another base, or other train.labels."
        )
    return next((s for s in usable if s.single), usable[0])


def spellings(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Ways to write the classes, the preferred first.

    >>> list(spellings(["no", "yes"]))[:3]
    [(' no', ' yes'), ('no', 'yes'), (' No', ' Yes')]
    """
    forms: tuple[Callable[[str], str], ...] = (
        lambda w: f" {w}",
        lambda w: w,
        lambda w: f" {w.capitalize()}",
        lambda w: w.capitalize(),
        lambda w: f" {w.upper()}",
        lambda w: w.upper(),
    )
    for form in forms:
        yield tuple(form(w.strip()) for w in words)


def _apart(tokens: Sequence[Ids]) -> bool:
    """No class is empty, and none begins another."""
    return all(ids for ids in tokens) and not any(
        a == b[: len(a)] for i, a in enumerate(tokens) for j, b in enumerate(tokens) if i != j
    )
