"""`wherefore cohort`: records become cases; or only count what the records hold."""

import csv
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from ..study import layout
from . import _common

MIXED = 5
"""Codes in more than one unit that are named in the terminal."""


@click.command()
@_common.with_study
@_common.as_json
@click.option("--count", is_flag=True, help="Read and count everything; write nothing.")
def command(study: Path, runs: Path, json_out: bool, count: bool) -> None:
    """Build the cases of STUDY, and show who was left out and why."""
    from ..cohort.run import counted, run

    s = _common.opened(study)
    if count:
        click.echo(json.dumps(counted(s), indent=None if json_out else 1))
        return
    with (
        _common.run_folder(s, runs) as run_folder,
        redirect_stdout(sys.stderr if json_out else sys.stdout),
    ):
        run(s, run_folder)
    if json_out:
        click.echo((layout.COHORT_SUMMARY.at(run_folder)).read_text())
    else:
        _show(run_folder / "cohort")


def _show(folder: Path) -> None:
    """The flow, and what the true risk reaches where it is known."""
    with (folder / layout.FLOW.name).open(newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            if row["people"] != "0" or row["step"] in ("source", "note"):
                gone = f"-{row['people']}" if row["people"] != "0" else ""
                left = "" if row["step"] == "note" else row["left"]
                click.echo(f"{left:>9} {gone:>9}  {row['reason']}")
    summary = json.loads((folder / "summary.json").read_text())
    mixed = list(summary["mixed_units"].items())
    for code, units in mixed[:MIXED]:
        click.echo(f"units: {code} stands in {', '.join(units)}; each has lines of its own")
    if len(mixed) > MIXED:
        click.echo(f"units: and {len(mixed) - MIXED} more codes, listed in summary.json")
    known = summary.get("bayes")
    if known:
        click.echo(
            f"AUC of the true risk, held-out cases: {known['auc_sample']:.3f} as sampled, "
            f"{known['auc_population']:.3f} weighted to the population"
        )
