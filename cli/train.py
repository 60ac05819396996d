"""`wherefore train`: base models, fits, baselines."""

from pathlib import Path

import click

from . import _common


class _Shard(click.ParamType[tuple[int, int]]):
    """`i/n`."""

    name = "i/n"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        first, _, last = value.partition("/")
        if not (first.isdigit() and last.isdigit()):
            self.fail(f"invalid shard {value!r}. Write i/n, such as 3/8.", param, ctx)
        return int(first), int(last)


@click.command()
@_common.with_study
@click.option("--cells", default="", help="Only these cells: ids or their first digits, separated by commas.")
@click.option(
    "--shard",
    type=_Shard(),
    default="1/1",
    help="Only every n-th cell from the i-th, to share a grid among machines.",
)
def command(study: Path, runs: Path, cells: str, shard: tuple[int, int]) -> None:
    """Train and read every cell of STUDY that is not done yet.

    The cohort and the rationales must be finished. A cell that fails is recorded and counted, the others go on, and
    the exit status is 1.
    """
    from ..train.run import run

    s = _common.opened(study)
    if s.grid is not None:
        _common.check_done(s, runs, study, "cohort", "synth")
    with _common.run_folder(s, runs) as run_folder:
        run(s, run_folder, [c for c in cells.split(",") if c], shard)
