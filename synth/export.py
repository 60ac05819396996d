"""A corpus in the forms that others read: a Hugging Face data set folder, JSON lines, or Parquet."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..study import parts
from ..study.errors import DataError
from ..study.records import read_jsonl, write_text
from .histories import histories
from .records import Grounding, Rationale

FORMS = {"datasets": "data/{split}.parquet", "parquet": "{split}.parquet", "jsonl": "{split}.jsonl"}
"""File of each split, from the folder that is written."""


def export(home: Path, target: Path, form: str, with_history: bool = False) -> dict[str, int]:
    """Write the corpus of a run folder, one file a split, with its card.

    Args:
        home: the run folder.
        target: a folder that does not exist yet.
        form: `datasets` (which `datasets.load_dataset(folder)` reads), `parquet` or `jsonl`.
        with_history: also the timeline that the rationale is about; patient text goes with it.
    Returns:
        Rows by split.
    Raises:
        StudyError: no such form.
        DataError: there is no corpus, or the target exists.
    """
    name = parts.pick(FORMS, "form", form)
    if not (home / "synth" / "manifest.json").exists():
        raise DataError(f"{home / 'synth'}: no finished corpus. Run `wherefore synth` first.")
    if target.exists():
        raise DataError(f"{target}: exists. Choose a folder that does not.")
    rows: dict[str, list[dict[str, Any]]] = {}
    for split, row in _rows(home, with_history):
        rows.setdefault(split, []).append(row)
    for split, found in rows.items():
        _write(target / name.format(split=split), found)
    for card in ("README.md", "card.json"):
        write_text(target / card, (home / "synth" / card).read_text())
    return {split: len(found) for split, found in rows.items()}


def _rows(home: Path, with_history: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    cases = {h.case.id: h.case for h in histories(home / "cohort", ("train", "tuning", "held_out"))}
    groundings = read_jsonl(home / "synth" / "groundings.jsonl", Grounding)
    rationales = read_jsonl(home / "synth" / "rationales.jsonl", Rationale)
    for rationale, grounding in zip(rationales, groundings, strict=True):
        case = cases[rationale.case]
        row = {**rationale.model_dump(mode="json"), "text": rationale.text, "label": case.label}
        row["faults"] = [c.fault for c in grounding.checks]
        row["support"] = grounding.support
        yield case.split, {**row, "history": case.timeline} if with_history else row


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")
