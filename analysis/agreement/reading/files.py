"""Ratings from a file: long CSV, a Label Studio export, or the ratings of a study's run folder."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ....annotate.records import Dimension, Rating, Rubric, Task
from ....study import layout
from ....study.errors import DataError, did_you_mean
from ....study.files import rows
from ....study.records import read_jsonl, read_record
from ....synth.records import Rationale
from .answers import MAIN, Answer, moment, of_ratings
from .exports import label_studio

ROLES: dict[str, tuple[str, ...]] = {
    "item": ("item", "unit", "task", "id"),
    "rater": ("rater", "annotator", "coder", "reader", "grader"),
    "value": ("value", "rating", "grade", "score", "label", "answer"),
    "dimension": ("dimension", "question", "criterion"),
    "cluster": ("cluster", "patient", "rationale"),
    "group": ("group", "arm", "system"),
    "order": ("order", "time", "created_at"),
}
"""What a column is for, and the names under which it is looked for, in any case."""

NO_NUMBER = {
    "na",
    "n/a",
    "nan",
    "none",
    "null",
    "nil",
    ".",
    "-",
    "?",
    "inf",
    "-inf",
    "+inf",
    "infinity",
    "-infinity",
}


class Source(NamedTuple):
    """What a file gave."""

    answers: list[Answer]
    rubric: dict[str, Dimension]
    """Declared scales, where the file comes with some."""
    cluster_name: str = "cluster"
    simulated: bool = False
    note: str = ""
    """What was left out, or how it was understood."""


def read(path: Path, columns: Mapping[str, str] | None = None, missing: Collection[str] = ()) -> Source:
    """Read ratings by the kind of the file.

    Args:
        path: `.csv` (a row a rating), `.json` (Label Studio, export type JSON), `.jsonl` (ratings of a run folder,
            with `rubric.json` beside it), or the run folder itself.
        columns: role -> column of a CSV whose columns are not called as in `ROLES`.
        missing: values that stand for a rating that was not given; an empty cell does.
    Raises:
        DataError: a file that cannot be read as one of these, by row.
    """
    if path.is_dir():
        places = (layout.RATINGS.at(path), path / layout.RATINGS.name)
        path = next((p for p in places if p.exists()), path)
    if not path.is_file():
        raise DataError(f"{path}: not there. Give ratings.csv, a Label Studio export.json or a run folder.")
    if path.suffix == ".jsonl":
        return _run_folder(path)
    if path.suffix == ".json":
        answers, note = label_studio(path)
        return Source(_numbered(answers, missing), {}, "task", note=note)
    if path.suffix == ".csv":
        answers, cluster_name = _csv(path, columns or {})
        return Source(_numbered(answers, missing), {}, cluster_name)
    raise DataError(f"{path}: ends in {path.suffix or 'nothing'!r}. Allowed: .csv, .json, .jsonl.")


def _csv(path: Path, columns: Mapping[str, str]) -> tuple[list[Answer], str]:
    """The rows, and what their clusters are called."""
    import csv

    if unknown := sorted(set(columns) - set(ROLES)):
        raise DataError(f"column: {unknown[0]!r} is no role; {did_you_mean(unknown[0], ROLES)}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as f:
            rows = csv.DictReader(f)
            place = _places(path, list(rows.fieldnames or ()), columns)
            answers = [_answer(row, place, f"{path.name}:{rows.line_num}") for row in rows]
            return answers, place.get("cluster", "cluster").strip().lower()
    except (UnicodeDecodeError, csv.Error) as e:
        raise DataError(f"{path}: not a CSV in UTF-8: {e}.") from e


def _places(path: Path, header: list[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Role -> column, as asked for or by its usual name."""
    usual = {name.strip().lower(): name for name in header}
    place = {}
    for role, names in ROLES.items():
        asked = columns.get(role)
        if asked is not None and asked not in header:
            raise DataError(f"{path}: no column {asked!r} for {role}; {did_you_mean(asked, header)}")
        found = asked or next((usual[n] for n in names if n in usual), None)
        if found is not None:
            place[role] = found
        elif role in ("item", "rater", "value"):
            raise DataError(
                f"{path}: no column for {role} among {', '.join(header) or 'none'}. Call one "
                f"{names[0]!r}, or say which it is: --column {role}=NAME."
            )
    return place


def _answer(row: Mapping[str, Any], place: Mapping[str, str], where: str) -> Answer:
    cell = {role: (row.get(name) or "").strip() for role, name in place.items()}
    if None in row or any(row.get(name) is None for name in place.values()):
        raise DataError(f"{where}: not as many cells as the header has columns.")
    for role in ("item", "rater"):
        if not cell[role]:
            raise DataError(f"{where}: no {role}.")
    return Answer(
        item=cell["item"],
        rater=cell["rater"],
        value=cell["value"] or None,
        dimension=cell.get("dimension") or "value",
        cluster=cell.get("cluster", ""),
        group=cell.get("group", ""),
        order=moment(cell.get("order", ""), where),
        where=where,
    )


def _run_folder(path: Path) -> Source:
    rubric = path.parent / layout.RUBRIC.name
    return of_study(
        list(read_jsonl(path, Rating)),
        read_record(rubric, Rubric) if rubric.exists() else None,
        rows(path.parent / layout.TASKS.name, Task),
        rows(layout.RATIONALES.at(path.parent.parent), Rationale),
    )


def of_study(
    ratings: Sequence[Rating], rubric: Rubric | None, tasks: Sequence[Task], rationales: Sequence[Rationale]
) -> Source:
    """The independent grades of a study: the main round, without planted controls, people's where there are some.

    The groups are the styles of the rationales.
    """
    controls = {t.item for t in tasks if t.control}
    people = [r for r in ratings if not r.simulated] or list(ratings)
    kept = [r for r in people if r.item not in controls and r.round == MAIN]
    note = [
        f"{n:,} {what}"
        for n, what in (
            (len(ratings) - len(people), "ratings of simulated raters stand beside people's"),
            (len(people) - len(kept), "ratings are of planted controls or of other rounds than the main one"),
        )
        if n
    ]
    answers, cluster_name = of_ratings(kept, {(t.item, t.rater): t.order for t in tasks})
    style = {r.id: r.style for r in rationales}
    return Source(
        [a._replace(group=style.get(r.rationale, "")) for a, r in zip(answers, kept, strict=True)],
        {d.name: d for d in rubric.dimensions} if rubric else {},
        cluster_name,
        bool(kept) and kept[0].simulated,
        f"Left out: {'; '.join(note)}." if note else "",
    )


def _numbered(answers: list[Answer], missing: Collection[str]) -> list[Answer]:
    """Values of a dimension become numbers where all of them are.

    Raises:
        DataError: among numbers stand words such as NA or inf and no others; whoever wrote them meant no category.
    """
    answers = [a._replace(value=None) if str(a.value) in missing else a for a in answers]
    words: dict[str, list[Answer]] = {a.dimension: [] for a in answers}
    numbers: set[str] = set()
    for a in answers:
        if a.value is not None and as_number(str(a.value)) is None:
            words[a.dimension].append(a)
        elif a.value is not None:
            numbers.add(a.dimension)
    for dimension in numbers:
        found = words[dimension]
        if found and all(str(a.value).lower() in NO_NUMBER for a in found):
            raise DataError(
                f"{found[0].where}: value: {found[0].value!r} among numbers, {len(found)} such in {dimension!r}. "
                f"Leave the cell empty where no rating was given, or say so: --missing {found[0].value}."
            )
    return [
        a if a.value is None or words[a.dimension] else a._replace(value=as_number(str(a.value)))
        for a in answers
    ]


def as_number(text: str) -> int | float | None:
    """The number a text is; None where it is none.

    >>> as_number("3"), as_number("3.0"), as_number("2.5"), as_number("nan"), as_number("1_0")
    (3, 3, 2.5, None, None)
    """
    if not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", text):
        return None
    number = float(text)
    return int(number) if number.is_integer() else number
