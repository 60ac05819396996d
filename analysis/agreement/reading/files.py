"""Ratings from files: what kind of file it is, and which reader takes it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ....study import layout
from ....study.errors import DataError
from .cells import Sheet, text_sheet
from .header import Columns, columns
from .platforms import prepared
from .settle import settled
from .shapes.shape import shaped
from .shapes.shaped import SAYS, ShapedRatings
from .source import RatingReadSettings, RatingSource, Unsettled
from .study import run_folder
from .tools.flat_label_studio import flat_label_studio, is_flat_export
from .tools.json_files import RUN_FOLDER, load, recognised
from .workbooks import WORKBOOKS, workbook

TEXT = (".csv", ".tsv", ".txt", ".tab", ".dat")
JSON = (".json", ".jsonl", ".ndjson")
R = "in R: write.csv(x, 'ratings.csv', row.names = FALSE)"
INSTEAD = {
    ".xls": "save it as .xlsx or CSV",
    ".ods": "save it as .xlsx or CSV",
    ".numbers": "export it as .xlsx or CSV",
    ".rds": R,
    ".rdata": R,
    ".rda": R,
    ".zip": "unpack it",
    ".gz": "unpack it",
    ".pdf": "copy the table into a spreadsheet and save it as CSV",
    ".docx": "copy the table into a spreadsheet and save it as CSV",
    ".xml": "export JSON or CSV",
}
"""Kinds of file that are not read, and what to do."""


def read(path: Path | Sequence[Path], settings: RatingReadSettings | None = None) -> RatingSource:
    """Read ratings by the kind of the file.

    Args:
        path: delimited text, a workbook (.xlsx), a file of SPSS, Stata or SAS, JSON of an annotation tool, or a
            run folder; or several such files, each of one rater, who is called as the file.
        settings: what the user says about it.
    Raises:
        DataError: a file that cannot be read, or cells that are no ratings, with their places and what to do.
    """
    settings = settings or RatingReadSettings()
    paths = [path] if isinstance(path, Path) else list(path)
    if len(paths) == 1:
        (one,) = paths
        if (ratings := _of_run_folder(one)) is not None:
            return run_folder(ratings, settings)
        return settled(unsettled(one, settings), settings)
    return settled(_together([unsettled(p, settings, p.stem) for p in paths]), settings)


def unsettled(path: Path, settings: RatingReadSettings, rater: str | None = None) -> Unsettled:
    """The ratings of one file as it has them.

    Args:
        path: of the file.
        settings: what the user says about it.
        rater: whose file it is, where it does not say.
    Raises:
        DataError: a file that cannot be read.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: not found. Give a table of ratings (CSV, .xlsx, .sav, .dta), the export of an "
            "annotation tool, or "
            "a run folder."
        )
    ending = path.suffix.lower()
    if ending in JSON:
        content = recognised(load(path, settings.encoding), path.name, settings, rater)
        return content if isinstance(content, Unsettled) else _table(content, path.name, settings, rater)
    if ending in WORKBOOKS:
        return _table(workbook(path, settings.sheet), path.name, settings, rater)
    if ending in TEXT or not ending:
        return _table(text_sheet(path, settings.delimiter, settings.encoding), path.name, settings, rater)
    if ending in INSTEAD:
        raise DataError(f"{path}: {ending} files are not read; {INSTEAD[ending]}.")
    allowed = ", ".join((*TEXT, *JSON, *WORKBOOKS))
    raise DataError(f"{path}: ends in {path.suffix!r}. Allowed, in any case: {allowed}.")


def _of_run_folder(path: Path) -> Path | None:
    """The ratings of a run folder, where the path is one or is its ratings.jsonl."""
    if path.is_dir():
        places = (layout.RATINGS.at(path), path / layout.RATINGS.name)
        return next((p for p in places if p.exists()), None)
    if path.suffix == ".jsonl" and path.is_file():
        with path.open(encoding="utf-8", errors="replace") as f:
            first = f.readline()
        return path if all(f'"{key}"' in first for key in RUN_FOLDER) else None
    return None


def _table(sheet: Sheet, name: str, settings: RatingReadSettings, rater: str | None) -> Unsettled:
    """The ratings of a table, whoever wrote it."""
    c = columns(sheet, name, settings.header)
    if is_flat_export([str(n) for n in c.table.columns]):
        rows = [{str(k): v for k, v in row.items() if v} for row in c.table.to_dict("records")]
        format = f"Label Studio, {c.format}"
        return flat_label_studio(
            rows, name, format, settings.columns.get("value", ()), [int(n) for n in c.lines]
        )
    c, by_role, closed = prepared(c, name, settings.columns)
    if rater is not None and "rater" not in by_role and "rater" not in c.table.columns:
        c = c._replace(table=c.table.assign(rater=rater))
    return of_table(c, shaped(c, name, by_role, settings.shape, settings.names), name, closed)


def of_table(c: Columns, f: ShapedRatings, name: str, closed: bool = False) -> Unsettled:
    """The ratings that were found in a table, with the value labels of its columns."""
    ratings, notes = _with_labels(c, f)
    order = f.columns.get("order", "")
    return Unsettled(
        name,
        c.format,
        SAYS[f.shape],
        ratings,
        f.columns,
        {n: what for n, what in f.unused.items() if what != "empty"},
        (*c.notes, *f.notes, *notes),
        _offered(c, f),
        closed=closed,
        nameless=f.nameless,
        reference=f.reference,
        cluster_name=f.cluster_name,
        group_name=f.columns.get("group", "group"),
        rank=not order or order.lower() in ("order", "sequence", "position", "trial", "rank"),
    )


def _with_labels(c: Columns, f: ShapedRatings) -> tuple[pd.DataFrame, list[str]]:
    """Names instead of codes for items, raters and groups; the ratings keep their codes."""
    ratings, notes = f.ratings, []
    for role in ("item", "rater", "cluster", "group", "dimension"):
        labels = c.labels.get(f.columns.get(role, ""))
        if labels:
            ratings = ratings.assign(**{role: [labels.get(v, v) for v in ratings[role]]})
    labels = _value_labels(c, f)
    if labels:
        some = ", ".join(f"{code} = {label}" for code, label in list(labels.items())[:4])
        notes.append(f"value labels of the file: {some}{', ...' if len(labels) > 4 else ''}")
    return ratings, notes


def _value_labels(c: Columns, f: ShapedRatings) -> dict[str, str]:
    """Code -> label, where all columns of ratings have the same labels."""
    names = f.columns.get("rating", f.columns.get("rater", "")).removeprefix("the columns ")
    by_column = [c.labels.get(n, {}) for n in names.split(", ")]
    return by_column[0] if by_column and all(labels == by_column[0] for labels in by_column) else {}


def _offered(c: Columns, f: ShapedRatings) -> dict[str, tuple[str, ...]]:
    """The categories that the shape or the value labels declare, by dimension; "" for all."""
    if f.categories is not None:
        return {"": f.categories}
    labels = _value_labels(c, f)
    occur = set(f.ratings["value"]) - {""}
    return {"": tuple(labels)} if labels and occur <= set(labels) and len(labels) > 1 else {}


def _together(some: Sequence[Unsettled]) -> Unsettled:
    """Several files as one."""
    first = some[0]
    parts = [
        u.ratings.assign(where=[f"{u.name}:{w}" if str(w)[:1].isdigit() else w for w in u.ratings["where"]])
        for u in some
    ]
    notes = [f"{u.name}: {n}" for u in some for n in u.notes]
    if len({tuple(sorted(u.columns)) for u in some}) > 1:
        notes.append("the files have different columns")
    return first._replace(
        name=f"{len(some)} files",
        ratings=pd.concat(parts, ignore_index=True),
        columns=first.columns | {"rater": f"the files {', '.join(u.name for u in some)}"},
        notes=tuple(dict.fromkeys(notes)),
    )
