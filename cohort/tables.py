"""Tables as they come: CSV or Parquet, packed or not, names in either case, dates and numbers as text."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.errors import DataError, StudyError
from .events import Place

CHUNK = 500_000
"""Rows at a time."""
ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".txt", ".txt.gz")
_YEAR, _MONTH = r"(\d{4})", r"(\d{4})-(\d{2})"


def opened(path: Path, place: Place, key: str) -> Path:
    """The folder or file; a zip is unpacked into the scratch folder first.

    Raises:
        StudyError: not there.
    """
    if not path.exists():
        raise StudyError(
            f"{key}: {path}: not there. Give the path of the records, from the folder of the study file."
        )
    if path.suffix.lower() != ".zip":
        return path
    out = place.scratch / path.stem
    with zipfile.ZipFile(path) as z:
        z.extractall(out, [n for n in z.namelist() if not n.startswith("__MACOSX")])
    return out


def find(root: Path, name: str) -> list[Path]:
    """The files of a table in a folder, whatever their case and ending, or in a folder of that name; empty: none."""
    wanted = {f"{name.lower()}{end}" for end in ENDINGS}
    for entry in sorted(root.rglob("*")):
        if entry.is_file() and entry.name.lower() in wanted:
            return [entry]
        if entry.is_dir() and entry.name.lower() == name.lower():
            return sorted(p for p in entry.iterdir() if p.name.lower().endswith(ENDINGS))
    return []


def chunks(file: Path, columns: Mapping[str, str], place: Place, where: str, optional: frozenset[str] = frozenset(),
           lists: bool = False) -> Iterator[pd.DataFrame]:  # fmt: skip
    """Rows of a file as text, a chunk at a time, under our names.

    Args:
        file: CSV, TSV (packed or not) or Parquet.
        columns: our name -> the file's, in any case.
        place: counts the rows.
        where: the part of the study file that names the columns, for the error.
        optional: our names that may be absent; their column is then all missing.
        lists: an empty file is an error unless it is one of many.
    Yields:
        Frames of `str` or missing, indexed by row in the file from 0.
    Raises:
        DataError: a column is missing, or the file is empty or cannot be read.
    """
    try:
        first = 0
        for raw in _raw(file):
            by_case = {str(c).strip().strip('"').lower(): c for c in raw.columns}
            lacking = [c for ours, c in columns.items() if c.lower() not in by_case and ours not in optional]
            if lacking:
                raise DataError(f"{file.name}: no column {lacking[0]!r}; it has {', '.join(map(str, raw.columns))}. "
                                f"Name the right one in {where}.")  # fmt: skip
            out = {o: raw[by_case[c.lower()]] if c.lower() in by_case else None for o, c in columns.items()}
            frame = pd.DataFrame(out, index=raw.index)
            frame.index = pd.RangeIndex(first, first + len(frame))
            first += len(frame)
            place.bad.read(file.name, len(frame))
            yield frame
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as e:
        raise DataError(f"{file.name}: cannot be read: {str(e).splitlines()[0]}.") from e
    if not first and not lists:
        raise DataError(f"{file.name}: an empty table. Export it again, or take it out of the folder.")


def _raw(file: Path) -> Iterator[pd.DataFrame]:
    if file.name.lower().endswith(".parquet"):
        import pyarrow.parquet as pq

        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(CHUNK):
                yield batch.to_pandas().map(_as_text)
        return
    head = pd.read_csv(file, nrows=0, sep=None, engine="python") if ".txt" in file.name.lower() else None
    sep = "\t" if ".tsv" in file.name.lower() or (head is not None and len(head.columns) > 1) else ","
    yield from pd.read_csv(file, sep=sep, dtype=str, chunksize=CHUNK, keep_default_na=False, na_values=[""])


def _as_text(value: object) -> object:
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def dates(text: "pd.Series[str]", form: str | None = None, early: bool = False) -> "pd.Series[pd.Timestamp]":
    """Days from text; NaT where there is none or it is no date.

    Args:
        text: `2010-05-17`, with or without a time behind it; `20100517`; `2010-05` or `2010`.
        form: strptime format where dates are written otherwise, such as `%d/%m/%Y`.
        early: of a month or year alone take the middle (births), not the last day (nothing is known too soon).
    """
    clean = text.astype("str").where(text.notna(), "").str.strip()
    if form is not None:
        return pd.to_datetime(clean, format=form, errors="coerce").dt.normalize().astype("datetime64[s]")
    out = pd.to_datetime(clean.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    packed = clean.str.fullmatch(r"\d{8}")
    month, year = clean.str.fullmatch(_MONTH), clean.str.fullmatch(_YEAR)
    if packed.any():
        out[packed] = pd.to_datetime(clean[packed], format="%Y%m%d", errors="coerce")
    if month.any():
        start = pd.to_datetime(clean[month] + "-01", format="%Y-%m-%d", errors="coerce")
        out[month] = start + (pd.Timedelta(days=14) if early else pd.offsets.MonthEnd(1))
    if year.any():
        out[year] = pd.to_datetime(
            clean[year] + ("-07-01" if early else "-12-31"), format="%Y-%m-%d", errors="coerce"
        )
    return out.astype("datetime64[s]")


def dated(frame: pd.DataFrame, file: str, column: str, place: Place, form: str | None = None) -> pd.DataFrame:
    """The rows that have a date in `column`, which then stands in `time`; the others are counted as bad."""
    time = dates(frame[column], form)
    blank = frame[column].isna() | (frame[column].astype("str").str.strip() == "")
    for wrong, reason in ((blank, "no date"), (time.isna() & ~blank, f"{column} is no date")):
        place.bad.add(file, reason, frame.index[wrong].tolist(), frame.loc[wrong, column].tolist())
    return frame.assign(time=time)[time.notna()]


def birthdays(
    frame: pd.DataFrame, file: str, column: str, place: Place, form: str | None = None
) -> "pd.Series[pd.Timestamp]":
    """Dates of birth; those that cannot be read are counted as bad, and the person stays without one."""
    birth = dates(frame[column], form, early=True)
    wrong = frame[column].notna() & (frame[column].astype("str").str.strip() != "") & birth.isna()
    place.bad.add(
        file, f"{column} is no date", frame.index[wrong].tolist(), frame.loc[wrong, column].tolist()
    )
    return birth


def numbers(text: "pd.Series[str]") -> NDArray[np.float64]:
    """Floats; NaN where there is none or it is no number (then it is text)."""
    return pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def sex(text: "pd.Series[str]", words: Mapping[str, str]) -> NDArray[np.object_]:
    """`male`, `female` or None, by the words of the study file first.

    >>> sex(pd.Series(["M", "8532", "x"]), {}).tolist()
    ['male', 'female', None]
    """
    known = {"m": "male", "male": "male", "8507": "male", "f": "female", "female": "female", "8532": "female"}
    known |= {str(k).lower(): v for k, v in words.items()}
    return np.array([known.get(str(t).strip().lower()) for t in text], dtype=object)
