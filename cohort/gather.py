"""Events in any order become shards: put to their people, sorted, spilled to disk where they are many.

People stand in blocks of 20,000. Events are kept by block; beyond four million in memory they are written into the
scratch folder. Going through the shards reads one block at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.errors import DataError
from .events import CODES, PEOPLE, STATIC, YEAR, Place, Shard

BLOCK = 20_000
IN_MEMORY = 4_000_000


@dataclass(frozen=True)
class Batch:
    """Some events of one file, in any order."""

    file: str
    events: pd.DataFrame
    """Index: row in the file. Columns: subject (text), `time` (a date) or `age` (years) or neither (holds always),
    system, code, kind, name; and where there are some: value, unit, text, `coded` (whether the text is a word of a
    vocabulary)."""


class Gathered:
    """Goes through people's events, block by block."""

    def __init__(self, people: pd.DataFrame, batches: Iterable[Batch], place: Place) -> None:
        """Read everything once.

        Args:
            people: subject (text, unique), sex, site, birth (NaT: none), death (a date) or death_age (years), and
                where known first, last (dates) or first_age, last_age, split.
            batches: all events.
            place: scratch folder and bad rows.
        Raises:
            DataError: a subject stands twice.
        """
        self.people = _checked(people)
        self._index = pd.Index(self.people["subject"])
        self._birth = self.people["birth"].to_numpy().astype("M8[D]")
        self._codes: dict[tuple[str, str, str, str], int] = {}
        self._files: dict[str, int] = {}
        self._blocks: dict[int, list[pd.DataFrame | Path]] = {}
        self._place, self._held = place, 0
        for batch in chain(_sexes(self.people), batches):
            self._add(batch)

    def __iter__(self) -> Iterator[Shard]:
        codes = pd.DataFrame(list(self._codes), columns=["system", "code", "kind", "name"], dtype=object)[
            list(CODES)
        ]
        for block in range(-(-len(self.people) // BLOCK)):
            yield self._shard(block, codes)

    def _add(self, batch: Batch) -> None:
        events = batch.events
        if events.empty:
            return
        at = self._index.get_indexer(pd.Index(events["subject"].astype("str")))
        self._drop(batch, at < 0, "nobody of that id among the people", events["subject"])
        code = _text(events, "code")
        self._drop(batch, (at >= 0) & (code == ""), "no code", events["subject"])
        day = self._days(events, at)
        keep = np.flatnonzero((at >= 0) & (code != ""))
        frame = pd.DataFrame({
            "person": at.astype(np.int32), "day": day, "code": self._coded(events, code),
            "row": events.index.to_numpy(np.int64),
            "file": np.int32(self._files.setdefault(batch.file, len(self._files))),
            "value": events["value"].to_numpy(np.float64) if "value" in events else np.nan,
            "unit": _object(events, "unit"), "text": _object(events, "text"),
            "coded": events["coded"].to_numpy(bool) if "coded" in events else False,
        }).iloc[keep]  # fmt: skip
        for block, part in frame.groupby(frame["person"].to_numpy() // BLOCK, sort=False):
            self._blocks.setdefault(int(str(block)), []).append(part)
        self._held += len(frame)
        if self._held > IN_MEMORY:
            self._spill()

    def _days(self, events: pd.DataFrame, at: NDArray[np.int64]) -> NDArray[np.int32]:
        """Days since birth of each event, `STATIC` where it has no time."""
        if "age" in events:
            age = events["age"].to_numpy(np.float64)
            return np.where(np.isnan(age), STATIC, np.floor(np.nan_to_num(age) * YEAR)).astype(np.int32)
        if "time" not in events:
            return np.full(len(events), STATIC, dtype=np.int32)
        span = events["time"].to_numpy().astype("M8[D]") - self._birth[np.maximum(at, 0)]
        return np.where(np.isnat(span), STATIC, span.astype(np.int64)).astype(np.int32)

    def _coded(self, events: pd.DataFrame, code: NDArray[Any]) -> NDArray[Any]:
        """Each event's place in the table of codes."""
        columns = [_text(events, "system"), code, _text(events, "kind"), _text(events, "name")]
        keys = pd.MultiIndex.from_arrays(columns)
        number, unique = pd.factorize(keys)
        place = np.array(
            [self._codes.setdefault(tuple(key), len(self._codes)) for key in unique], dtype=np.int32
        )
        return place[number]

    def _drop(self, batch: Batch, wrong: NDArray[Any], reason: str, found: "pd.Series[str]") -> None:
        self._place.bad.add(batch.file, reason, batch.events.index[wrong].tolist(), found[wrong].tolist())

    def _spill(self) -> None:
        for block, parts in self._blocks.items():
            held = [p for p in parts if isinstance(p, pd.DataFrame)]
            if held:
                path = self._place.scratch / f"block{block}-{len(parts)}.parquet"
                pd.concat(held, ignore_index=True).to_parquet(path)
                self._blocks[block] = [*(p for p in parts if isinstance(p, Path)), path]
        self._held = 0

    def _shard(self, block: int, codes: pd.DataFrame) -> Shard:
        parts = [pd.read_parquet(p) if isinstance(p, Path) else p for p in self._blocks.get(block, [])]
        people = self.people.iloc[block * BLOCK : (block + 1) * BLOCK].reset_index(drop=True)
        if not parts:
            empty = np.zeros(0, dtype=np.int32)
            return Shard(
                _spans(people, empty, empty),
                codes,
                empty,
                empty,
                empty,
                tuple(self._files) or ("",),
                empty.astype(np.int64),
            )
        frame = pd.concat(parts, ignore_index=True)
        order = np.lexsort((frame["row"], frame["file"], frame["day"], frame["person"]))
        frame = frame.iloc[order]
        person = (frame["person"].to_numpy() - block * BLOCK).astype(np.int32)
        day = frame["day"].to_numpy(np.int32)
        return Shard(
            people=_spans(people, person, day), codes=codes, person=person, day=day,
            code=frame["code"].to_numpy(np.int32), files=tuple(self._files), row=frame["row"].to_numpy(np.int64),
            file=frame["file"].to_numpy(np.int32), value=_or_none(frame["value"]),
            unit=_objects(frame["unit"]), text=_objects(frame["text"]), coded=frame["coded"].to_numpy(bool),
        )  # fmt: skip


def _checked(people: pd.DataFrame) -> pd.DataFrame:
    """The people under the names of `PEOPLE`; days of observation still NaN where only the events can tell."""
    twice = people.loc[people["subject"].duplicated(), "subject"]
    if len(twice):
        raise DataError(f"subject {twice.iloc[0]!r} stands more than once among "
                        f"the people ({len(twice)} such rows). Ids must be unique.")  # fmt: skip
    birth = people["birth"] if "birth" in people else pd.Series(pd.NaT, index=people.index)
    out = people.assign(birth=birth.astype("datetime64[s]"))
    ages = [c for c in ("first_age", "last_age", "death_age") if c in people]
    for name in ("first", "last", "death"):
        day: NDArray[np.float64] = np.full(len(people), np.nan)
        if name in people:
            day = np.asarray((out[name] - out["birth"]).dt.days, dtype=np.float64)
        if f"{name}_age" in people:
            day = np.where(np.isnan(day), np.floor(people[f"{name}_age"].to_numpy(float) * YEAR), day)
        out[f"{name}_day"] = day
    for name in ("sex", "site", "split"):
        if name not in out:
            out[name] = None
    if "aged" not in out:
        out["aged"] = out["birth"].notna() | bool(ages)
    return out[list(PEOPLE)].reset_index(drop=True)


def _sexes(people: pd.DataFrame) -> Iterator[Batch]:
    """Sex as something that can be cited."""
    known = people[people["sex"].notna()]
    yield Batch(
        "people",
        known[["subject"]].assign(
            system="SEX", code=known["sex"], kind="demographic", name="Sex: " + known["sex"]
        ),
    )


def _spans(people: pd.DataFrame, person: NDArray[Any], day: NDArray[Any]) -> pd.DataFrame:
    """First and last day of observation from the events (and death) where the records say nothing."""
    first, last = np.full(len(people), np.nan), np.full(len(people), np.nan)
    dated = np.flatnonzero(day != STATIC)
    last[person[dated]] = day[dated]
    first[person[dated][::-1]] = day[dated][::-1]
    return people.assign(
        first_day=people["first_day"].where(people["first_day"].notna(), first),
        last_day=people["last_day"].where(
            people["last_day"].notna(), np.fmax(last, people["death_day"].to_numpy(float))
        ),
    )


def _text(events: pd.DataFrame, name: str) -> NDArray[Any]:
    if name not in events:
        return np.full(len(events), "", dtype=object)
    column = events[name].to_numpy(object)
    return np.array(["" if v is None or v != v else str(v).strip() for v in column], dtype=object)


def _object(events: pd.DataFrame, name: str) -> object:
    """A text column as pandas categories: few units and texts, many rows."""
    return pd.Categorical(events[name]) if name in events else pd.Categorical([None] * len(events))


def _objects(column: "pd.Series[str]") -> NDArray[Any] | None:
    values: NDArray[Any] = column.astype(object).to_numpy(copy=True)
    values[pd.isna(values)] = None
    return None if (values == None).all() else values  # noqa: E711


def _or_none(column: "pd.Series[float]") -> NDArray[Any] | None:
    values = column.to_numpy(np.float64)
    return None if np.isnan(values).all() else values
