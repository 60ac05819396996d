"""What the annotate commands share: whose study, which server, which round, and agreement on what is in so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _common

if TYPE_CHECKING:
    from ..annotate.answers import Fault
    from ..annotate.label_studio.client import Server
    from ..annotate.label_studio.push import Beside
    from ..annotate.rounds import State
    from ..annotate.settings import Settings
    from ..study.config import Study


def people(study: Path, runs: Path, *, finished_too: bool = False) -> "tuple[Study, Settings, Path]":
    """The study, its section and its run folder, where people grade and are not done.

    Raises:
        StudyError: nobody but programs grade in this study.
        StaleError: the verdicts are made; more grades would change a finished folder.
    """
    from ..annotate.run import resolve
    from ..study.errors import StaleError, StudyError
    from ..study.runs import manifest

    s = _common.opened(study)
    settings = resolve(s)
    if settings.raters not in ("label_studio", "files"):
        raise StudyError(
            f"{study}: annotate.raters is {settings.raters!r}; people grade where it is 'label_studio'."
        )
    folder = runs / s.name / "annotate"
    if not finished_too and manifest(folder) is not None:
        raise StaleError(
            f"{folder}: complete, verdicts included. To go on grading, remove its manifest.json."
        )
    return s, settings, runs / s.name


@contextmanager
def server_of(settings: "Settings", home: Path) -> "Iterator[Server]":
    """The server of the study, with the token from the environment or of our own server."""
    import os

    from ..annotate.label_studio import server as server_
    from ..annotate.label_studio.client import Server
    from ..study.errors import ServiceError

    if settings.server.url:
        url, name = settings.server.url, settings.server.token
        token = os.environ.get(name, "")
        if not token:
            raise ServiceError(f"{name}: not set. Put your token of {url} into this environment variable.")
    else:
        own = server_.known(home / "label_studio")
        if own is None:
            raise ServiceError(
                f"{home}: no server yet. Run `wherefore annotate serve`, or set annotate.server.url."
            )
        url, token = own.url, own.token
    server = Server(url, token)
    try:
        yield server
    finally:
        server.close()


def push_due(
    s: "Study", settings: "Settings", home: Path, server: "Server", past_gate: bool, restore: bool = False
) -> None:
    from ..annotate import plan as plan_
    from ..annotate import rounds
    from ..annotate.label_studio import push as push_
    from ..annotate.label_studio.client import TRIED
    from ..study.runs import locked

    folder = home / "annotate"
    if not (release := server.version()).startswith(TRIED):
        click.echo(
            f"{server.url}: Label Studio {release}; tried with {TRIED}. Look at one page first.", err=True
        )
    with locked(folder):
        state = rounds.people(s, settings, home)
        if restore:
            for title in push_.restore(state.plan, server, folder):
                click.echo(f"{title}: labeling interface put back")
        due = state.due
        if due == "adjudication":
            state = state.with_adjudication()
        plan_.save(state.plan, folder)
        if due is None:
            click.echo("everything is graded; `wherefore run` goes on")
            return
        gate(state, due, past_gate)
        for p in push_.push(state.plan, server, folder, due, beside(state, due, folder)):
            click.echo(
                f"{p.round} {p.rater}: project {p.project}, {p.added} added, {p.kept} there"
                + (f", {p.removed} taken away" if p.removed else "")
                + (f", {p.superseded} graded but no longer wanted" if p.superseded else "")
            )


def gate(state: "State", due: str, past_gate: bool) -> None:
    """Stop before the main round while raters disagree on the calibration round."""
    from ..study.errors import PendingError

    rounds = state.plan.settings.rounds
    if due != "main" or not rounds.gate or not rounds.calibration:
        return
    alpha = agreement(state, rounds.gate, "calibration")
    if (alpha is None or alpha < rounds.gate_alpha) and not past_gate:
        found = "cannot be computed" if alpha is None else f"is {alpha:.2f}"
        raise PendingError(
            f"annotate.rounds.gate: alpha of {rounds.gate} on the calibration round {found}; {rounds.gate_alpha} is "
            "asked for. Discuss the items with the raters, then push with --past-gate, or calibrate on more items."
        )


def beside(state: "State", round: str, folder: Path) -> "Beside":
    """What raters of this round see beside the items: nothing, where they are to be blind."""
    from ..annotate import judge
    from ..annotate.label_studio.push import Beside

    if round == "adjudication":
        return Beside(earlier=state.earlier())
    if round != "assisted":
        return Beside()
    given = judge.answers(folder)
    judge.check_assisted(state.plan.rubric, state.plan, given)
    items = state.plan.items
    return Beside(seen={i: judge.prediction(a, len(items[i].claims)) for i, a in given.items() if i in items})


def agreement(state: "State", dimension: str, round: str) -> float | None:
    """Krippendorff's alpha on the grades that are in; None where it is not defined."""
    from ..analysis.agreement import coefficient

    d = state.plan.rubric.dimension(dimension)
    assert d is not None  # resolve() looked it up
    ratings = [r for r in state.ratings() if r.dimension == dimension and r.round == round]
    raters = sorted({r.rater for r in ratings})
    units: dict[tuple[str, int | None], list[str | None]] = {}
    for r in ratings:
        units.setdefault((r.item, r.claim), [None] * len(raters))[raters.index(r.rater)] = r.value
    if not any(sum(v is not None for v in values) > 1 for values in units.values()):
        return None
    return coefficient(list(units.values()), "krippendorff_alpha", d.level, categories=d.categories)


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def fault_line(f: "Fault") -> str:
    return f"  {f.fault}{'' if f.counted else ' (does not count)'}: {f.rater}, {f.item}: {f.detail}"
