"""The history as numbered evidence lines, and the text that models and raters read.

Repeats of a code are one line, dated at the first; lines are numbered in the order of their first event over the
whole history before the prediction time. So a number stays when the budget changes, and when the prediction time
moves later the numbers that were there stay too. All cases of a shard are worked at once, in columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .events import STATIC, YEAR, Shard
from .line import Line, evidence_id, stated
from .records import Evidence
from .settings import Timeline

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Count = Callable[[Sequence[str]], Ints]
"""Texts -> tokens of each."""
RECENT = 2.0
"""Years."""


@dataclass(frozen=True)
class Lines:
    """Lines of all cases of a shard, by case and number."""

    case: Ints
    """(lines,) which case, ascending."""
    number: Ints
    """(lines,) from 1 within the case."""
    first: Ints
    last: Ints
    """(lines,) rows of the shard's events: the first and the last that stand in the line."""
    count: Ints
    """(lines,) how many events stand in the line."""


def rows_before(shard: Shard, person: Ints, day: Ints) -> tuple[Ints, Ints]:
    """All events of each case's person that lie before its day.

    Args:
        shard: the events.
        person: (cases,) row in the people.
        day: (cases,) days since birth; nothing at or after it is given back.
    Returns:
        (events,) case and (events,) row in the shard, in the order of the shard within a case.
    """
    low = -np.int64(STATIC)
    keys = shard.person.astype(np.int64) << 32 | (shard.day.astype(np.int64) + low)
    starts = shard.bounds[person]
    stops = np.searchsorted(
        keys, person.astype(np.int64) << 32 | (np.maximum(day, STATIC) + low), side="left"
    )
    sizes = np.maximum(stops - starts, 0)
    case = np.repeat(np.arange(len(person)), sizes)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return case, np.repeat(starts, sizes) + within


def collapsed(shard: Shard, case: Ints, rows: Ints) -> Lines:
    """Events of the same code (and unit) of a case become one line."""
    what = shard.code[rows].astype(np.int64)
    if shard.unit is not None:
        unit, units = pd.factorize(shard.unit[rows], use_na_sentinel=False)
        what = what * len(units) + unit
    key = case * (int(what.max(initial=0)) + 1) + what
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(key[order]) != 0)) if len(order) else order
    sizes = np.diff(np.append(starts, len(order)))
    first, last = order[starts], order[starts + sizes - 1] if len(order) else order
    by_first = np.argsort(first)
    first, last, sizes = first[by_first], last[by_first], sizes[by_first]
    of = case[first]
    begin = np.searchsorted(of, of)
    return Lines(of, np.arange(len(of)) - begin + 1, rows[first], rows[last], sizes)


def evidence(shard: Shard, names: Sequence[str], day: Ints, lines: Lines) -> pd.DataFrame:
    """Rows of `Evidence`, all of them still shown.

    Args:
        shard: the events.
        names: (cases,) ids of the cases.
        day: (cases,) prediction time in days since birth.
        lines: of all cases.
    """
    first, last, at = shard.day[lines.first], shard.day[lines.last], day[lines.case]
    dated = first != STATIC
    age, ago = np.round(first / YEAR, 1), np.round((at - last.astype(np.int64)) / YEAR, 1)
    since = np.round((at - first.astype(np.int64)) / YEAR, 1)
    table = {
        c: shard.codes[c].to_numpy(object)[shard.code[lines.first]]
        for c in ("kind", "code", "system", "name")
    }
    value = np.full(len(first), np.nan) if shard.value is None else shard.value[lines.last]
    unit = np.full(len(first), None, dtype=object) if shard.unit is None else shard.unit[lines.last]
    if shard.text is not None:
        table["name"] = _with_text(table["name"], shard.text[lines.last], value)
    ids = [evidence_id(n) for n in lines.number.tolist()]
    what = map(stated, table["name"], value.tolist(), unit, table["code"])
    dates = zip(dated.tolist(), age.tolist(), since.tolist(), lines.count.tolist(), ago.tolist(), strict=True)
    text = [
        str(Line(id, w, *at) if known else Line(id, w))
        for id, w, (known, *at) in zip(ids, what, dates, strict=True)
    ]
    files = np.array(shard.files, dtype=object)[0 if shard.file is None else shard.file[lines.first]]
    source = files + ":" + shard.row[lines.first].astype(str).astype(object)
    columns = {
        "case": np.array(names, dtype=object)[lines.case], "id": ids, **table,
        "age": np.where(dated, age, np.nan), "years_before": np.where(dated, ago, np.nan),
        "value": value, "unit": np.where(np.isnan(value), np.array(None, dtype=object), unit), "count": lines.count,
        "shown": np.ones(len(ids), dtype=bool), "line": text, "source": source,
    }  # fmt: skip
    # plain Python strings: turning half a million of them into Arrow's and back costs more than making them
    return pd.DataFrame({f: _plain(columns[f]) for f in Evidence.model_fields})


def _plain(column: Any) -> Any:
    return pd.Series(column, dtype=object) if isinstance(column, list) or column.dtype == object else column


def _with_text(name: NDArray[Any], text: NDArray[Any], value: Floats) -> NDArray[Any]:
    """What was found stands behind the name, where it is a word and not a number."""
    words = [
        f"{n}: {t}" if t is not None and t == t and v != v else n
        for n, t, v in zip(name, text, value, strict=True)
    ]
    return np.array(words, dtype=object)


def shown(
    frame: pd.DataFrame, case: Ints, settings: Timeline, count: Count, rarity: Floats, risk: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(lines,) which lines are within the budget: the best ones by the policy, until the first that does not fit.

    Args:
        frame: rows of `Evidence`.
        case: (lines,) ascending.
        settings: budget and policy.
        count: tokens of texts.
        rarity: (lines,) how rare the code is among people, the larger the rarer.
        risk: (lines,) whether the code is a known risk factor.
    """
    if settings.budget is None or frame.empty:
        return np.ones(len(frame), dtype=bool)
    tier, within = POLICIES[settings.policy](frame, rarity, risk)
    tier = np.where(frame["kind"] == "demographic", -1, tier)
    order = np.lexsort((within, tier, case))
    spent = np.cumsum(count(frame["line"].tolist())[order])
    begin = np.searchsorted(case, case)  # `order` keeps each case's block where it was
    before = np.where(begin > 0, spent[begin - 1], 0)
    out = np.zeros(len(frame), dtype=bool)
    out[order] = spent - before <= settings.budget
    return out


Ranks = tuple[Floats, Floats]
"""(lines,) tier and place within it; the smaller goes in first."""


def _recent(frame: pd.DataFrame, rarity: Floats, risk: NDArray[np.bool_]) -> Ranks:
    """Newest first."""
    return np.zeros(len(frame)), frame["years_before"].fillna(0).to_numpy(float)


def _rare(frame: pd.DataFrame, rarity: Floats, risk: NDArray[np.bool_]) -> Ranks:
    """What few people have first."""
    return np.zeros(len(frame)), -rarity


def _mixed(frame: pd.DataFrame, rarity: Floats, risk: NDArray[np.bool_]) -> Ranks:
    """Known risk factors, other conditions (the rare before the common), the last two years, the rest.

    Only the newest lines would lose the exposures that begin decades before dementia, only the rarest the present.
    """
    ago = frame["years_before"].fillna(0).to_numpy(float)
    condition = (frame["kind"] == "condition").to_numpy()
    tier = np.select([risk, condition, ago <= RECENT], [0.0, 1.0, 2.0], 3.0)
    return tier, np.where(tier == 2, ago, -rarity)


POLICIES: dict[str, Callable[[pd.DataFrame, Floats, NDArray[np.bool_]], Ranks]] = {
    "recent": _recent,
    "rare": _rare,
    "mixed": _mixed,
}

HEADINGS = (
    "Person",
    "Long-standing conditions",
    "Drugs",
    "Last values",
    "Earlier",
    "Last 24 months, newest first",
)


def section_of(frame: pd.DataFrame) -> Ints:
    """(lines,) place in `HEADINGS`."""
    kind, ago = frame["kind"].to_numpy(), frame["years_before"].fillna(0).to_numpy(float)
    lasting = (kind == "condition") & ((frame["count"].to_numpy() > 1) | (ago > RECENT))
    tests = [kind == "demographic", lasting, kind == "drug", kind == "measurement", ago > RECENT]
    return np.select(tests, list(range(5)), 5)


def texts(frame: pd.DataFrame, case: Ints, cases: int, sections: bool) -> list[str]:
    """The timeline of each case: the lines shown, by number, or under headings."""
    keep = np.flatnonzero(frame["shown"].to_numpy(bool))
    of, lines = case[keep], frame["line"].to_numpy(object)[keep]
    if sections:
        part = frame.iloc[keep]
        section = section_of(part)
        newest = np.where(section == 5, part["years_before"].fillna(0).to_numpy(float), 0.0)
        order = np.lexsort((keep, newest, section, of))
        of, lines, section = of[order], lines[order], section[order]
        new = (
            np.append(True, (np.diff(of) != 0) | (np.diff(section) != 0))
            if len(of)
            else np.zeros(0, dtype=bool)
        )
        lines = np.array(
            [f"{HEADINGS[s]}:\n{t}" if n else t for t, s, n in zip(lines, section, new, strict=True)],
            dtype=object,
        )
    edges = np.searchsorted(of, np.arange(cases + 1))
    return ["\n".join(lines[a:b]) for a, b in pairwise(edges)]
