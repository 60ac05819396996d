"""Ratings that are sets of labels: lists in JSON, `a;b` in a cell, boxes that were ticked."""

import ast
import json
from collections.abc import Collection, Sequence
from typing import Any

from ....study.errors import DataError
from .words import folded, tidy

SEPARATORS = (";", "|", " / ", " + ", ",")


def label_sets(
    kinds: Sequence[Any], given: Sequence[int], separator: str | None, dimension: str, notes: list[str]
) -> dict[int, frozenset[str]] | None:
    """Kind -> set of labels; None where the ratings are single values.

    Args:
        kinds: every kind of cell once.
        given: which of them are ratings.
        separator: between labels; None finds it, "" means there are none.
        dimension: for messages.
        notes: what must be said is added.
    Raises:
        DataError: sets beside single values that are no labels.
    """
    sets = {i: kinds[i] for i in given if isinstance(kinds[i], frozenset)}
    texts = {i: kinds[i] for i in given if isinstance(kinds[i], str)}
    lists = {i: s for i, t in texts.items() if (s := written_list(t)) is not None}
    if lists or sets:
        single = {i: frozenset([tidy(t)]) for i, t in texts.items() if i not in lists}
        return _spelled({i: (sets | lists | single)[i] for i in given})
    if separator == "" or not texts:
        return None
    mark = separator or _separator([tidy(t) for t in texts.values()])
    if mark is None:
        return None
    parts = {i: frozenset(tidy(p) for p in t.split(mark) if tidy(p)) for i, t in texts.items()}
    if all(len(p) <= 1 for p in parts.values()):
        if separator:
            raise DataError(f"--label-separator {separator!r}: not found in any cell of {dimension!r}.")
        return None
    several = next(t for i, t in texts.items() if len(parts[i]) > 1)
    notes.append(
        f"ratings are sets of labels, separated by {mark!r}: {several!r}; --label-separator '' takes cells "
        "as they are"
    )
    return _spelled(parts)


def written_list(text: str) -> frozenset[str] | None:
    """The labels of a list that is written out: `["a", "b"]`, `['a', 'b']`, `{"choices": ["a"]}`; else None.

    >>> sorted(written_list("['b', 'a']")), written_list("a, b"), written_list("[]")
    (['a', 'b'], None, frozenset())
    """
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")) and not text.startswith('{"choices"'):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, dict):
            value = value.get("choices")
        if isinstance(value, list | tuple | set) and all(isinstance(x, str | int | float) for x in value):
            return frozenset(tidy(str(x)) for x in value)
    return None


def _separator(texts: Collection[str]) -> str | None:
    """The sign between labels: its parts must come again, alone or in other company."""
    for sign in SEPARATORS:
        split = {t: [tidy(p) for p in t.split(sign)] for t in texts}
        several = {t: parts for t, parts in split.items() if len(parts) > 1}
        if not several or any(not p for parts in several.values() for p in parts):
            continue
        if max(len(p) for parts in split.values() for p in parts) > 60:
            continue
        alone = {folded(parts[0]) for parts in split.values() if len(parts) == 1}
        if _labels(several, alone, strict=sign == ","):
            return sign
    return None


def _labels(several: dict[str, list[str]], alone: set[str], strict: bool) -> bool:
    """The parts are labels of their own.

    With a comma, which sentences have too, every part must occur alone or beside two others; with the other signs
    it is enough that one does.
    """
    beside: dict[str, set[str]] = {}
    for parts in several.values():
        keys = [folded(p) for p in parts]
        if len(set(keys)) < len(keys):
            return False
        for k in keys:
            beside.setdefault(k, set()).update(set(keys) - {k})
    label = [k in alone or len(others) > 1 for k, others in beside.items()]
    return all(label) if strict else any(label)


def _spelled(sets: dict[int, frozenset[str]]) -> dict[int, frozenset[str]]:
    """Each label in the spelling that it has first."""
    first: dict[str, str] = {}
    for labels in sets.values():
        for label in sorted(labels):
            first.setdefault(folded(label), label)
    return {i: frozenset(first[folded(label)] for label in labels) for i, labels in sets.items()}
