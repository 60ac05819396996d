"""What the investigator does about single forms: giving one back to its rater, accepting somebody else's edit."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..study.errors import DataError, did_you_mean
from .decisions import Decisions, now
from .label_studio import pull
from .label_studio.client import Server
from .label_studio.exported import SubmittedForm
from .rounds import GradingState


class RaterForm(NamedTuple):
    """One form, and whose it is."""

    round: str
    rater: str
    form: SubmittedForm
    detail: str = ""


def find(folder: Path, rater: str, item: str, round: str | None) -> RaterForm:
    """The rater's last form of an item, named whole or by its beginning.

    Raises:
        DataError: there is none, or more than one item is meant.
    """
    forms = pull.of_run(folder)
    own_forms = [
        RaterForm(rd, who, f)
        for (rd, who), some in forms.items()
        if who == rater
        for f in some
        if not f.unreadable
    ]
    if not own_forms:
        known = sorted({who for _, who in forms})
        raise DataError(f"{rater}: no form by this rater. {did_you_mean(rater, known)}")
    hits = [f for f in own_forms if f.form.item.startswith(item) and round in (None, f.round)]
    items = sorted({f.form.item for f in hits})
    if not items:
        raise DataError(
            f"{item}: {rater} has not graded it. {did_you_mean(item, [f.form.item for f in own_forms][:5])}"
        )
    if len(items) > 1:
        raise DataError(
            f"{item}: matches {len(items)} items ({', '.join(items[:3])}, ...). Give more characters."
        )
    if len({f.round for f in hits}) > 1:
        raise DataError(f"{item}: graded by {rater} in several rounds; say which with --round.")
    return max(hits, key=lambda f: (f.form.at, f.form.annotation or 0))


def record(folder: Path, rater_form: RaterForm, because: str) -> None:
    """Write down that the form is given back; from then on it does not count."""
    form = rater_form.form
    decision = now(
        "reopened",
        round=rater_form.round,
        rater=rater_form.rater,
        item=form.item,
        form=form.key,
        touched=form.at,
        content=form.content,
        why=because,
        held=form,
    )
    Decisions.read(folder).add(folder, decision)


def on_server(rater_form: RaterForm, server: Server) -> None:
    """Turn the form into a draft, so that the rater's page shows the item again."""
    if rater_form.form.annotation is not None:
        server.give_back(rater_form.form.annotation)


def edited(folder: Path, state: GradingState, item: str, rater: str | None) -> Iterator[RaterForm]:
    """Forms of an item that do not count because somebody else made or changed them.

    Raises:
        DataError: there is none.
    """
    faults = [
        f
        for f in state.got.faults
        if f.fault in ("foreign_edit", "foreign_annotation")
        and not f.counted
        and f.item.startswith(item)
        and rater in (None, f.rater)
    ]
    if not faults:
        raise DataError(
            f"{item}: no form of it was changed by somebody else, so there is nothing to accept. "
            "`wherefore annotate pull` lists those that were."
        )
    if len({f.item for f in faults}) > 1:
        raise DataError(f"{item}: matches several items; give more characters.")
    forms = pull.of_run(folder)
    for fault in faults:
        of_item = [f for f in forms[fault.round, fault.rater] if f.item == fault.item]
        yield RaterForm(
            fault.round, fault.rater, max(of_item, key=lambda f: (f.at, f.annotation or 0)), fault.detail
        )


def accept(folder: Path, rater_form: RaterForm, because: str) -> None:
    """Write down that the form counts as it is now; another change to it would not."""
    form = rater_form.form
    decision = now(
        "accepted",
        round=rater_form.round,
        rater=rater_form.rater,
        item=form.item,
        form=form.key,
        touched=form.at,
        content=form.content,
        why=because,
        held=form,
    )
    Decisions.read(folder).add(folder, decision)
