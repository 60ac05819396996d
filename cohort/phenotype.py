"""Code sets and the onset they define."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from ..study.errors import StudyError, did_you_mean
from ..study.records import Record, first_fault
from .codes import kind as usual_kind
from .codes import plain
from .events import UNDATED, Shard
from .records import Kind
from .settings import Confirm

if TYPE_CHECKING:
    import pandas as pd

Codes = dict[str, tuple[str, ...]]
"""System -> patterns: a prefix, or a whole code after `=`. System `name` -> words within the name of the code."""


Section = Literal["onset", "drugs", "inpatient", "mci", "cognitive_tests", "risk_factors"]
"""The parts of a code set."""


class CodeSet(Record):
    """A disease as its codes, read from a file of `cohort/data/` or the user's own."""

    name: str
    """As it stands in texts: `Alzheimer's disease and related dementias`."""
    outcome: str = ""
    """One case of it, as a teacher is asked: `Alzheimer's disease or a related dementia`; empty: the name."""
    short: str = ""
    """The same in a word, as a model is asked: `dementia`; empty: the name."""
    onset: Codes
    drugs: Codes = Field(default_factory=dict)
    """That only people with the disease take."""
    inpatient: Codes = Field(default_factory=dict)
    """Of a hospital stay."""
    mci: Codes = Field(default_factory=dict)
    cognitive_tests: Codes = Field(default_factory=dict)
    risk_factors: Codes = Field(default_factory=dict)
    """Known ones; they say only what stays in a timeline when the budget is short."""
    kinds: dict[Section, tuple[Kind, ...]] = Field(default_factory=dict)
    """Kinds of facts that a section may match, where they are others than `matches` says."""


def builtin() -> list[str]:
    """Names of the code sets that come with the package."""
    return sorted(
        f.name.removesuffix(".toml")
        for f in files("wherefore.cohort").joinpath("data").iterdir()
        if f.name.endswith(".toml")
    )


def code_set(name: str, path: Path) -> CodeSet:
    """A built-in code set by `name`, or the one in the file `path`.

    A file that says `like = "adrd"` takes the sections that it does not have itself from that built-in set.

    Raises:
        StudyError: neither exists, or the file is not a code set.
    """
    raw = _raw(name, path)
    if (like := raw.pop("like", None)) is not None:
        other = _raw(str(like), Path())
        words = {"outcome", "short"} if "name" in raw else set()  # another disease has words of its own
        raw = {**{k: v for k, v in other.items() if k not in words}, **raw}
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
            f"cohort.phenotype.codes: {name!r} is neither a file nor a code set; {did_you_mean(name, builtin())}"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise StudyError(f"{name}: not TOML: {e}.") from e


_BESIDE: dict[Section, frozenset[str]] = {
    "onset": frozenset(),
    "drugs": frozenset(),
    "inpatient": frozenset({"visit"}),
    "mci": frozenset({"observation"}),
    "cognitive_tests": frozenset({"measurement", "procedure", "observation"}),
    "risk_factors": frozenset({"observation", "demographic", "measurement"}),
}
"""Kinds of facts that a section matches beside the usual kind of a coding system."""
_NAMED: dict[Section, frozenset[str]] = {
    **_BESIDE,
    "onset": frozenset({"condition"}),
    "drugs": frozenset({"drug"}),
    "mci": frozenset({"condition", "observation"}),
}
_NAMED["risk_factors"] |= {"condition"}
"""The same for words in a name."""


def matches(codes: "pd.DataFrame", wanted: CodeSet, section: Section) -> NDArray[np.bool_]:
    """Which rows of a code table belong to a section of a code set.

    A code counts only as the kind of fact that its system is for: a procedure coded 290 is no dementia, an allergy to
    donepezil no treatment with it.

    Args:
        codes: columns `code`, `system`, `kind`, `name`, `also`; a row belongs when any of its codes does.
        wanted: the code set.
        section: of it.
    Returns:
        (codes,) of bool.
    """
    patterns: Codes = getattr(wanted, section)
    matched = np.zeros(len(codes), dtype=bool)
    if codes.empty or not patterns:
        return matched
    rows, systems, plains = _all_codes(codes)
    kinds = codes["kind"].to_numpy(object)
    for system, of_system in patterns.items():
        allowed = wanted.kinds.get(section) or _kinds(section, system)
        if system == "name":
            words = tuple(p.lower() for p in of_system)
            hit = np.array([any(w in str(name).lower() for w in words) for name in codes["name"]])
        else:
            exact = {plain(p[1:]) for p in of_system if p.startswith("=")}
            prefix = tuple(plain(p) for p in of_system if not p.startswith("="))
            at = np.flatnonzero(systems == system)
            fits = np.array([c in exact or c.startswith(prefix) for c in plains[at]], dtype=bool)
            hit = np.zeros(len(codes), dtype=bool)
            hit[rows[at[fits]]] = True
        matched |= hit if allowed is None else hit & np.isin(kinds.astype(str), list(allowed))
    return matched


def _kinds(section: Section, system: str) -> frozenset[str] | None:
    """Kinds that a section matches under a system; None: any, because the system is the user's own."""
    if system == "name":
        return _NAMED[section]
    usual = usual_kind(system, "")
    return frozenset({usual}) | _BESIDE[section] if usual else None


def _all_codes(codes: "pd.DataFrame") -> tuple[NDArray[np.int64], NDArray[np.object_], NDArray[np.object_]]:
    """(all,) row in the table, system, and plain code of every code, those in `also` included."""
    pairs = [
        (row, system, plain(str(code)))
        for row, (own, code, also) in enumerate(
            zip(codes["system"], codes["code"], codes["also"], strict=True)
        )
        for system, code in ((own, code), *also)
    ]
    rows, systems, plains = zip(*pairs, strict=True)
    return np.array(rows), np.array(systems, dtype=object), np.array(plains, dtype=object)


def first_day(shard: Shard, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(people,) day of the first dated event whose code is wanted; NaN where there is none."""
    out = np.full(len(shard.people), np.nan)
    hit = np.flatnonzero(wanted[shard.code])
    hit = hit[shard.day[hit] > UNDATED]
    out[shard.person[hit][::-1]] = shard.day[hit][::-1]  # sorted by day: the first written last stays
    return out


def without_day(shard: Shard, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(people,) whether a wanted code stands there without a date: it happened, nobody knows when."""
    out = np.zeros(len(shard.people), dtype=bool)
    out[shard.person[wanted[shard.code] & (shard.day <= UNDATED)]] = True
    return out


def onset(shard: Shard, codes: CodeSet, confirm: Confirm) -> NDArray[np.float64]:
    """(people,) day of onset, NaN where there is none; dated at the first code that is confirmed by what follows.

    A confirmation may come after the prediction time or the horizon: it says that the first code was true, and is
    used for the label only, never for the timeline.
    """
    wanted = matches(shard.codes, codes, "onset")
    first = first_day(shard, wanted)
    rules = [confirm.again_after_days is not None, confirm.drug, confirm.inpatient]
    if not any(rules):
        return first
    sure = np.zeros(len(first), dtype=bool)
    hit = np.flatnonzero(wanted[shard.code] & (shard.day > UNDATED))
    if confirm.again_after_days is not None:
        later = shard.day[hit] - first[shard.person[hit]]
        sure[shard.person[hit][(later >= confirm.again_after_days) & (later <= confirm.within_days)]] = True
    if confirm.drug:
        sure |= ~np.isnan(first_day(shard, matches(shard.codes, codes, "drugs")))
    if confirm.inpatient:
        stay = matches(shard.codes, codes, "inpatient")[shard.code]
        key = shard.person.astype(np.int64) << 32 | (shard.day.astype(np.int64) & 0xFFFFFFFF)
        sure[shard.person[hit][np.isin(key[hit], key[stay])]] = True
    return np.where(sure, first, np.nan)
