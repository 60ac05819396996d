"""Files of records, wherever they lie: a folder, a zip, packed or not, in one piece or in several."""

import re
import zipfile
import zlib
from pathlib import Path

from ...study.errors import DataError, StudyError
from ..events import Place

KINDS = (".csv", ".tsv", ".txt", ".parquet")
PACKED = ("", ".gz", ".bz2", ".xz")
ENDINGS = tuple(f"{kind}{packed}" for kind in KINDS for packed in PACKED)
OTHERS = (".xlsx", ".xls", ".ods", ".sav", ".dta", ".sas7bdat", ".xpt", ".rds", ".rdata", ".feather")
"""Tables of other programs."""
_SHARD = r"[-_.]?(?:part[-_]?)?\d+(?:[-_]of[-_]?\d+)?"
"""What stands behind the name of a table in several files: `measurement000000000012`, `measurement_part-3-of-8`."""


def opened(path: Path, place: Place, key: str) -> Path:
    """The folder or file; a zip is unpacked into the scratch folder first.

    Raises:
        StudyError: not there.
        DataError: a damaged zip, or a form that is not read.
    """
    if not path.exists():
        raise StudyError(
            f"{key}: {path}: not found. Give the path of the records, from the folder of the study file."
        )
    if path.suffix.lower() in OTHERS:
        raise DataError(f"{path.name}: {path.suffix} is not read here. Save it as CSV or Parquet.")
    if path.suffix.lower() != ".zip":
        return path
    out = place.scratch / path.stem
    try:
        with zipfile.ZipFile(path) as z:
            z.extractall(out, [n for n in z.namelist() if not n.startswith("__MACOSX")])
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as e:
        raise DataError(f"{path.name}: a damaged zip: {str(e) or type(e).__name__}. Copy it again.") from e
    return out


def listed(root: Path, endings: tuple[str, ...]) -> list[Path]:
    """The file, or all files with one of these endings in a folder and the folders inside, by name; none hidden.

    Hidden are names that begin with a dot, such as the `._0.parquet` that macOS leaves beside `0.parquet`.
    """
    if root.is_file():
        return [root]
    return sorted(
        p
        for p in root.rglob("*")
        if p.is_file() and p.name.lower().endswith(endings) and not hidden(p.relative_to(root))
    )


def hidden(path: Path) -> bool:
    """Whether a path has a part that is not meant to be seen."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


class Folder:
    """The tables of a folder, by name whatever their case and ending."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = listed(root, ENDINGS)

    def table(self, name: str) -> list[Path]:
        """The files of a table: of that name, in a folder of that name, or numbered pieces of it; empty: none."""
        wanted = {f"{name.lower()}{end}" for end in ENDINGS}
        exact = [f for f in self._files if f.name.lower() in wanted]
        if exact:
            return exact[:1]
        inside = [f for f in self._files if f.parent != self.root and f.parent.name.lower() == name.lower()]
        if inside:
            return inside
        pieces = re.compile(rf"{re.escape(name.lower())}{_SHARD}({'|'.join(map(re.escape, ENDINGS))})")
        return [f for f in self._files if pieces.fullmatch(f.name.lower())]

    def names(self) -> list[str]:
        """What the tables that are there are called, for an error."""
        return sorted({re.sub(r"\.[a-z.0-9]+$", "", f.name.lower()) for f in self._files})
