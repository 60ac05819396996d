"""What the investigator decided about forms, with time and author: `annotate/decisions.jsonl`, only added to."""

import getpass
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ..study.files import rows
from ..study.records import Record, write_jsonl
from .label_studio.exported import SubmittedForm

FILE = "decisions.jsonl"
Kind = Literal["reopened", "accepted", "reworded", "new_round", "gate"]
"""`gate`: the main round may be handed out."""


class Decision(Record):
    """One decision."""

    at: str
    """ISO, UTC."""
    by: str
    """The account on this machine that ran the command."""
    what: Kind
    round: str = ""
    rater: str = ""
    item: str = ""
    form: tuple[str, ...] = ()
    """Key of the form that it is about."""
    touched: str = ""
    """When that form was touched last; a later one is another matter."""
    content: str = ""
    """Hash of what that form answered."""
    before: str = ""
    """The version of rubric and page that was handed out before."""
    after: str = ""
    """And the one that took its place."""
    why: str = ""
    held: SubmittedForm | None = None
    """A form that was given back, as it was."""


class Decisions:
    """All decisions of a run."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self.rows = list(decisions)

    @classmethod
    def read(cls, folder: Path) -> "Decisions":
        """Those of a run folder's `annotate/`."""
        return cls(rows(folder / FILE, Decision))

    def add(self, folder: Path, decision: Decision) -> None:
        """Write one more."""
        self.rows.append(decision)
        write_jsonl(folder / FILE, self.rows)

    def reopened(self, round: str, rater: str, form: SubmittedForm) -> bool:
        """Whether the form was given back to its rater and not sent again since."""
        return any(
            d.what == "reopened"
            and (d.round, d.rater, d.form) == (round, rater, form.key)
            and form.at <= d.touched
            for d in self.rows
        )

    def accepted(self, round: str, rater: str, form: SubmittedForm) -> bool:
        """Whether somebody else's change to this form was accepted; another change is another matter."""
        return any(
            d.what == "accepted"
            and (d.round, d.rater, d.form, d.content) == (round, rater, form.key, form.content)
            for d in self.rows
        )

    def past_gate(self, version: str) -> bool:
        """Whether the main round of this version of rubric and page may be handed out; it stays so."""
        same = self.same_as(version)
        return any(d.what == "gate" and d.after in same for d in self.rows)

    def same_as(self, version: str) -> set[str]:
        """The versions of rubric and page whose forms count as those of this one: it, and what was only reworded."""
        same = {version}
        for d in reversed(self.rows):
            if d.what == "reworded" and d.after in same:
                same.add(d.before)
        return same


def now(what: Kind, **about: object) -> Decision:
    """A decision made now by whoever runs this."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Decision.model_validate({"at": at, "by": _user(), "what": what, **about})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"
