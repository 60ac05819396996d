"""Files of a MEDS folder: the data, the names and parents of codes, the splits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...study.errors import DataError
from ..reading import columns, files
from ..reading.tables import READING, unreadable


def opened(file: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(file)
    except READING as e:
        raise DataError(unreadable(file.name, e)) from e


def data_files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    inner = root / "data" if (root / "data").is_dir() else root
    return [f for f in files.listed(inner, (".parquet",)) if "metadata" not in f.relative_to(inner).parts]


def metadata(path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Code -> its name, and code -> its parents, from MEDS metadata as far as there is some."""
    if not path.exists():
        return {}, {}
    have = opened(path, pq.read_schema).names
    if "code" not in have:
        raise DataError(
            f"{path.name}: no column 'code'; it has {', '.join(have)}. MEDS metadata names the code so."
        )
    some = [c for c in ("code", "description", "parent_codes") if c in have]
    table = {
        c: v.to_pylist()
        for c, v in zip(some, opened(path, lambda f: pq.read_table(f, columns=some)), strict=True)
    }
    names: dict[str, str] = {}
    parents: dict[str, list[str]] = {}
    nothing = [None] * len(table["code"])
    rows = zip(
        table["code"], table.get("description", nothing), table.get("parent_codes", nothing), strict=True
    )
    for code, name, above in rows:
        if name:
            names.setdefault(str(code), str(name))
        listed = [above] if isinstance(above, str) else above or ()
        parents.setdefault(str(code), []).extend(str(p) for p in listed if p)
    return names, parents


def splits(path: Path) -> dict[str, str]:
    """Subject -> its part of the split; ids are text, as everywhere."""
    if not path.exists():
        return {}
    table = opened(path, pq.read_table)
    if not {"subject_id", "split"} <= set(table.column_names):
        raise DataError(
            f"{path.name}: no columns 'subject_id' and 'split'; it has {', '.join(table.column_names)}."
        )
    ids, split = (columns.texts(table[c]).tolist() for c in ("subject_id", "split"))
    return {i: s for i, s in zip(ids, split, strict=True) if i is not None and s is not None}
