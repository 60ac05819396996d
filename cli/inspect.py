"""`wherefore inspect`: one person, or the rationales with a fault, beside the evidence."""

from itertools import islice
from pathlib import Path

import click

from . import _common


@click.command()
@_common.with_study
@click.argument("case", required=False)
@_common.as_json
@click.option(
    "--fault",
    help="Show rationales with this fault; `any`: any fault; `undecided`: any undecided claim.",
)
@click.option(
    "--most", type=click.IntRange(min=1), default=3, show_default=True, help="Number of rationales to show."
)
def command(study: Path, runs: Path, case: str | None, json_out: bool, fault: str | None, most: int) -> None:
    """Show one case of STUDY: history, label and its reason, rationales and their checks.

    CASE is an id or its first characters; without it, the first ids are listed. A person who was left out is shown
    with the reason. With --fault: rationales with that fault or doubt, of CASE or of all.
    """
    from ..study.config import load
    from ._case import show

    s = load(study)
    home = runs / s.name
    if fault is None:
        show(s, home, case, json_out)
        return
    from ..synth.corpus.look import look

    texts = list(islice(look(home, case, fault), most))
    for text in texts or ["inspect: no rationale matches."]:
        click.echo(text + ("\n" if texts else ""))
