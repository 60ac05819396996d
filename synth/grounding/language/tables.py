"""The tables as they stand in `synth/grounding/data/`, with those of a study beside them."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from ....study.errors import DataError

COLUMNS = {
    "conditions": 4,
    "categories": 4,
    "drugs": 2,
    "drug_classes": 4,
    "measurements": 6,
    "conversions": 5,
    "units": 2,
    "states": 3,
    "numbers": 2,
    "vague": 6,
    "words": 2,
}
"""Tables and how many columns each has, with tabs between."""


def rows(name: str, own: Path | None = None) -> Iterator[list[str]]:
    """Rows of a table: of the project, then of the study's folder where it has that table.

    Raises:
        DataError: a row has too few or too many columns, by file and line.
    """
    packaged = files("wherefore.synth.grounding") / "data" / f"{name}.tsv"
    yield from _parsed(packaged.read_text(encoding="utf-8"), f"{name}.tsv", COLUMNS[name])
    more = own / f"{name}.tsv" if own else None
    if more is not None and more.exists():
        yield from _parsed(more.read_text(encoding="utf-8"), str(more), COLUMNS[name])


def _parsed(text: str, where: str, columns: int) -> Iterator[list[str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [c.strip() for c in line.split("\t")]
        if len(cells) != columns:
            raise DataError(
                f"{where}:{number}: {len(cells)} columns, {columns} are needed, with tabs between."
            )
        yield cells


def parts(cell: str, mark: str = ";") -> list[str]:
    """What a cell lists."""
    return [p for part in cell.split(mark) if (p := part.strip())]


def unknown(folder: Path) -> list[str]:
    """Files of a study's folder that are no table."""
    return sorted(p.name for p in folder.iterdir() if p.name not in {f"{n}.tsv" for n in COLUMNS})
