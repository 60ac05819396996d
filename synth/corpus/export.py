"""A corpus in the forms that others read: a Hugging Face data set folder, JSON lines, or Parquet."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...cohort.records import Case
from ...study import layout, parts
from ...study.errors import DataError
from ...study.records import read_jsonl, write_text
from ..histories import histories
from ..records import Grounding, Rationale

FORMS = {"datasets": "data/{split}.parquet", "parquet": "{split}.parquet", "jsonl": "{split}.jsonl"}
"""File of each split, from the folder that is written."""

ROWS = 8192
"""Held at once."""

Row = dict[str, Any]


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
        raise DataError(f"{target}: already exists. Choose a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        part = Path(scratch) / target.name
        counts = _write(home, part, name, with_history)
        card = (layout.CARD_PAGE.at(home)).read_text()
        if form == "datasets":  # it knows no split called held_out by its file's name alone
            splits = "".join(f"  - split: {s}\n    path: {name.format(split=s)}\n" for s in counts)
            card = card.replace("---\n", f"---\nconfigs:\n- config_name: default\n  data_files:\n{splits}", 1)
        write_text(part / "README.md", card)
        write_text(part / "card.json", (layout.CARD.at(home)).read_text())
        part.replace(target)
    return counts


def _write(home: Path, folder: Path, name: str, with_history: bool) -> dict[str, int]:
    """Every row into the file of its split, as it comes; rows by split."""
    counts: Counter[str] = Counter()
    with ExitStack() as files:
        put: dict[str, Callable[[Row], None]] = {}
        for split, row in _rows(home, with_history):
            if split not in put:
                put[split] = files.enter_context(_file(folder / name.format(split=split), with_history))
            put[split](row)
            counts[split] += 1
    return dict(counts)


def _rows(home: Path, with_history: bool) -> Iterator[tuple[str, Row]]:
    groundings = read_jsonl(layout.GROUNDINGS.at(home), Grounding)
    rationales = read_jsonl(layout.RATIONALES.at(home), Rationale)
    cases = (h.case for h in histories(home / "cohort", ("train", "tuning", "held_out")))
    case: Case | None = None
    for rationale, grounding in zip(rationales, groundings, strict=True):
        while case is None or case.id != rationale.case:  # rationales stand in the order of the cases
            case = next(cases, None)
            if case is None:
                raise DataError(
                    f"{home / 'synth'}: case {rationale.case!r} is not in the cohort. "
                    "Run `wherefore synth` for the cohort as it is now."
                )
        row = {**rationale.model_dump(mode="json"), "text": rationale.text, "label": case.label}
        row["verdicts"] = [c.verdict for c in grounding.checks]
        row["faults"] = [c.fault for c in grounding.checks]
        row["doubts"] = [c.doubt for c in grounding.checks]
        row["facts"] = grounding.facts
        row["support"] = grounding.support
        yield case.split, {**row, "history": case.timeline} if with_history else row


@contextmanager
def _file(path: Path, with_history: bool) -> Iterator[Callable[[Row], None]]:
    """Takes the rows of one split."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as f:
            yield lambda row: print(json.dumps(row, ensure_ascii=False), file=f)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, whole = pa.string(), pa.int64()
    claim = pa.struct([("text", text), ("cites", pa.list_(text)), ("section", text), ("kind", text)])
    fields = [
        ("id", text),
        ("case", text),
        ("style", text),
        ("sample", whole),
        ("teacher", text),
        ("claims", pa.list_(claim)),
        ("verdict", whole),
        ("label_shown", pa.bool_()),
        ("risk_told", pa.float64()),
        ("draft_verdict", whole),
        ("key", text),
        ("text", text),
        ("label", whole),
        ("verdicts", pa.list_(text)),
        ("faults", pa.list_(text)),
        ("doubts", pa.list_(text)),
        ("facts", whole),
        ("support", pa.float64()),
    ]
    schema = pa.schema(fields + ([("history", text)] if with_history else []))
    held: list[Row] = []
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def put(row: Row) -> None:
            held.append(row)
            if len(held) == ROWS:
                flush()

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(held, schema=schema))
            held.clear()

        yield put
        flush()
