"""Grading without this program's server: a folder a rater to load into any Label Studio, and its export back.

An export is bound to its rater twice: by the account that graded it, and by the server's own names of the forms.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from ...study.errors import DataError
from ...study.records import Record, write_jsonl, write_text
from ..people import FILES, RaterRegister, keep_authors, server_of
from ..plan import GradingPlan
from ..settings import Person
from . import page, pull
from .exported import Author, SubmittedForm, forms_of
from .push import Context, config, task_data

Stored = Mapping[tuple[str, str], Collection[SubmittedForm]]
"""Forms that are here, by round and rater."""


def export(plan: GradingPlan, folder: Path, round: str, context: Context) -> list[Path]:
    """Write `<round>-<rater>/` with `config.xml`, `tasks.json` and `guideline.html` for every rater; the folders."""
    out = []
    for rater in sorted({t.rater for t in plan.of_round(round)}):
        tasks = [t for t in plan.of_round(round) if t.rater == rater]
        place = folder / f"{round}-{rater}"
        write_text(place / "config.xml", config(plan))
        data = [task_data(plan, t, context, f"{n} of {len(tasks)}") for n, t in enumerate(tasks, 1)]
        write_text(place / "tasks.json", json.dumps(data, ensure_ascii=False, indent=1))
        write_text(place / "guideline.html", page.instruction(plan.rubric))
        out.append(place)
    return out


class Taken(Record):
    """What an import brought."""

    forms: int
    """Of this rater and round that are here now."""
    new: int
    changed: int
    missing: int
    """Forms of an earlier import that this file lacks; they are kept."""
    older: int
    """Forms that were changed after this file was exported; they are kept as they are."""


def take_in(
    plan: GradingPlan, path: Path, folder: Path, round: str, rater: str, *, new_account: bool = False
) -> Taken:
    """Put one rater's JSON export (of Label Studio) beside what was brought before.

    Forms that were brought before and are newer in the file are replaced; the others are kept.

    Args:
        plan: what was to be graded.
        path: the file.
        folder: `runs/<study>/annotate`.
        round: which one.
        rater: whose grades these are.
        new_account: the rater graded this file by another account than those before.
    Raises:
        DataError: not such an export, another rater's, or of other items. Nothing is written.
    """
    tasks = _read(path)
    stored = pull.of_run(folder)
    old = stored.get((round, rater), [])
    read = [f for n, t in enumerate(tasks) for f in forms_of(t, FILES, at=n)]
    _of_these_items(path, read, plan, round, rater)
    forms = [keep_authors(old, f) for f in read]
    people = RaterRegister.read(folder, plan.settings.people)
    forms = _bound(path, forms, people, plan, rater, None if new_account else bool(old))
    _nobody_elses(path, forms, stored, rater)
    before = {f.key: f for f in old}
    older = {f.key for f in forms if f.at and f.key in before and f.at < before[f.key].at}
    now = {f.key: f for f in forms if f.key not in older}
    pulled = pull.path_of(folder, round, rater)
    write_jsonl(pulled, pull.in_order({**before, **now}.values()))
    people.save(folder)
    return Taken(
        forms=len({**before, **now}),
        new=len(now.keys() - before.keys()),
        changed=sum(k in before and before[k] != f for k, f in now.items()),
        missing=len(before.keys() - now.keys() - older),
        older=len(older),
    )


def _of_these_items(
    path: Path, forms: Collection[SubmittedForm], plan: GradingPlan, round: str, rater: str
) -> None:
    """Refuse the file of another rater, study or round."""
    known = {t.item for t in plan.tasks if (t.round, t.rater) == (round, rater)}
    if not known:
        raise DataError(f"{path}: {rater} has no task in round {round!r}. Check --rater and --round.")
    own = [f for f in forms if f.item in known]
    strange = [f for f in forms if f.item and f.item not in known]
    if strange and len(strange) >= len(own):
        raise DataError(
            f"{path}: {strange[0].item} is not a task of {rater} in round {round!r}, and {len(strange)} of "
            f"{len(forms)} forms are of such items. Is it another rater's file, or of another round?"
        )
    if not own:
        reason = next((f.odd[-1] for f in forms if f.odd), "no form in it names its item (data.item)")
        raise DataError(f"{path}: no form in it belongs to this study: {reason}.")


def _bound(
    path: Path,
    forms: list[SubmittedForm],
    people: RaterRegister,
    plan: GradingPlan,
    rater: str,
    bound: bool | None,
) -> list[SubmittedForm]:
    """The forms, after the account that graded them is known to be the rater's.

    Args:
        path: of the file.
        forms: in it.
        people: who is known by which account; what is learnt here goes in.
        plan: what was handed out.
        rater: whose file it is said to be.
        bound: whether the rater has forms by another account here; None: that does not matter.
    Raises:
        DataError: it is another's, or there are several and none is known.
    """
    where = server_of(forms[0], rater, "") if forms else ""
    authors = _authors(forms)
    theirs = [a for a in authors if people.owns(rater, a, where)]
    if theirs:
        for a in theirs:
            people.bind(rater, where, a)
        return forms
    if len(authors) > 1:
        raise DataError(
            f"{path}: graded by {len(authors)} accounts ({', '.join(map(str, authors))}), and none of them is known "
            f"to be {rater}'s. Give every rater a project, or put {rater}'s address into annotate.people."
        )
    if not authors:  # an export without accounts: the file is taken as a whole
        own = Author(email=Person(name=rater).account)
        people.bind(rater, where, own)
        return [f.model_copy(update={"by": own}) for f in forms]
    (author,) = authors
    if (other := people.rater_of(author, where)) is not None:
        raise DataError(f"{path}: graded by {author}, the account of {other}. Is --rater right?")
    declared = next((p.email for p in plan.settings.people if p.name == rater), "")
    if bound is not None and (bound or (declared and author.email)):
        raise DataError(
            f"{path}: graded by {author}, and {rater} is known as {people.name(rater)}. If it is {rater}'s account "
            "too, say --new-account, or correct the address in annotate.people."
        )
    people.bind(rater, where, author)
    return forms


def _authors(forms: Iterable[SubmittedForm]) -> list[Author]:
    """The accounts that made the forms, each once: a number and an address that are met together are one account."""
    met = dict.fromkeys(f.by for f in forms if f.by.known)
    emails = {a.id: a.email for a in met if a.email}
    full = [a if a.email else a.model_copy(update={"email": emails.get(a.id, "")}) for a in met]
    out: dict[str, Author] = {}
    for a in full:
        out.setdefault(a.email or f"#{a.id}", a)
    return list(out.values())


ENOUGH = 5
"""Forms that must all equal another rater's, seconds included, for the file to be taken for a copy."""


def _nobody_elses(path: Path, forms: Collection[SubmittedForm], stored: Stored, rater: str) -> None:
    """Refuse forms that are here under another rater's name."""
    for (_, other), theirs in stored.items():
        if other == rater:
            continue
        names = {f.key for f in theirs if f.unique} | {(*f.key, f.content) for f in theirs if f.made}
        same = [f for f in forms if f.key in names or (*f.key, f.content) in names]
        graded = {(f.item, f.content, f.seconds) for f in theirs if f.seconds}
        copies = [f for f in forms if (f.item, f.content, f.seconds) in graded]
        if not same and len(forms) >= ENOUGH and len(copies) == len(forms):
            same = copies
        if same:
            raise DataError(
                f"{path}: {len(same)} of {len(forms)} forms are here as {other}'s, such as {same[0].item}. A file "
                f"belongs to one rater; is --rater right?"
            )


def _read(path: Path) -> list[Any]:
    try:
        tasks = orjson.loads(path.read_bytes())
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {e.strerror}.") from e
    except orjson.JSONDecodeError as e:
        raise DataError(
            f"{path}: not JSON: {e}. Export as JSON in Label Studio, not as JSON-MIN or CSV."
        ) from e
    if not isinstance(tasks, list) or (
        tasks and not any(isinstance(t, dict) and "annotations" in t for t in tasks)
    ):
        raise DataError(
            f"{path}: not a list of tasks with annotations. Export as JSON in Label Studio, not as JSON-MIN or CSV."
        )
    return tasks
