"""A row of rubbish in a file of any format: refused, or spoken of; it never changes a number without a word."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from wherefore.analysis.agreement.coefficients.bound import bind
from wherefore.analysis.agreement.coefficients.table import NoPairsError
from wherefore.analysis.agreement.reading.answers import pivot
from wherefore.analysis.agreement.reading.files import read
from wherefore.study.errors import WhereforeError

Row = tuple[Any, Any, Any]
RATERS = ("Ann", "Bob", "Cy")
NUMBERS = ["1", "2", "3", "4", "5"]
WORDS = ["poor", "fair", "good"]


def base(scale: Sequence[str]) -> list[Row]:
    """15 items by three raters who mostly agree."""
    k = len(scale)
    return [
        (f"i{i}", g, scale[(i + (i * 7 + j * 5) % 4 // 3) % k])
        for i in range(15)
        for j, g in enumerate(RATERS)
    ]


def delimited(sign: str, ending: str, encoding: str = "utf-8") -> Callable[[Path, Sequence[Row]], Path]:
    def write(folder: Path, rows: Sequence[Row]) -> Path:
        path = folder / f"ratings{ending}"
        pd.DataFrame(rows, columns=["item", "rater", "value"]).to_csv(
            path, sep=sign, index=False, encoding=encoding, errors="replace"
        )
        return path

    return write


def wide(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "wide.csv"
    by_item: dict[Any, dict[Any, Any]] = {}
    for item, rater, value in rows:
        by_item.setdefault(item, {})[rater] = value
    names = list(dict.fromkeys(str(r[1]) for r in rows))
    table = pd.DataFrame([{"item": i, **{str(k): v for k, v in of.items()}} for i, of in by_item.items()])
    table[["item", *names]].to_csv(path, index=False)
    return path


def excel(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "ratings.xlsx"
    pd.DataFrame(rows, columns=["item", "rater", "value"]).to_excel(path, index=False)
    return path


def spss(folder: Path, rows: Sequence[Row]) -> Path:
    import pyreadstat

    path = folder / "ratings.sav"
    table = pd.DataFrame(rows, columns=["item", "rater", "value"]).fillna("").astype(str)
    pyreadstat.write_sav(table, str(path))
    return path


def stata(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "ratings.dta"
    table = pd.DataFrame(rows, columns=["item", "rater", "value"]).fillna("").astype(str)
    table.to_stata(path, write_index=False, version=118)
    return path


def json_lines(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "ratings.jsonl"
    path.write_text(
        "\n".join(json.dumps(dict(zip(("item", "rater", "value"), r, strict=True))) for r in rows)
    )
    return path


def label_studio(folder: Path, rows: Sequence[Row]) -> Path:
    tasks: dict[Any, list[Any]] = {}
    for n, (item, rater, value) in enumerate(rows):
        control = {"from_name": "value", "to_name": "text", "type": "choices", "value": {"choices": [value]}}
        tasks.setdefault(item, []).append(
            {"id": n, "completed_by": rater, "created_at": "2026-01-01T00:00:00Z", "result": [control]}
        )
    path = folder / "export.json"
    content = [{"id": i, "data": {"text": f"about {i}"}, "annotations": a} for i, a in tasks.items()]
    path.write_text(json.dumps(content))
    return path


def label_studio_min(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "min.json"
    keys = ("id", "annotator", "value", "annotation_id", "created_at")
    content = [dict(zip(keys, (*r, n, "2026-01-01T00:00:00Z"), strict=True)) for n, r in enumerate(rows)]
    path.write_text(json.dumps(content))
    return path


def prodigy(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "prodigy.jsonl"
    lines = [
        {"text": i, "_input_hash": i, "_annotator_id": g, "answer": "accept", "accept": [v]}
        for i, g, v in rows
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def potato(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "annotated_instances.jsonl"
    lines = [{"id": i, "user": g, "label_annotations": {"value": {str(v): "true"}}} for i, g, v in rows]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def argilla(folder: Path, rows: Sequence[Row]) -> Path:
    by_item: dict[Any, list[Any]] = {}
    for item, rater, value in rows:
        by_item.setdefault(item, []).append({"user_id": rater, "value": value, "status": "submitted"})
    path = folder / "argilla.json"
    content = [{"id": i, "fields": {"text": str(i)}, "responses": {"value": r}} for i, r in by_item.items()]
    path.write_text(json.dumps(content))
    return path


def doccano(folder: Path, rows: Sequence[Row]) -> Path:
    by_item: dict[Any, list[Any]] = {}
    for item, rater, value in rows:
        by_item.setdefault(item, []).append({"user": rater, "label": value})
    path = folder / "doccano.jsonl"
    lines = [{"id": i, "text": f"about {i}", "annotations": a} for i, a in by_item.items()]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def redcap(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "redcap.csv"
    lines = ["record_id,redcap_repeat_instrument,rater,value,form_complete"]
    lines += [",".join(f'"{"" if v is None else v}"' for v in (i, "", g, v, 2)) for i, g, v in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


TEXT: dict[str, Callable[[Path, Sequence[Row]], Path]] = {
    "comma": delimited(",", ".csv"),
    "semicolon, Latin 1": delimited(";", ".CSV", "cp1252"),
    "tab, UTF-16": delimited("\t", ".tsv", "utf-16"),
    "wide": wide,
    "excel": excel,
    "spss": spss,
    "stata": stata,
    "json lines": json_lines,
    "redcap": redcap,
}
TOOLS: dict[str, Callable[[Path, Sequence[Row]], Path]] = {
    "label studio": label_studio,
    "label studio, min": label_studio_min,
    "prodigy": prodigy,
    "potato": potato,
    "argilla": argilla,
    "doccano": doccano,
}

VALUES = st.sampled_from(
    [
        "",
        " ",
        "NA",
        "n/a",
        "N.A.",
        "#N/A",
        "nan",
        "None",
        "null",
        "-",
        "?",
        ".",
        "99",
        "-9",
        "-1",
        "0",
        "6",
        "7",
        "9",
        "34",
        "55",
        "1e3",
        "3.5",
        "2,5",
        "1,000",
        "5 apples",
        "see note",
        "goood",
        "Poor ",
        "good?",
        "good; fair",
        "3-4",
        "3/5",
        "★★★",
        "five",
        "TRUE",
        "inf",
        "[]",
        "{}",
        "Total",
        "don't know",
    ]
)
ITEMS = st.sampled_from(["i3", "I3", " i4 ", "new", "Total", "", "99", "i0; i1"])
WHO = st.sampled_from(["Ann", "ann ", "Dan", "", "Total", "NA"])
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], {}, [None], {"a": 1}, 3, 2.5, True, "", "other", ["x", "y"]]
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value with each of its keys."""
    for key in range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ():
        yield value, key
        yield from places(value[key])


ITEM_KEYS = ("id", "text", "_input_hash", "data")


class Measured(NamedTuple):
    """What must not change without a word, and every word."""

    numbers: tuple[Any, ...]
    words: frozenset[str]
    missing: int


def measured(path: Path) -> Measured:
    """Values and counts of each dimension, and what the reading says."""
    source = read(path)
    numbers, skipped = [], []
    for name, scale in source.scales.items():
        own = source.ratings[source.ratings["dimension"] == name]
        try:
            table = pivot(own, scale.level, scale.categories, declared=scale.declared)
        except NoPairsError as e:
            skipped.append(str(e))
            continue
        values = [bind(table, s).value() for s in ("krippendorff_alpha", "percent_agreement")]
        used = [len(table.units), len(table.raters), int(table.seen.sum())]
        numbers.append((name, scale.level, table.scale.labels, *values, *used))
    r = source.reading
    words = {*r.notes, *skipped, *(f"{k}: {v}" for k, v in r.unused.items()), *r.columns, r.shape}
    return Measured(tuple(numbers), frozenset(words), int(source.ratings["value"].isna().sum()))


BEFORE: dict[tuple[str, str], Measured] = {}


def holds(name: str, rows: list[Row], rubbish: Row, folder: Path) -> None:
    """The numbers are as before, or something is said, or the file is refused in a line."""
    write = {**TEXT, **TOOLS}[name]
    key = name, rows[0][2]
    if key not in BEFORE:
        BEFORE[key] = measured(write(folder, rows))
        assert BEFORE[key].numbers[0][-3:] == (15, 3, 45)
    before = BEFORE[key]
    path = write(folder, [*rows, rubbish])
    try:
        after = measured(path)
    except WhereforeError as e:
        says = str(e)
        assert "\n" not in says, says
        return
    assert after.numbers == before.numbers or after.words - before.words or after.missing > before.missing, (
        after
    )


QUICK = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("scale", [NUMBERS, WORDS], ids=["numbers", "words"])
@pytest.mark.parametrize("name", TEXT)
@QUICK
@example(rubbish=("Total", "Total", "55"))
@example(rubbish=("i3", "Ann", "3-4"))
@given(rubbish=st.tuples(ITEMS, WHO, VALUES))
def test_rubbish_in_a_table(name: str, scale: list[str], tmp_path: Path, rubbish: Row) -> None:
    holds(name, base(scale), rubbish, tmp_path)


@pytest.mark.parametrize("name", TOOLS)
@QUICK
@given(rubbish=st.tuples(ITEMS, WHO, st.one_of(VALUES, JUNK)))
def test_rubbish_in_the_file_of_a_tool(name: str, tmp_path: Path, rubbish: Row) -> None:
    holds(name, base(WORDS), rubbish, tmp_path)


@pytest.mark.parametrize("name", TOOLS)
@QUICK
@given(data=st.data())
def test_a_broken_record_in_the_file_of_a_tool(name: str, tmp_path: Path, data: st.DataObject) -> None:
    """A copy of the last record with one of its values, however deep, replaced, or anything in its place."""

    def with_junk(folder: Path, rows: Sequence[Row]) -> Path:
        path = TOOLS[name](folder, rows)
        lines = path.suffix == ".jsonl"
        text = path.read_text()
        records = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
        junk: Any = json.loads(json.dumps(records[-1]))
        if data.draw(st.booleans()):
            junk = data.draw(JUNK)
        else:
            inside, key = data.draw(st.sampled_from(list(places(junk))))
            inside[key] = data.draw(JUNK)
            assume(
                key not in ITEM_KEYS or not isinstance(inside[key], str | int | dict)
            )  # else it is another item
        content = [*records, junk]
        path.write_text("\n".join(map(json.dumps, content)) if lines else json.dumps(content))
        return path

    before = measured(TOOLS[name](tmp_path, base(WORDS)))
    path = with_junk(tmp_path, base(WORDS))
    try:
        after = measured(path)
    except WhereforeError as e:
        says = str(e)
        assert "\n" not in says, says
        return
    assert after.numbers == before.numbers or after.words - before.words or after.missing > before.missing, (
        after
    )
