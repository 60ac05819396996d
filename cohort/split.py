"""Who trains, who tunes, who is held out."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.errors import DataError, StudyError
from .settings import SplitRule

_NAMES = {
    "train": "train",
    "tuning": "tuning",
    "validation": "tuning",
    "held_out": "held_out",
    "test": "held_out",
}


def share(subject: str, seed: int) -> float:
    """A number in [0, 1) that belongs to an id: the same whoever else is in the study.

    >>> share("p1", 0) == share("p1", 0) != share("p1", 1)
    True
    """
    return (
        int.from_bytes(hashlib.blake2b(f"{seed}/{subject}".encode(), digest_size=8).digest(), "big") / 2**64
    )


def split(frame: pd.DataFrame, rule: SplitRule, seed: int) -> NDArray[np.object_]:
    """(rows,) `train`, `tuning` or `held_out`.

    Args:
        frame: columns subject, site, split_given, birth, day.
        rule: of the study.
        seed: of the study.
    Raises:
        StudyError: a site that is not in the data; no split in the records.
        DataError: a person without a split, or with an unknown one.
    """
    u = _shares(frame["subject"], seed)
    if rule.by == "source":
        return _given(frame)
    if rule.by == "person":
        cut = [rule.held_out, rule.held_out + rule.tuning]
        return np.array(["held_out", "tuning", "train"], dtype=object)[np.searchsorted(cut, u, side="right")]
    out = np.where(u < rule.tuning, "tuning", "train").astype(object)
    if rule.by == "site":
        unknown = set(rule.sites) - set(frame["site"].dropna())
        if unknown:
            raise StudyError(
                f"cohort.split.sites: no case comes from {min(unknown)!r}; sites: "
                f"{', '.join(sorted(frame['site'].dropna().unique())) or 'none'}."
            )
        out[frame["site"].isin(rule.sites)] = "held_out"
        return out
    late = frame["birth"] + pd.to_timedelta(frame["day"], unit="D") >= pd.Timestamp(str(rule.after))
    held = set(frame.loc[late, "subject"])
    out[frame["subject"].isin(held)] = "held_out"
    return out


def _shares(subjects: Iterable[str], seed: int) -> NDArray[np.float64]:
    return np.array([share(s, seed) for s in subjects], dtype=float)


def _given(frame: pd.DataFrame) -> NDArray[np.object_]:
    if frame["split_given"].isna().all():
        raise StudyError(
            "cohort.split.by: 'source', but the records name no split for anybody. MEDS has them in "
            f"metadata/subject_splits.parquet, under ids such as {frame['subject'].iloc[0]!r}. Or use 'person'."
        )
    unknown = frame.loc[~frame["split_given"].isin(list(_NAMES)), ["subject", "split_given"]]
    if len(unknown):
        raise DataError(
            f"subject {unknown['subject'].iloc[0]}: split {unknown['split_given'].iloc[0]!r} is not one "
            f"of {', '.join(_NAMES)}."
        )
    return frame["split_given"].map(_NAMES).to_numpy(object)
