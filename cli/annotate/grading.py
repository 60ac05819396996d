"""What the annotate commands share: whose study, which server, which round, and agreement on what is in so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import _common

if TYPE_CHECKING:
    from ...annotate.graded import FormFault
    from ...annotate.label_studio.client import Server
    from ...annotate.label_studio.database import Postgres
    from ...annotate.label_studio.push import Context
    from ...annotate.plan import GradingPlan
    from ...annotate.rounds import GradingState
    from ...annotate.settings import Settings
    from ...study.config import Study


PAST_GATE = click.option(
    "--past-gate", is_flag=True, help="Hand out the main round even if the calibration gate is not met."
)


def people(study: Path, runs: Path, *, finished_too: bool = False) -> "tuple[Study, Settings, Path]":
    """The study, its section and its run folder, where people grade and are not done.

    Raises:
        StudyError: nobody but programs grade in this study.
        StaleError: the verdicts are made; more grades would change a finished folder.
    """
    from ...annotate.run import resolve
    from ...study.errors import StaleError, StudyError
    from ...study.runs import manifest

    s = _common.opened(study)
    settings = resolve(s)
    if not settings.by_people:
        raise StudyError(
            f"{study}: annotate.raters is {settings.raters!r}; to have people grade, set it to 'label_studio' or "
            "'files'."
        )
    folder = runs / s.name / "annotate"
    if not finished_too and manifest(folder) is not None:
        raise StaleError(
            f"{folder}: complete, verdicts included. To continue grading, remove its manifest.json."
        )
    return s, settings, runs / s.name


@contextmanager
def server_of(settings: "Settings", run_folder: Path, rater: str = "") -> "Iterator[Server]":
    """The server of the study, with the token from the environment or of our own server.

    Args:
        settings: the section.
        run_folder: `runs/<study>`.
        rater: act as this rater, where the account is one that we made.
    """
    import os

    from ...annotate.label_studio import accounts, ledger
    from ...annotate.label_studio import server as server_
    from ...annotate.label_studio.client import Server
    from ...annotate.people import page_account
    from ...annotate.web import sign
    from ...study.errors import ServiceError

    if settings.server.url:
        url, name = settings.server.url, settings.server.token
        token = os.environ.get(name, "")
        if not token:
            raise ServiceError(f"{name}: not set. Put your token of {url} into this environment variable.")
        email = page_account(rater, ledger.read(run_folder / "annotate").run)
        if rater and (password := sign.known(run_folder / "annotate").passwords.get(email)):
            token = accounts.token(url, email, password)
    else:
        own = server_.known(run_folder / "label_studio")
        if own is None:
            raise ServiceError(
                f"{run_folder}: no server yet. Run `wherefore annotate serve`, or set annotate.server.url."
            )
        url, token = own.url, own.token
        email = next((p.account for p in settings.people if p.name == rater), "")
        if email in own.raters:
            token = server_.token(own, email)
    server = Server(url, token)
    try:
        yield server
    finally:
        server.close()


def push_due(
    s: "Study",
    settings: "Settings",
    run_folder: Path,
    server: "Server",
    *,
    past_gate: bool = False,
    restore: bool = False,
    new_round: bool = False,
    reworded: bool = False,
    prune: bool = False,
) -> None:
    """Hand out what is due.

    Raises:
        PendingError: the gate is shut.
        StaleError: the rubric changed, and nobody has said what that means.
    """
    from ...annotate import plan as plan_
    from ...annotate import rounds, versions
    from ...annotate.label_studio import ledger
    from ...annotate.label_studio import push as push_
    from ...annotate.people import RaterRegister
    from ...annotate.web import links as links_
    from ...study.runs import locked

    folder = run_folder / "annotate"
    said_release(server)
    with locked(folder):
        state = rounds.people(s, settings, run_folder)
        if restore:
            for title in push_.restore(state.plan, server, folder):
                click.echo(f"{title}: put back as it was handed out")
        if (change := versions.change(state.plan, folder)) is not None:
            if restore:
                click.echo(str(change))
                return
            decided(change, state.plan, folder, new_round=new_round, reworded=reworded)
            if reworded:
                for title in push_.reword(state.plan, server, folder, {change.before}):
                    click.echo(f"{title}: the new words are on the page")
            state = rounds.people(s, settings, run_folder)
        due = state.due
        if due is None:
            plan_.save(state.plan, folder)
            click.echo("everything is graded; continue with `wherefore run`")
            return
        gate(state, due, folder, past_gate=past_gate)
        state = state.with_adjudication() if due == "adjudication" else state
        plan_.save(state.plan, folder)
        versions.record(state.plan, folder)
        done = state.got.done
        pushed = push_.push(
            state.plan, server, folder, due, context(state, due, folder), done=done, prune=prune
        )
        known = RaterRegister.read(folder, settings.people)
        known.meet(ledger.read(folder).run, server.accounts())
        known.save(folder)
        if links_.read(folder) is not None:  # who joined gets a link, and who left loses it
            links_.issued(folder, [p.name for p in settings.people])
    for p in pushed:
        click.echo(
            f"{p.round} {p.rater}: project {p.project}, {p.added} added, {p.kept} up to date"
            + (f", {p.removed} removed" if p.removed else "")
            + (f", {p.left} no longer wanted and ungraded (`--prune` removes them)" if p.left else "")
            + (f", {p.superseded} graded and no longer wanted" if p.superseded else "")
        )


def decided(change: object, plan: "GradingPlan", folder: Path, *, new_round: bool, reworded: bool) -> None:
    """What to do about a rubric that changed.

    Raises:
        StaleError: nobody has said, or `reworded` is not true.
    """
    from ...annotate import versions

    assert isinstance(change, versions.Change)
    if not new_round and not reworded:
        versions.refuse(change)
    versions.decide(change, plan, folder, reworded=reworded)
    if new_round:
        click.echo(
            f"a new round: {sum(change.void.values())} forms by the earlier rubric are kept and do not count"
        )


def database(settings: "Settings") -> "Postgres | None":
    """Where our own server keeps its data."""
    from ...annotate.label_studio.database import postgres

    return postgres(settings.server.database, settings.server.database_password)


def release() -> str:
    """Of the Label Studio that we start."""
    from ...annotate.label_studio.install import VERSION

    return VERSION


def web() -> None:
    """Stop where what serves pages is not installed.

    Raises:
        MissingPartError: it is not.
    """
    from importlib.util import find_spec

    from ...study.errors import MissingPartError

    if lacking := [n for n in ("starlette", "uvicorn", "itsdangerous") if find_spec(n) is None]:
        raise MissingPartError(f"{lacking[0]}: not installed. `pip install 'wherefore-lab[grade]'` adds it.")


def said_release(server: "Server") -> None:
    """Say where the server is of a release that nobody has tried."""
    from ...annotate.label_studio.client import TRIED

    if not (release := server.version()).startswith(TRIED):
        click.echo(
            f"{server.url}: Label Studio {release}; tried with {TRIED}. Look at one page first.", err=True
        )


def links(run_folder: Path, settings: "Settings") -> Iterator[str]:
    """Where every rater grades, a line each; nothing where nothing is on a server."""
    from ...annotate.label_studio import accounts, ledger, server
    from ...annotate.web import links as links_

    folder = run_folder / "annotate"
    pushed, own, pages = ledger.read(folder), server.known(run_folder / "label_studio"), links_.read(folder)
    public = own.public if own is not None and own.public and not settings.server.url else pushed.url
    newest = {(p.round, p.rater): p for p in pushed.places}
    here = {p.name for p in settings.people}
    for (round, rater), place in newest.items():
        if rater not in here:
            continue
        if pages is not None and pages.url and rater in pages.raters:
            yield f"{round} {rater}: {pages.link(rater)}"
        yield f"{round} {rater}: {accounts.link(public, place.project)}"


def gate(state: "GradingState", due: str, folder: Path, *, past_gate: bool) -> None:
    """Stop before the main round while raters disagree on the calibration round; once it is open it stays open.

    Raises:
        PendingError: they do.
    """
    from ...annotate.decisions import Decisions, now
    from ...study.errors import PendingError

    rounds, version = state.plan.settings.rounds, state.plan.version
    decisions = Decisions.read(folder)
    if due != "main" or not rounds.gate or not rounds.calibration or decisions.past_gate(version):
        return
    alpha = agreement(state, rounds.gate, "calibration")
    value = "cannot be computed" if alpha is None else f"is {alpha:.2f}"
    if (alpha is None or alpha < rounds.gate_alpha) and not past_gate:
        raise PendingError(
            f"annotate.rounds.gate: alpha of {rounds.gate} on the calibration round {value}; {rounds.gate_alpha} is "
            "required. Discuss the items with the raters, then push with --past-gate, or calibrate on more items."
        )
    why = f"alpha of {rounds.gate} {value}" + (", --past-gate" if past_gate else "")
    decisions.add(folder, now("gate", after=version, why=why))


def context(state: "GradingState", round: str, folder: Path) -> "Context":
    """What raters of this round see beside the items: nothing, where they are to be blind."""
    from ...annotate import judge
    from ...annotate.graded import GradedForm
    from ...annotate.label_studio.push import Context

    items = state.plan.items
    if round == "adjudication":
        disagreements = state.disagreements()
        agreed = {
            i: judge.prediction(GradedForm(item=i, rater="", round=round, marks=d.agreed))
            for i, d in disagreements.items()
            if d.agreed
        }
        return Context(disagreements=disagreements, filled_in=agreed)
    if round != "assisted":
        return Context()
    given = judge.answers(folder)
    judge.check_assisted(state.plan.rubric, state.plan, given)
    return Context(filled_in={i: judge.prediction(a) for i, a in given.items() if i in items})


def agreement(state: "GradingState", dimension: str, round: str) -> float | None:
    """Krippendorff's alpha on the grades that are in; None where it is not defined."""
    from ...analysis.agreement import coefficient

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
    """A figure, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def fault_line(f: "FormFault") -> str:
    """A fault as the commands list it."""
    return (
        f"  {f.fault}{'' if f.counted else ' (does not count)'}: {f.rater}, {f.item or 'no item'}: {f.detail}"
    )
