"""Every row of a text table is read with its own cells, or counted as bad with its line."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wherefore.cohort.events import Place
from wherefore.cohort.reading.bad_rows import BadRows
from wherefore.cohort.reading.tables import TableFormat, chunks
from wherefore.study.errors import DataError

COLUMNS = ("id", "day", "note")


def taken(file: Path, **form: Any) -> tuple[list[tuple[Any, ...]], BadRows]:
    """The rows of a table, missing cells as empty text, and what was bad."""
    place = Place(Path, 0, file.parent, BadRows())
    parts = list(
        chunks(file, {c: c for c in COLUMNS}, place, "cohort.source", TableFormat(missing=(), **form))
    )
    rows = pd.concat(parts).fillna("") if parts else pd.DataFrame(columns=list(COLUMNS))
    return list(rows.itertuples(index=False, name=None)), place.bad


CELL = st.text(alphabet="ab ,;\t\"'\n\r1é", max_size=6)
ROW = st.tuples(st.sampled_from(["1", "x y", "-"]), CELL, CELL)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    rows=st.lists(st.tuples(ROW, st.sampled_from(["whole", "whole", "whole", "short", "long"])), max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from([",", ";", "|"]),
    last=st.booleans(),
)
def test_rows_are_whole_or_bad_with_their_line(
    rows: list[tuple[tuple[str, str, str], str]],
    end: str,
    mark: str,
    last: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Cells with delimiters, marks and line ends of their own are quoted, as every writer of CSV does it."""
    file = tmp_path_factory.getbasetemp() / "table.csv"
    text, whole, bad, line = mark.join(COLUMNS) + end, [], [], 2
    for cells, kind in rows:
        written = {"short": cells[:2], "long": (*cells, "9"), "whole": cells}[kind]
        said = io.StringIO()
        csv.writer(said, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(written)
        text += said.getvalue()
        if kind == "whole":
            whole.append(cells)
        else:
            bad.append(f"{len(written)} cells in line {line}")
        line += len(said.getvalue().replace("\r\n", "\n").replace("\r", "\n")[:-1].split("\n"))
    file.write_bytes((text if last or not rows else text[: -len(end)]).encode())
    if not rows:
        with pytest.raises(DataError, match="an empty table"):
            taken(file)
        return
    found, faults = taken(file, delimiter=mark)
    # pandas reads the line ends within a cell as they stand there
    assert [tuple(c for c in row) for row in found] == [tuple(cells) for cells in whole]
    assert [r["found"] for r in faults.rows] == bad
    assert faults.total["table.csv"] == len(rows)


@pytest.mark.parametrize(
    ("text", "rows", "bad"),
    [
        ("id,day,note\r1,a,b\r2,c\r3,d,e\r", [("1", "a", "b"), ("3", "d", "e")], ["2 cells in line 3"]),
        (
            'id,day,note\n1,5" tube,x\n2,y\n3,z,w\n',
            [("1", '5" tube', "x"), ("3", "z", "w")],
            ["2 cells in line 3"],
        ),
        ('id,day,note\n1,"a\n\nb",x\n\n2,y\n', [("1", "a\n\nb", "x")], ["2 cells in line 6"]),
        ("id\tday\tnote\n\t\t\n1\ta\n2\tb\tc\n", [("", "", ""), ("2", "b", "c")], ["2 cells in line 3"]),
        ("id,day,note\n1,a,b,\n2,c,d,\n3,e,\n", [("1", "a", "b"), ("2", "c", "d")], ["3 cells in line 4"]),
        ("id,day,note,\n1,a,b\n2,c,d,\n3,e\n", [("1", "a", "b"), ("2", "c", "d")], ["2 cells in line 4"]),
        ("id day note\n1  a   b\n 2 c d \n3 e\n", [("1", "a", "b"), ("2", "c", "d")], ["2 cells in line 4"]),
        ('id day note\n1 "a b" c\n2 d\n', [("1", "a b", "c")], ["2 cells in line 3"]),
        ("id;day;note\n1;a;b\n2;c;d;e\n", [("1", "a", "b")], ["4 cells in line 3"]),
        ("id,day,note\n1,a,b\n2,c", [("1", "a", "b")], ["2 cells in line 3"]),
        ('id,day,note\n1,a,"long ' + "x" * 200_000 + '"\n2,b\n', None, ["2 cells in line 3"]),
    ],
)
def test_shapes_that_people_have(
    text: str, rows: list[tuple[str, ...]] | None, bad: list[str], tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_bytes(text.encode())
    found, faults = taken(tmp_path / "table.csv")
    assert rows is None or found == rows
    assert [r["found"] for r in faults.rows] == bad


def test_packed_files_and_other_encodings_are_counted_too(tmp_path: Path) -> None:
    text = "id,day,note\n1,ä,b\n2,c\n"
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "table.csv").write_bytes(text.encode("utf-16"))
    for file, form in ((tmp_path / "table.csv.gz", {}), (tmp_path / "table.csv", {"encoding": "utf-16"})):
        found, faults = taken(file, **form)
        assert (found, [r["found"] for r in faults.rows]) == ([("1", "ä", "b")], ["2 cells in line 3"])


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id,day,note,Day\n1,a,b,c\n")
    with pytest.raises(DataError, match=r"table.csv: 2 columns are called 'day'. Rename all but one"):
        taken(tmp_path / "table.csv")


def test_delimiters_of_two_characters_are_themselves(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id||day||note\n1||a||b\n2||c\n")
    found, faults = taken(tmp_path / "table.csv", delimiter="||")
    assert (found, [r["found"] for r in faults.rows]) == ([("1", "a", "b")], ["2 cells in line 3"])
