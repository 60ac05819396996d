"""Rows on disk: closed, versioned, refused by file and line."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from wherefore.cohort.records import Exclusion
from wherefore.study.errors import DataError
from wherefore.study.records import (
    Record,
    from_frame,
    read_jsonl,
    read_table,
    to_frame,
    write_jsonl,
    write_table,
)


class Row(Record):
    a: int
    b: float | None = None
    c: tuple[str, ...] = ()


def test_nan_and_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        Row(a=1, b=float("nan"))
    with pytest.raises(ValidationError):
        Row.model_validate({"a": 1, "z": 2})


def test_jsonl_round_trip_and_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [Row(a=1), Row(a=2, b=0.5, c=("x",))]
    assert write_jsonl(path, rows) == 2
    assert list(read_jsonl(path, Row)) == rows
    with path.open("a") as f:
        f.write('{"a": "no"}\n')
    with pytest.raises(DataError, match=r'rows\.jsonl:3: a: .*integer.* \(found "no"\)'):
        list(read_jsonl(path, Row))


def test_table_round_trip_keeps_missing_and_lists(tmp_path: Path) -> None:
    rows = [Row(a=1), Row(a=2, b=0.5, c=("x", "y"))]
    write_table(tmp_path / "t.parquet", to_frame(rows, Row), Row)
    assert from_frame(read_table(tmp_path / "t.parquet", Row), Row) == rows


def test_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", to_frame([], Row), Row)
    assert list(read_table(tmp_path / "t.parquet", Row).columns) == ["a", "b", "c"]


def test_table_of_another_record_or_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, to_frame([Row(a=1)], Row), Row)
    with pytest.raises(DataError, match="holds Row version 1, not Exclusion version 1"):
        read_table(path, Exclusion)
    with pytest.raises(DataError, match=r"lacking \['b', 'c'\], unknown \['z'\]"):
        write_table(path, pd.DataFrame({"a": [1], "z": [1]}), Row)
    with pytest.raises(DataError, match="missing"):
        read_table(tmp_path / "none.parquet", Row)


def test_bad_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Row table, row 1: a: .*integer"):
        from_frame(pd.DataFrame({"a": [1, "x"]}), Row)
