"""Tasks as a server or an export file gives them, read without trust: what is odd is said, and the rest is kept."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from ...study.records import Record, digest

Emails = Mapping[int, str]
"""E-mail address of each account of the server, by its number."""


class Author(Record):
    """The account behind a form. Either part may be missing: exports give numbers, objects, addresses, or null."""

    id: int | None = None
    email: str = ""
    """In lower case: Ann@clinic.org and ann@clinic.org are one account."""

    def __str__(self) -> str:
        return self.email or ("nobody" if self.id is None else f"account {self.id}")

    @property
    def known(self) -> bool:
        """Whether anything is said of who it was."""
        return self.id is not None or bool(self.email)


class SubmittedForm(Record):
    """One form as the server, or a file from a server, holds it."""

    item: str
    """Empty where the task does not say."""
    origin: str = ""
    """The project or kind of file it came from: numbers of two servers may be the same."""
    task: int | None = None
    annotation: int | None = None
    unique: str = ""
    """The server's own name of the annotation, the same wherever it is exported."""
    by: Author = Author()
    changed_by: Author = Author()
    """Who touched it last; unknown where nobody else did, or where the server does not say."""
    made: str = ""
    """When it was submitted first, ISO in UTC; empty where that is not known."""
    at: str = ""
    """When it was touched last."""
    seconds: float | None = None
    skipped: bool = False
    version: str = ""
    """Hash of the rubric and the page by which it was graded."""
    result: tuple[dict[str, Any], ...] = ()
    odd: tuple[str, ...] = ()
    """What could not be read, and was left out."""
    unreadable: bool = False
    """There is no form at all; `odd` says why."""
    gone: bool = False
    """Its task is no longer on the server."""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same form when it is met again, in another export too."""
        if self.unique:
            return (self.unique,)
        if self.annotation is None:
            return (self.origin, "task", str(self.task), *self.odd)
        return (self.origin, str(self.annotation), self.made)

    @property
    def content(self) -> str:
        """Hash of what was answered."""
        answers = sorted(str((c.get("from_name"), c.get("value"))) for c in self.result)
        return digest([self.skipped, answers])


def forms_of(
    task: Any, origin: str = "", emails: Emails | None = None, at: int | None = None
) -> Iterator[SubmittedForm]:
    """The forms of one task.

    Args:
        task: as exported; anything may stand in it.
        origin: of the project, or of the file.
        emails: of the server's accounts.
        at: the task's place in a file, from 0, to name it by where it has no number.
    """
    where = f"entry {at}" if at is not None else "task"
    if not isinstance(task, dict):
        yield SubmittedForm(
            item="", origin=origin, unreadable=True, odd=(f"{where} is {_kind(task)}, not a task",)
        )
        return
    number = _whole(task.get("id"))
    where = where if number is None else f"task {number}"
    data = task.get("data")
    odd: list[str] = []
    if not isinstance(data, dict):
        odd.append(f"{where}: data is {_kind(data)}")
        data = {}
    item, version = _text(data.get("item")), _text(data.get("version"))
    annotations = task.get("annotations")
    if annotations is None:
        annotations = []
    if not isinstance(annotations, list):
        annotations = [annotations]
    for a in annotations:
        base = SubmittedForm(item=item, origin=origin, task=number, version=version, odd=tuple(odd))
        yield _form(base, a, where, emails or {})


def _form(base: SubmittedForm, a: Any, where: str, emails: Emails) -> SubmittedForm:
    if not isinstance(a, dict):
        fault = f"{where}: annotation {a!r} is {_kind(a)} without its answers; export as JSON, forms included"
        return base.model_copy(
            update={"unreadable": True, "odd": (*base.odd, fault), "annotation": _whole(a)}
        )
    odd = [*base.odd]
    return base.model_copy(
        update={
            "annotation": _whole(a.get("id")),
            "unique": _text(a.get("unique_id")),
            "by": author(a.get("completed_by"), emails),
            "changed_by": author(a.get("updated_by"), emails),
            "made": _moment(a, "created_at", odd),
            "at": _moment(a, "updated_at", odd) or _moment(a, "created_at", []),
            "seconds": _seconds(a.get("lead_time"), odd),
            "skipped": a.get("was_cancelled") in (True, 1, "true", "True"),
            "result": tuple(_controls(a.get("result"), odd)),
            "odd": tuple(odd),
        }
    )


def author(account: Any, emails: Emails) -> Author:
    """Who an account is, given as an object, a number, a number in words, or an address."""
    if isinstance(account, dict):
        id, email = _whole(account.get("id")), _text(account.get("email"))
    else:
        id = _whole(account)
        email = account if isinstance(account, str) and "@" in account else ""
    return Author(id=id, email=(email or emails.get(id if id is not None else -1, "")).strip().casefold())


def _controls(result: Any, odd: list[str]) -> Iterator[dict[str, Any]]:
    if result is None:
        result = []
    if isinstance(result, dict):
        result = [result] if "from_name" in result else list(result.values())
    if not isinstance(result, list):
        odd.append(f"result is {_kind(result)}")
        result = []
    for control in result:
        if isinstance(control, dict):
            yield control
        else:
            odd.append(f"one of the answers is {_kind(control)}")


def _seconds(value: Any, odd: list[str]) -> float | None:
    """Seconds on the item; None where the server did not measure them or says what cannot be."""
    if value is None or value == "":
        return None
    seconds = _number(value)
    if seconds is None or not isfinite(seconds):
        odd.append(f"lead_time {value!r} is not a number of seconds")
        return None
    if seconds < 0:
        odd.append(f"lead_time {value!r} is negative")
        return None
    return seconds


def _number(value: Any) -> float | None:
    """`33.1`, `"33.1"`, `"33,1 s"` or `"00:01:30"` in seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    parts = value.strip().removesuffix("s").strip().replace(",", ".").split(":")
    try:
        total = 0.0
        for part in parts:
            total = 60 * total + float(part)
    except ValueError:
        return None
    return total if len(parts) <= 3 else None


def moment(value: Any) -> str | None:
    """A time in any of the forms that servers give, in UTC, so that later ones sort later; None where it is none.

    >>> moment("2026-11-22T10:00:00+02:00"), moment("2026-11-22 08:00:00.5"), moment("noon")
    ('2026-11-22T08:00:00.000000Z', '2026-11-22T08:00:00.500000Z', None)
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            then = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        else:
            then = datetime.fromisoformat(str(value).strip())
        then = then.replace(tzinfo=UTC) if then.tzinfo is None else then.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(a: Mapping[str, Any], field: str, odd: list[str]) -> str:
    value = a.get(field)
    if value is None or value == "":
        return ""
    time = moment(value)
    if time is None:
        odd.append(f"{field} {value!r} is not a time")
    return time or ""


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def _kind(value: Any) -> str:
    names = {
        type(None): "null",
        bool: "a truth value",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
    }
    return names.get(type(value), "an object")
