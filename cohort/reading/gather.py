"""Events in any order become shards: put to their people, sorted, spilled to disk where they are many.

People stand in blocks of 20,000. Events are kept by block; beyond four million in memory they are written into the
scratch folder. Going through the shards reads one block at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...study.errors import DataError
from ..events import CODES, HAPPENS, PEOPLE, STATIC, UNDATED, YEAR, Periods, Place, Shard

BLOCK = 20_000
IN_MEMORY = 4_000_000
ENDLESS = 9e5
"""Days: the end of a period that has none, and less than what sets one person apart from the next in `_merged`."""
VERSIONS = ("same", "version", "content")
Codes = tuple[tuple[str, str], ...]
"""Other codes of a fact: (system, code)."""


@dataclass(frozen=True)
class EventBatch:
    """Some events of one file, in any order."""

    file: str
    events: pd.DataFrame
    """Index: row in the file. Columns: subject (text), `time` (a date; NaT: on a day that is not known) or `age`
    (years; NaN: not known, or always) or both (the age where there is no date) or neither (holds always), system,
    code, kind, name; and where there are some:
    value, unit, text, `coded` (whether the text is a word of a vocabulary), `also` (other codes of the fact); and, of
    records that may stand in several copies or versions: `same` (a number that these share; 0: it is alone),
    `version` (the greater the newer), `content` (a number that copies share)."""


class Gathered:
    """Goes through people's events, block by block."""

    def __init__(
        self,
        people: pd.DataFrame,
        batches: Iterable[EventBatch],
        place: Place,
        periods: pd.DataFrame | None = None,
        parents: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
        versions: bool = False,
    ) -> None:
        """Read everything once.

        Args:
            people: subject (text, unique), sex, site, birth (NaT: none), death (a date) or death_age (years), `dead`
                (whether they are known to have died), and where known first, last (dates) or first_age, last_age,
                split.
            batches: all events.
            place: scratch folder and bad rows.
            periods: subject, first, last (dates): every period of observation, where people have several.
            parents: adds to the column `also` of the table of codes, once everything is read.
            versions: whether a record may stand in several copies or versions.
        Raises:
            DataError: a subject stands twice, or there is nobody.
        """
        self._place, self._held, self._versions = place, 0, versions
        self.people = _checked(self._without_copies(people))
        if self.people.empty:
            raise DataError("cohort: the table of people holds nobody that can be read. Export it again.")
        self._index = pd.Index(self.people["subject"])
        self._birth = self.people["birth"].to_numpy().astype("M8[D]")
        self._codes: dict[tuple[str, str, str, str, Codes], int] = {}
        self._files: dict[str, int] = {}
        self._blocks: dict[int, list[pd.DataFrame | Path]] = {}
        for batch in chain(_sexes(self.people), batches):
            self._add(batch)
        table = pd.DataFrame(
            list(self._codes), columns=["system", "code", "kind", "name", "also"], dtype=object
        )
        self._table = (parents(table) if parents else table)[list(CODES)]
        self._periods = self._spans(periods)

    def _without_copies(self, people: pd.DataFrame) -> pd.DataFrame:
        """The people without rows that say the same once more."""
        people = people.assign(subject=ids(people["subject"]))
        once = people.drop_duplicates()
        self._place.bad.note("rows of people that say the same once more, left out", len(people) - len(once))
        return once.reset_index(drop=True)

    def __iter__(self) -> Iterator[Shard]:
        for block in range(-(-len(self.people) // BLOCK)):
            yield self._shard(block)

    def _add(self, batch: EventBatch) -> None:
        events = batch.events
        if events.empty:
            return
        at = self._index.get_indexer(pd.Index(ids(events["subject"])))
        self._drop(batch, at < 0, "nobody of that id among the people", events["subject"])
        code = _text(events, "code")
        self._drop(batch, (at >= 0) & (code == ""), "no code", events["subject"])
        keep = np.flatnonzero((at >= 0) & (code != ""))
        frame = pd.DataFrame(
            {
                "person": at.astype(np.int32),
                "day": self._days(events, at),
                "code": self._coded(events, code),
                "row": events.index.to_numpy(np.int64),
                "file": np.int32(self._files.setdefault(batch.file, len(self._files))),
                "value": events["value"].to_numpy(np.float64) if "value" in events else np.nan,
                "unit": _object(events, "unit"),
                "text": _object(events, "text"),
                "coded": events["coded"].to_numpy(bool) if "coded" in events else False,
                **(_versions(events) if self._versions else {}),
            }
        ).iloc[keep]
        for block, part in frame.groupby(frame["person"].to_numpy() // BLOCK, sort=False):
            self._blocks.setdefault(int(str(block)), []).append(part)
        self._held += len(frame)
        if self._held > IN_MEMORY:
            self._spill()

    def _days(self, events: pd.DataFrame, at: NDArray[np.int64]) -> NDArray[np.int32]:
        """Days since birth of each event: `STATIC` where it holds always, `UNDATED` where nobody knows."""
        day: NDArray[np.int64] = np.full(len(events), STATIC, dtype=np.int64)
        if "age" in events:
            age = events["age"].to_numpy(np.float64)
            none = np.where(events["kind"].isin(HAPPENS) | ("time" in events), UNDATED, STATIC)
            day = np.where(np.isnan(age), none, np.floor(np.nan_to_num(age) * YEAR)).astype(np.int64)
        if "time" in events:
            span = events["time"].to_numpy().astype("M8[D]") - self._birth[np.maximum(at, 0)]
            day = np.where(np.isnat(span), day if "age" in events else UNDATED, span.astype(np.int64))
        return np.asarray(day, dtype=np.int32)

    def _coded(self, events: pd.DataFrame, code: NDArray[Any]) -> NDArray[Any]:
        """Each event's place in the table of codes."""
        also = (
            events["also"].to_numpy(object) if "also" in events else np.full(len(events), None, dtype=object)
        )
        columns = [_text(events, "system"), code, _text(events, "kind"), _text(events, "name"), also]
        number, first = _numbered(columns)
        rows = zip(*(c[first] for c in columns), strict=True)
        keys = [(s, c, k, n, a if a is not None and a == a else ()) for s, c, k, n, a in rows]
        place = np.array([self._codes.setdefault(key, len(self._codes)) for key in keys], dtype=np.int32)
        return place[number]

    def _drop(self, batch: EventBatch, wrong: NDArray[Any], reason: str, values: "pd.Series[str]") -> None:
        self._place.bad.add(batch.file, reason, batch.events.index[wrong].tolist(), values[wrong].tolist())

    def _spill(self) -> None:
        for block, parts in self._blocks.items():
            held = [p for p in parts if isinstance(p, pd.DataFrame)]
            if held:
                path = self._place.scratch / f"block{block}-{len(parts)}.parquet"
                pd.concat(held, ignore_index=True).to_parquet(path)
                self._blocks[block] = [*(p for p in parts if isinstance(p, Path)), path]
        self._held = 0

    def _spans(self, periods: pd.DataFrame | None) -> Periods | None:
        """Periods in days since birth, those that touch or overlap made one; None where everybody has one.

        One without an end goes on for as long as the person's record does.
        """
        if periods is None or not periods["subject"].duplicated().any():
            return None
        at = self._index.get_indexer(pd.Index(ids(periods["subject"])))
        known = periods.assign(person=at)[at >= 0]
        birth = self._birth[known["person"]]
        first, last = ((known[c].to_numpy().astype("M8[D]") - birth) for c in ("first", "last"))
        begun = ~np.isnat(first)
        ends = np.where(np.isnat(last), ENDLESS, last.astype(float))
        return _merged(known["person"].to_numpy()[begun], first[begun].astype(float), ends[begun])

    def _shard(self, block: int) -> Shard:
        parts = [pd.read_parquet(p) if isinstance(p, Path) else p for p in self._blocks.get(block, [])]
        people = self.people.iloc[block * BLOCK : (block + 1) * BLOCK].reset_index(drop=True)
        files = tuple(self._files) or ("",)
        periods = _slice(self._periods, block * BLOCK, len(people))
        if not parts:
            none = np.zeros(0, dtype=np.int32)
            watched = _watched(people, none, none)
            return Shard(
                watched, self._table, none, none, none, files, none.astype(np.int64), periods=periods
            )
        frame = self._once(pd.concat(parts, ignore_index=True))
        frame = frame.iloc[np.lexsort((frame["row"], frame["file"], frame["day"], frame["person"]))]
        person = (frame["person"].to_numpy() - block * BLOCK).astype(np.int32)
        day = frame["day"].to_numpy(np.int32)
        return Shard(
            people=_watched(people, person, day),
            codes=self._table,
            person=person,
            day=day,
            code=frame["code"].to_numpy(np.int32),
            files=files,
            row=frame["row"].to_numpy(np.int64),
            file=frame["file"].to_numpy(np.int32),
            value=_or_none(frame["value"]),
            unit=_objects(frame["unit"]),
            text=_objects(frame["text"]),
            coded=frame["coded"].to_numpy(bool),
            periods=periods,
        )

    def _once(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The events of each record once, in its newest version; records of one id that tell no versions all stay."""
        if not self._versions:
            return frame
        records = frame.loc[frame["same"] != 0, [*VERSIONS, "file", "row"]].drop_duplicates()
        if not records["same"].duplicated().any():
            return frame
        older = (records["version"] > 0) & (
            records["version"] < records.groupby("same")["version"].transform("max")
        )
        copies = ~older & records[~older].duplicated(["same", "content"]).reindex(
            records.index, fill_value=False
        )
        self._place.bad.note("copies of a record that was read already, left out", int(copies.sum()))
        self._place.bad.note("older versions of a record, left out", int(older.sum()))
        gone = pd.MultiIndex.from_frame(records.loc[older | copies, ["file", "row"]])
        return frame[~pd.MultiIndex.from_frame(frame[["file", "row"]]).isin(gone)]


def _versions(events: pd.DataFrame) -> dict[str, NDArray[Any]]:
    kinds = {"same": np.uint64, "version": np.float64, "content": np.uint64}
    return {
        c: events[c].to_numpy(kind) if c in events else np.zeros(len(events), dtype=kind)
        for c, kind in kinds.items()
    }


def ids(column: "pd.Series[str]") -> "pd.Series[str]":
    """Ids of people as they are compared: a whole number that was written as 12.0 is 12.

    >>> ids(pd.Series(["12.0", " 12", "A.0"])).tolist()
    ['12', '12', 'A.0']
    """
    return column.astype("str").str.strip().str.replace(r"^(\d+)\.0$", r"\1", regex=True)


def _numbered(columns: list[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each distinct row of these columns, and where each number occurs first."""
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        of_column, distinct = pd.factorize(column, use_na_sentinel=False)
        number = pd.factorize(number * max(len(distinct), 1) + of_column)[0].astype(np.int64)
    first = np.full(int(number.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    return number, first


def _merged(person: NDArray[Any], first: NDArray[np.float64], last: NDArray[np.float64]) -> Periods:
    """Periods sorted by person and day; one that begins within a day of the end of the one before goes on with it."""
    order = np.lexsort((first, person))
    person, first, last = person[order], first[order], last[order]
    wide = 1e6  # more days than anybody lives: the furthest end so far, of one person at a time
    end = np.maximum.accumulate(last + person * wide) - person * wide
    new = (
        np.append(True, (person[1:] != person[:-1]) | (first[1:] > end[:-1] + 1))
        if len(person)
        else order > 0
    )
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], len(person)) - 1 if len(starts) else starts
    return Periods(person[starts].astype(np.int32), first[starts], end[stops])


def _slice(periods: Periods | None, start: int, n: int) -> Periods | None:
    """The periods of n people from `start` on."""
    if periods is None:
        return None
    low, high = np.searchsorted(periods.person, [start, start + n])
    some = slice(int(low), int(high))
    return Periods((periods.person[some] - start).astype(np.int32), periods.first[some], periods.last[some])


def _checked(people: pd.DataFrame) -> pd.DataFrame:
    """The people under the names of `PEOPLE`; days of observation still NaN where only the events can tell."""
    twice = people.loc[people["subject"].duplicated(), "subject"]
    if len(twice):
        raise DataError(
            f"subject {twice.iloc[0]!r} appears more than once among the people ({len(twice)} such rows). "
            "Ids must be unique."
        )
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
    known = out["dead"].fillna(False).astype(bool) if "dead" in out else False
    out["dead"] = known | out["death_day"].notna()
    if "aged" not in out:
        out["aged"] = out["birth"].notna() | bool(ages)
    return out[list(PEOPLE)].reset_index(drop=True)


def _sexes(people: pd.DataFrame) -> Iterator[EventBatch]:
    """Sex as something that can be cited."""
    known = people[people["sex"].notna()]
    name = "Sex: " + known["sex"]
    yield EventBatch(
        "people",
        known[["subject"]].assign(system="SEX", code=known["sex"], kind="demographic", name=name),
    )


def _watched(people: pd.DataFrame, person: NDArray[Any], day: NDArray[Any]) -> pd.DataFrame:
    """First and last day of observation from the events (and death) where the records say nothing."""
    first, last = np.full(len(people), np.nan), np.full(len(people), np.nan)
    dated = np.flatnonzero(day > UNDATED)
    last[person[dated]] = day[dated]
    first[person[dated][::-1]] = day[dated][::-1]
    death = people["death_day"].to_numpy(float)
    return people.assign(
        first_day=people["first_day"].where(people["first_day"].notna(), first),
        last_day=people["last_day"].where(people["last_day"].notna(), np.fmax(last, death)),
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
