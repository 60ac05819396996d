"""`wherefore annotate pull`, `export`, `import`, `status`, `reopen` and `accept`: bringing grades back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import _common
from . import grading

if TYPE_CHECKING:
    from ...annotate.rounds import GradingState
    from ...annotate.settings import Settings
    from ...study.config import Study


@click.command()
@_common.with_study
@_common.as_json
@click.option("--full", is_flag=True, help="Read everything again, not only what changed.")
def pull(study: Path, runs: Path, json_out: bool, full: bool) -> None:
    """Fetch new forms from the server, check them, and list what is wrong with them."""
    from ...annotate.label_studio import pull as pull_

    s, settings, run_folder = grading.people(study, runs)
    with grading.server_of(settings, run_folder) as server, _brought(s, settings, run_folder) as state:
        done = pull_.pull(state.plan, server, run_folder / "annotate", full=full)
    faults = _now(s, settings, run_folder).got.faults
    data = {"projects": [d.model_dump() for d in done], "faults": [f.model_dump() for f in faults]}
    lines = [f"{d.round} {d.rater}: {d.changed} read, {d.graded} forms here" for d in done]
    _common.say("\n".join([*lines, *map(grading.fault_line, faults)]), data, json_out)


@contextmanager
def _brought(s: "Study", settings: "Settings", run_folder: Path) -> "Iterator[GradingState]":
    """The state before; what came in meanwhile is written for the report, and a changed rubric is said."""
    from ...annotate import progress, rounds, versions
    from ...study.runs import locked

    folder = run_folder / "annotate"
    with locked(folder):
        state = rounds.people(s, settings, run_folder)
        yield state
        progress.save(rounds.people(s, settings, run_folder), folder)
        if (change := versions.change(state.plan, folder)) is not None:
            click.echo(str(change), err=True)


def _now(s: "Study", settings: "Settings", run_folder: Path) -> "GradingState":
    from ...annotate import rounds

    return rounds.people(s, settings, run_folder)


@click.command()
@_common.with_study
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), default=None, help="Default: the run folder."
)
@grading.PAST_GATE
@click.option(
    "--new-round", is_flag=True, help="The rubric changed: hand everything out again under the new one."
)
@click.option("--reworded", is_flag=True, help="The rubric changed in words only: keep the forms.")
def export(
    study: Path, runs: Path, to: Path | None, past_gate: bool, new_round: bool, reworded: bool
) -> None:
    """Write the round that is due as files for a Label Studio of your own, one folder per rater."""
    from ...annotate import plan, versions
    from ...annotate.label_studio import exchange
    from ...study.runs import locked

    s, settings, run_folder = grading.people(study, runs)
    folder = run_folder / "annotate"
    with locked(folder):
        state = _now(s, settings, run_folder)
        if (change := versions.change(state.plan, folder)) is not None:
            grading.decided(change, state.plan, folder, new_round=new_round, reworded=reworded)
            state = _now(s, settings, run_folder)
        due = state.due
        if due is None:
            click.echo("everything is graded; continue with `wherefore run`")
            return
        state = state.with_adjudication() if due == "adjudication" else state
        grading.gate(state, due, folder, past_gate=past_gate)
        plan.save(state.plan, folder)
        versions.record(state.plan, folder)
        where = to or run_folder / "annotate_files"
        for place in exchange.export(state.plan, where, due, grading.context(state, due, folder)):
            click.echo(f"{place}: make a project with config.xml and import tasks.json")


@click.command("import")
@_common.with_study
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rater", required=True, help="Whose grades these are.")
@click.option("--round", "round_", default="main", show_default=True, help="Round the grades belong to.")
@click.option(
    "--new-account", is_flag=True, help="The rater graded this file with another account than before."
)
def import_(study: Path, runs: Path, file: Path, rater: str, round_: str, new_account: bool) -> None:
    """Take in FILE, one rater's grades as Label Studio exports them (JSON)."""
    from ...annotate.label_studio import exchange

    s, settings, run_folder = grading.people(study, runs)
    with _brought(s, settings, run_folder) as state:
        taken = exchange.take_in(
            state.plan, file, run_folder / "annotate", round_, rater, new_account=new_account
        )
    faults = [f for f in _now(s, settings, run_folder).got.faults if f.rater == rater]
    summary = f"{round_} {rater}: {taken.forms} forms here ({taken.new} new, {taken.changed} changed)"
    if taken.missing:
        summary += f"; {taken.missing} of an earlier import are not in this file and are kept"
    if taken.older:
        summary += f"; {taken.older} are older in this file than those here and are left out"
    click.echo("\n".join([summary, *map(grading.fault_line, faults)]))


@click.command()
@_common.with_study
@_common.as_json
def status(study: Path, runs: Path, json_out: bool) -> None:
    """Show who has graded how much and how fast, where they grade, and how far they agree so far."""
    from ...annotate import progress, versions

    s, settings, run_folder = grading.people(study, runs, finished_too=True)
    state = _now(s, settings, run_folder)
    rows = progress.rows(state, run_folder / "annotate")
    agree = [
        {"round": round, "dimension": d.name, "alpha": alpha}
        for round in ("calibration", "main")
        for d in state.plan.rubric.dimensions
        if (alpha := grading.agreement(state, d.name, round)) is not None
    ]
    noticed = progress.noticed(state)
    links = list(grading.links(run_folder, settings))
    data = {
        "due": state.due,
        "raters": [r.model_dump() for r in rows],
        "agreement": agree,
        "controls": [n.model_dump() for n in noticed],
        "links": links,
        "faults": [f.model_dump() for f in state.got.faults],
    }
    lines = [f"{'round':<13}{'rater':<16}{'done':>9}{'skipped':>9}{'faulty':>8}{'s/item':>8}{'items/h':>9}"]
    lines += [
        f"{r.round:<13}{r.rater:<16}{f'{r.done}/{r.total}':>9}{r.skipped:>9}{r.faults:>8}"
        f"{grading.number(r.median_seconds):>8}{grading.number(r.per_hour):>9}"
        for r in rows
    ]
    lines += [f"alpha so far, {a['round']}, {a['dimension']}: {a['alpha']:.2f}" for a in agree]
    lines += [f"found fault with {n.noticed} of {n.n} {n.control} items: {n.rater}" for n in noticed]
    lines += links
    if (change := versions.change(state.plan, run_folder / "annotate")) is not None:
        lines.append(str(change))
    lines.append(
        f"due: the {state.due} round" if state.due else "everything is graded; continue with `wherefore run`"
    )
    _common.say("\n".join(lines), data, json_out)


@click.command()
@_common.with_study
@click.argument("rater")
@click.argument("item")
@click.option(
    "--round", "round_", default=None, help="Needed if the rater graded the item in several rounds."
)
@click.option("--because", default="", help="Reason, kept with the decision.")
def reopen(study: Path, runs: Path, rater: str, item: str, round_: str | None, because: str) -> None:
    """Return ITEM to RATER: the form no longer counts, and the item must be graded again."""
    from ...annotate import reopen as reopen_
    from ...annotate.people import FILES
    from ...study.runs import locked

    _, settings, run_folder = grading.people(study, runs)
    folder = run_folder / "annotate"
    with locked(folder):
        own = reopen_.find(folder, rater, item, round_)
        reopen_.record(folder, own, because)
        if own.form.origin != FILES and not own.form.gone:
            with grading.server_of(settings, run_folder, rater) as server:
                reopen_.on_server(own, server)
    click.echo(
        f"{own.round} {rater}: {own.form.item} must be graded again; the old form is kept in decisions.jsonl"
    )


@click.command()
@_common.with_study
@click.argument("item")
@click.option("--rater", default=None, help="Needed if several raters' forms of the item were changed.")
@click.option("--because", default="", help="Reason, kept with the decision.")
def accept(study: Path, runs: Path, item: str, rater: str | None, because: str) -> None:
    """Accept forms of ITEM that somebody other than the rater changed on the server."""
    from ...annotate import progress
    from ...annotate import reopen as reopen_
    from ...study.runs import locked

    s, settings, run_folder = grading.people(study, runs)
    folder = run_folder / "annotate"
    with locked(folder):
        state = _now(s, settings, run_folder)
        for own in reopen_.edited(folder, state, item, rater):
            reopen_.accept(folder, own, because)
            click.echo(f"{own.round} {own.rater}: {own.form.item} counts as it is now: {own.detail}")
        progress.save(_now(s, settings, run_folder), folder)
