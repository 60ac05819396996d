"""Names of items and raters that differ only in case and blanks."""

import pandas as pd

from .words import folded, tidy


def joined_names(ratings: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """One spelling for each rater and item.

    Spellings are joined unless that gives a rater two ratings of one item, which says that two were meant.

    Args:
        ratings: see `answers.COLUMNS`.
        notes: what was joined, or left apart, is added.
    """
    for role in ("rater", "item"):
        names = pd.unique(ratings[role])
        by_key: dict[str, list[str]] = {}
        for n in names:
            by_key.setdefault(folded(n), []).append(n)
        several = [same for same in by_key.values() if len(same) > 1]
        if not several:
            tidied = {n: tidy(n) for n in names}
            if any(n != t for n, t in tidied.items()):
                ratings = ratings.assign(**{role: ratings[role].map(tidied)})
            continue
        spelling = {n: tidy(same[0]) for same in by_key.values() for n in same}
        joined = ratings.assign(**{role: ratings[role].map(spelling)})
        shown = "; ".join(" and ".join(map(repr, same[:3])) for same in several[:3])
        key = ["item", "rater", "dimension", "group", "replicate"]
        if joined.duplicated(key).sum() > ratings.duplicated(key).sum():
            notes.append(
                f"{role}s that differ only in case or blanks are kept apart, as they meet in one place: {shown}"
            )
            continue
        notes.append(f"{role}s that differ only in case or blanks are taken as one: {shown}")
        ratings = joined
    return ratings
