"""Grading without this program's server: a folder a rater to load into any Label Studio, and its export back."""

import json
from pathlib import Path
from typing import Any

import orjson

from ...study.errors import DataError
from ...study.records import write_jsonl, write_text
from ..plan import Plan
from . import page
from .pull import FOLDER, sent_forms
from .push import Beside, config, task_data


def export(plan: Plan, folder: Path, round: str, beside: Beside) -> list[Path]:
    """Write `<round>-<rater>/` with `config.xml`, `tasks.json` and `guideline.html` for every rater; the folders."""
    out = []
    for rater in sorted({t.rater for t in plan.of_round(round)}):
        mine = [t for t in plan.of_round(round) if t.rater == rater]
        place = folder / f"{round}-{rater}"
        write_text(place / "config.xml", config(plan, mine))
        data = [task_data(plan, t, beside) for t in mine]
        write_text(place / "tasks.json", json.dumps(data, ensure_ascii=False, indent=1))
        write_text(place / "guideline.html", page.instruction(plan.rubric))
        out.append(place)
    return out


def take_in(plan: Plan, path: Path, folder: Path, round: str, rater: str) -> int:
    """Put one rater's JSON export (of Label Studio) beside what was pulled; how many forms it holds.

    A later export of the same rater and round takes the place of the earlier one.

    Raises:
        DataError: not such an export, another rater's, or of other items. Nothing is written.
    """
    tasks = _read(path)
    known = {t.item for t in plan.tasks if (t.round, t.rater) == (round, rater)}
    if not known:
        raise DataError(f"{path}: {rater} has no task in round {round!r}. Are --rater and --round right?")
    for n, task in enumerate(tasks):
        item = task.get("data", {}).get("item") if isinstance(task, dict) else None
        if item is None:
            raise DataError(f"{path}: entry {n}: no data.item, so it is no task of this program.")
        if item not in known:
            raise DataError(
                f"{path}: entry {n}: {item} is no task of {rater} in round {round!r}. Is it another rater's file?"
            )
    account = next((p.account for p in plan.settings.people if p.name == rater), rater)
    forms = [s for n, t in enumerate(tasks) for s in sent_forms({"id": n, **t}, {})]
    authors = sorted({s.by for s in forms})
    if len(authors) > 1:
        raise DataError(
            f"{path}: graded by {len(authors)} accounts ({', '.join(authors)}); give every rater an own project."
        )
    # Numbers of accounts mean nothing outside their server; one author is taken for the rater.
    mine = [
        s.model_copy(update={"by": account, "changed_by": account if s.changed_by == s.by else s.changed_by})
        for s in forms
    ]
    write_jsonl(folder / FOLDER / f"{round}-{rater}.jsonl", mine)
    return len(mine)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {e.strerror}.") from e
    except orjson.JSONDecodeError as e:
        raise DataError(
            f"{path}: not JSON: {e}. Export as JSON in Label Studio, not as JSON-MIN or CSV."
        ) from e
    if not isinstance(found, list) or any("annotations" not in t for t in found if isinstance(t, dict)):
        raise DataError(
            f"{path}: not a list of tasks with annotations. Export as JSON in Label Studio, not as JSON-MIN or CSV."
        )
    return found
