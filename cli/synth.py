"""`wherefore synth`: the teacher explains every case."""

import re
from contextlib import suppress
from pathlib import Path

import click

from . import _common


def _shard(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """`3/8`: the third of eight."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", value)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"invalid shard {value!r}; write i/n with i from 1 to n, such as 3/8.")
    return int(match[1]), int(match[2])


@click.command()
@_common.with_study
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Ask only slice i of n, with its own ledger (for array jobs).",
)
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), help="Stop before spending more than this."
)
@click.option(
    "--again", is_flag=True, help="Set aside a corpus finished with other settings; its answers are reused."
)
def command(
    study: Path, runs: Path, shard: tuple[int, int] | None, budget: float | None, again: bool
) -> None:
    """Ask the teacher about every case of STUDY and check every claim.

    Answers are stored as they arrive: run it again after any stop, and nothing is asked twice.
    """
    from ..study.errors import MissingPartError
    from ..synth.run import run
    from ..train.run import preflight

    opened = _common.opened(study)
    _common.check_done(opened, runs, study, "cohort")
    with suppress(MissingPartError):  # the teacher may be asked on a machine without torch
        preflight(opened, runs / opened.name)
    if budget is not None:
        job = {**opened.synth.get("job", {}), "budget": budget}
        opened = opened.model_copy(update={"synth": {**opened.synth, "job": job}})
    if shard is not None and again:
        raise click.UsageError(
            "--again cannot be combined with --shard: set the corpus aside once, then ask in shards."
        )
    if shard is None:
        with _common.run_folder(opened, runs) as run_folder:
            run(opened, run_folder, again=again)
        return
    from ..synth.shards import run_shard

    answers = run_shard(opened, runs / opened.name, shard)
    click.echo(f"synth: shard {shard[0]}/{shard[1]} is done, {answers} answers are stored.")
