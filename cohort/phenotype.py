"""Code sets and the onset they define."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from ..study.errors import StudyError, did_you_mean
from ..study.records import Record, first_fault
from .events import STATIC, Shard
from .settings import Confirm

if TYPE_CHECKING:
    import pandas as pd

Codes = dict[str, tuple[str, ...]]
"""System -> patterns: a prefix, or a whole code after `=`. System `name` -> words within the name of the code."""


class CodeSet(Record):
    """A disease as its codes, read from a file of `cohort/data/` or the user's own."""

    name: str
    """As it stands in texts: `Alzheimer's disease and related dementias`."""
    onset: Codes
    drugs: Codes = Field(default_factory=dict)
    """That only people with the disease take."""
    inpatient: Codes = Field(default_factory=dict)
    """Of a hospital stay."""
    mci: Codes = Field(default_factory=dict)
    cognitive_tests: Codes = Field(default_factory=dict)
    risk_factors: Codes = Field(default_factory=dict)
    """Known ones; they say only what stays in a timeline when the budget is short."""


def builtin() -> list[str]:
    """Names of the code sets that come with the package."""
    return sorted(f.name.removesuffix(".toml") for f in files("wherefore.cohort").joinpath("data").iterdir()
                  if f.name.endswith(".toml"))  # fmt: skip


def code_set(name: str, path: Path) -> CodeSet:
    """A built-in code set by `name`, or the one in the file `path`.

    A file that says `like = "adrd"` takes the sections that it does not have itself from that built-in set.

    Raises:
        StudyError: neither exists, or the file is not a code set.
    """
    raw = _raw(name, path)
    if (like := raw.pop("like", None)) is not None:
        raw = {**_raw(str(like), Path()), **raw}
    try:
        return CodeSet.model_validate(raw)
    except ValidationError as e:
        raise StudyError(
            f"{name}: {first_fault(e, CodeSet)} A code set has: {', '.join(CodeSet.model_fields)}."
        ) from e


def _raw(name: str, path: Path) -> dict[str, Any]:
    if name in builtin():
        text = files("wherefore.cohort").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
    elif path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        raise StudyError(
            f"cohort.phenotype.codes: {name!r} is no file and no code set; {did_you_mean(name, builtin())}"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise StudyError(f"{name}: not TOML: {e}.") from e


def plain(code: str) -> str:
    """A code as it is compared: without dots, upper case.

    >>> plain("f03.918")
    'F03918'
    """
    return code.replace(".", "").upper()


def matches(codes: "pd.DataFrame", wanted: Codes) -> NDArray[np.bool_]:
    """Which rows of a code table belong to a set.

    Args:
        codes: columns `code`, `system`, `name`.
        wanted: system -> patterns.
    Returns:
        (codes,) of bool.
    """
    found = np.zeros(len(codes), dtype=bool)
    if codes.empty:
        return found
    system, code = codes["system"].to_numpy(object), codes["code"].to_numpy(object)
    for name, patterns in wanted.items():
        if name == "name":
            words = tuple(p.lower() for p in patterns)
            names = [str(text).lower() for text in codes["name"].to_numpy(object)]
            found |= np.array([any(w in text for w in words) for text in names])
            continue
        exact = {plain(p[1:]) for p in patterns if p.startswith("=")}
        prefix = tuple(plain(p) for p in patterns if not p.startswith("="))
        rows = np.flatnonzero(system == name)
        short = [plain(c) for c in code[rows]]
        found[rows] |= np.array([c in exact or c.startswith(prefix) for c in short], dtype=bool)
    return found


def first_day(shard: Shard, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(people,) day of the first dated event whose code is wanted; NaN where there is none."""
    out = np.full(len(shard.people), np.nan)
    hit = np.flatnonzero(wanted[shard.code])
    hit = hit[shard.day[hit] != STATIC]
    out[shard.person[hit][::-1]] = shard.day[hit][::-1]  # sorted by day: the first written last stays
    return out


def onset(shard: Shard, codes: CodeSet, confirm: Confirm) -> NDArray[np.float64]:
    """(people,) day of onset, NaN where there is none; dated at the first code that is confirmed by what follows.

    A confirmation may come after the prediction time or the horizon: it says that the first code was true, and is
    used for the label only, never for the timeline.
    """
    wanted = matches(shard.codes, codes.onset)
    first = first_day(shard, wanted)
    rules = [confirm.again_after_days is not None, confirm.drug, confirm.inpatient]
    if not any(rules):
        return first
    sure = np.zeros(len(first), dtype=bool)
    hit = np.flatnonzero(wanted[shard.code] & (shard.day != STATIC))
    if confirm.again_after_days is not None:
        later = shard.day[hit] - first[shard.person[hit]]
        sure[shard.person[hit][(later >= confirm.again_after_days) & (later <= confirm.within_days)]] = True
    if confirm.drug:
        sure |= ~np.isnan(first_day(shard, matches(shard.codes, codes.drugs)))
    if confirm.inpatient:
        stay = matches(shard.codes, codes.inpatient)[shard.code]
        key = shard.person.astype(np.int64) << 32 | (shard.day.astype(np.int64) & 0xFFFFFFFF)
        sure[shard.person[hit][np.isin(key[hit], key[stay])]] = True
    return np.where(sure, first, np.nan)
