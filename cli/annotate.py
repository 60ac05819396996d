"""`wherefore annotate`: hand the rationales to people and bring the grades back."""

from pathlib import Path

import click

from . import _common, _grading

PAST_GATE = click.option(
    "--past-gate", is_flag=True, help="Hand out the main round although the calibration gate is not met."
)


@click.group()
def command() -> None:
    """Hand rationales to people (Label Studio), bring the grades back, see how it goes.

    `serve` starts a Label Studio on this machine and hands out what is due. With a server of your own, `push` hands
    out and `pull` brings back. Without one, `export` and `import` do it by files. `wherefore run` goes on when all
    grades are in.
    """


@command.command()
def install() -> None:
    """Install Label Studio in an environment of its own, if it is not there."""
    from ..annotate.label_studio import server

    click.echo(f"Label Studio {server.VERSION}: {server.environment()}")


@command.command("run")
@_common.with_study
def run_(study: Path, runs: Path) -> None:
    """Make ratings and verdicts of what is in."""
    from ..annotate.run import run

    s = _common.opened(study)
    with _common.run_folder(s, runs) as run_folder:
        run(s, run_folder)


@command.command()
@_common.with_study
@click.option(
    "--port", default=8080, show_default=True, help="On this machine only; refused where it is taken."
)
@click.option("--hours", type=float, default=None, help="Stop by itself after so long.")
@PAST_GATE
def serve(study: Path, runs: Path, port: int, hours: float | None, past_gate: bool) -> None:
    """Start Label Studio on this machine, make the raters' accounts, hand out what is due, print a link each."""
    import threading

    from ..annotate.label_studio import push as push_
    from ..annotate.label_studio import server as server_
    from ..study.errors import PendingError

    s, settings, home = _grading.people(study, runs)
    folder = home / "label_studio"
    with server_.serving(folder, port) as state:
        click.echo(f"Label Studio {server_.VERSION} on {state.url} (data in {folder})")
        passwords = {p.name: server_.account(folder, state, p.account) for p in settings.people}
        with _grading.server_of(settings, home) as server:
            try:
                _grading.push_due(s, settings, home, server, past_gate)
            except PendingError as e:
                click.echo(str(e))
        for place in push_.ledger(home / "annotate").places:
            person = next(p for p in settings.people if p.name == place.rater)
            click.echo(
                f"{place.round} {place.rater}: {server_.link(state.url, place.project)} "
                f"(sign in as {person.account}, password {passwords[person.name]})"
            )
        click.echo("Serving. Bring the grades back with `wherefore annotate pull`; stop with ctrl+c.")
        try:
            threading.Event().wait(None if hours is None else hours * 3600)
        except KeyboardInterrupt:
            click.echo("stopped; the grades are kept")


@command.command()
@_common.with_study
@PAST_GATE
@click.option("--restore", is_flag=True, help="Put back a labeling interface that was changed on the server.")
def push(study: Path, runs: Path, past_gate: bool, restore: bool) -> None:
    """Hand out the round that is due; safe to repeat."""
    s, settings, home = _grading.people(study, runs)
    with _grading.server_of(settings, home) as server:
        _grading.push_due(s, settings, home, server, past_gate, restore)


@command.command()
@_common.with_study
@_common.as_json
@click.option("--full", is_flag=True, help="Read everything again instead of what changed.")
def pull(study: Path, runs: Path, json_out: bool, full: bool) -> None:
    """Bring back what is new on the server, check it, and list what is wrong with it."""
    from ..annotate import progress, rounds
    from ..annotate.label_studio import pull as pull_
    from ..study.runs import locked

    s, settings, home = _grading.people(study, runs)
    with _grading.server_of(settings, home) as server, locked(home / "annotate"):
        state = rounds.people(s, settings, home)
        done = pull_.pull(state.plan, server, home / "annotate", full=full)
        state = rounds.people(s, settings, home)
        progress.save(state, home / "annotate")
    faults = state.got.faults
    data = {"projects": [d.model_dump() for d in done], "faults": [f.model_dump() for f in faults]}
    lines = [f"{d.round} {d.rater}: {d.changed} read, {d.graded} forms here" for d in done]
    lines += [
        f"  {f.fault}{'' if f.counted else ' (does not count)'}: {f.rater}, {f.item}: {f.detail}"
        for f in faults
    ]
    _common.say("\n".join(lines), data, json_out)


@command.command()
@_common.with_study
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), default=None, help="Default: the run folder."
)
@PAST_GATE
def export(study: Path, runs: Path, to: Path | None, past_gate: bool) -> None:
    """Write the round that is due as files for a Label Studio of your own, a folder a rater."""
    from ..annotate import plan, rounds
    from ..annotate.label_studio import exchange
    from ..study.runs import locked

    s, settings, home = _grading.people(study, runs)
    folder = home / "annotate"
    with locked(folder):
        state = rounds.people(s, settings, home)
        due = state.due
        if due is None:
            click.echo("everything is graded; `wherefore run` goes on")
            return
        state = state.with_adjudication() if due == "adjudication" else state
        _grading.gate(state, due, past_gate)
        plan.save(state.plan, folder)
        for place in exchange.export(
            state.plan, to or home / "annotate_files", due, _grading.beside(state, due, folder)
        ):
            click.echo(f"{place}: make a project with config.xml and import tasks.json")


@command.command("import")
@_common.with_study
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rater", required=True, help="Whose grades these are.")
@click.option("--round", "round_", default="main", show_default=True, help="Of which round.")
def import_(study: Path, runs: Path, file: Path, rater: str, round_: str) -> None:
    """Take in FILE, one rater's grades as Label Studio exports them (JSON)."""
    from ..annotate import progress, rounds
    from ..annotate.label_studio import exchange
    from ..study.runs import locked

    s, settings, home = _grading.people(study, runs)
    with locked(home / "annotate"):
        state = rounds.people(s, settings, home)
        n = exchange.take_in(state.plan, file, home / "annotate", round_, rater)
        state = rounds.people(s, settings, home)
        progress.save(state, home / "annotate")
    faults = [f for f in state.got.faults if f.rater == rater]
    click.echo("\n".join([f"{round_} {rater}: {n} forms here", *map(_grading.fault_line, faults)]))


@command.command()
@_common.with_study
@_common.as_json
def status(study: Path, runs: Path, json_out: bool) -> None:
    """Say who has graded how much and how fast, and how far the raters agree so far."""
    from ..annotate import progress, rounds

    s, settings, home = _grading.people(study, runs, finished_too=True)
    state = rounds.people(s, settings, home)
    rows = progress.rows(state, home / "annotate")
    agree = [
        {"round": round, "dimension": d.name, "alpha": alpha}
        for round in ("calibration", "main")
        for d in state.plan.rubric.dimensions
        if (alpha := _grading.agreement(state, d.name, round)) is not None
    ]
    noticed = progress.noticed(state)
    data = {
        "due": state.due,
        "raters": [r.model_dump() for r in rows],
        "agreement": agree,
        "controls": [n.model_dump() for n in noticed],
    }
    lines = [f"{'round':<13}{'rater':<16}{'done':>9}{'skipped':>9}{'faulty':>8}{'s/item':>8}{'items/h':>9}"]
    lines += [
        f"{r.round:<13}{r.rater:<16}{f'{r.done}/{r.total}':>9}{r.skipped:>9}{r.faults:>8}"
        f"{_grading.number(r.median_seconds):>8}{_grading.number(r.per_hour):>9}"
        for r in rows
    ]
    lines += [f"alpha so far, {a['round']}, {a['dimension']}: {a['alpha']:.2f}" for a in agree]
    lines += [f"found fault with {n.noticed} of {n.n} {n.control} items: {n.rater}" for n in noticed]
    lines.append(
        f"due: the {state.due} round" if state.due else "everything is graded; `wherefore run` goes on"
    )
    _common.say("\n".join(lines), data, json_out)


@command.command()
@_common.with_study
@_common.as_json
@click.option("--dimension", default=None, help="Default: the first that is asked of the whole rationale.")
@click.option("--alpha", default=0.6, show_default=True, help="Expected agreement.")
@click.option(
    "--width", default=0.2, show_default=True, help="Wanted width of the 95 % interval, limit to limit."
)
@click.option("--minutes", default=3.0, show_default=True, help="That a rater takes for an item.")
def plan(
    study: Path, runs: Path, json_out: bool, dimension: str | None, alpha: float, width: float, minutes: float
) -> None:
    """How many items and raters give an interval so narrow, and how many hours of clinicians that costs."""
    from ..analysis.agreement.planning import from_assumptions
    from ..annotate import rubric
    from ..annotate.run import resolve
    from ..study.errors import StudyError, not_one_of

    s = _common.opened(study)
    r = rubric.load(s, resolve(s).rubric)
    d = r.dimension(dimension) if dimension else next(d for d in r.dimensions if not d.per_claim)
    if d is None:
        raise StudyError(
            f"--dimension: {not_one_of('dimension', str(dimension), [x.name for x in r.dimensions])}"
        )
    k = len(d.categories)
    plans = from_assumptions(alpha, width / 2, [1 / k] * k, level=d.level, minutes=minutes)
    lines = [
        f"{d.name}: an interval of width {width:g} about alpha {alpha:g}, answers even over {k} categories"
    ]
    lines += [f"  {p.raters} raters: {p.items} items, {p.hours:.0f} hours in all" for p in plans]
    _common.say("\n".join(lines), {"dimension": d.name, "plans": [p.model_dump() for p in plans]}, json_out)


@command.command()
@_common.with_study
def judge(study: Path, runs: Path) -> None:
    """Have a language model grade by the same rubric; kept apart from people's grades."""
    from ..analysis.report.grading import with_judge
    from ..annotate import judge as judge_
    from ..annotate import progress, rounds
    from ..study.errors import StudyError
    from ..study.runs import locked
    from ._judge import ask

    s, settings, home = _grading.people(study, runs, finished_too=True)
    if settings.judge is None:
        raise StudyError(f"{study}: annotate.judge is not there. Name its base_url and model.")
    folder = home / "annotate"
    with locked(folder):
        state = rounds.people(s, settings, home)
        refused = ask(s, state.plan, settings.judge, folder)
        given = judge_.answers(folder)
        progress.save_judge(state, folder)
    click.echo(f"judge: {len(given)} of {len(state.plan.items)} items graded: {folder / judge_.FILE}")
    for line in refused:
        click.echo(f"  {line}")
    judged = judge_.ratings(state.plan, given)
    for row in with_judge(state.plan.rubric, judged, state.ratings(), state.verdicts()):
        click.echo(
            f"  alpha of judge and people, {row.dimension}: {_grading.number(row.alpha, 2)} ({row.n} items)"
        )
    for a in judge_.anchoring(state, given):
        if a.difference is not None:
            click.echo(
                f"  anchoring, {a.dimension}: {a.assisted:.2f} like the judge when seen, {a.blind:.2f} blind"
            )
