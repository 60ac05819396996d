"""`wherefore status`: what is done, running, failed, missing and spent."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from ..study import layout
from ..study.config import Study
from ..study.runs import manifest, state
from ..synth.spent import spent
from ..train.settings import settings_of
from ..train.standing import Standing, in_words
from . import _common


@click.command()
@_common.with_study
@click.option(
    "--watch", is_flag=True, help="Say it again every few seconds until nothing is running or missing."
)
@click.option(
    "--every", type=click.IntRange(min=1), default=5, show_default=True, help="Seconds, with --watch."
)
@_common.as_json
def command(study: Path, runs: Path, watch: bool, every: int, json_out: bool) -> None:
    """Show what is done, running, failed or missing in STUDY, what was spent, and how long the fits will take yet.

    The same stands in `train/grid.html` of the run folder, a page that renews itself while fits are running.
    """
    s = _common.opened(study)
    home, again = runs / s.name, watch and sys.stdout.isatty()
    standing = _standing(s, home)
    while True:
        overview = status(s, standing.look())
        if again:
            click.clear()
        _common.say(in_text(s, home, overview), overview, json_out)
        if not watch or _over(overview):
            return
        time.sleep(every)


def _standing(study: Study, home: Path) -> Standing:
    return Standing(home, study.grid.cells() if study.grid else [], settings_of(study).at_once)


def _over(overview: dict[str, Any]) -> bool:
    """Whether nothing is left to wait for: every stage is done, and every fit is done or failed."""
    fits, stages = overview["fits"], overview["stages"]
    others = [row["state"] for stage, row in stages.items() if stage != "train"]
    failed = fits["failed"] and not fits["running"] and not fits["missing"]
    return bool(failed) or (set(others) == {"done"} and fits["done"] == fits["total"])


def in_text(study: Study, home: Path, overview: dict[str, Any]) -> str:
    """The status for people."""
    lines = [f"{study.name}: {home}"]
    for stage, row in overview["stages"].items():
        lines.append(f"  {stage:<10}{row['state']:<9}{_seconds(row['seconds'])}")
    fits = overview["fits"]
    if fits["total"]:
        lines.append("  fits      " + ", ".join(f"{fits[name]} {name}" for name in COUNTED))
    lines += [f"    failed {cell}: {why}" for cell, why in fits["failures"].items()]
    if fits["seconds_left"]:
        lines.append(f"  left      about {in_words(fits['seconds_left'])} of fits, by those that are done")
    if overview["spent"]:
        lines.append(
            "  spent     " + ", ".join(f"{name} {value}" for name, value in overview["spent"].items())
        )
    if layout.GRID.at(home).exists():
        lines.append(f"  page      {layout.GRID.at(home)}")
    return "\n".join(lines)


COUNTED = ("total", "done", "running", "failed", "missing")


def status(study: Study, standing: Standing) -> dict[str, Any]:
    """State of every stage and fit, the teacher's account, and the seconds that the fits will take yet."""
    home, cells = standing.home, standing.cells
    fits: dict[str, Any] = {
        "total": len(cells),
        **standing.counts,
        "failures": {s.cell.id: s.why for s in standing.stands if s.why},
        "seconds_left": standing.left,
    }
    stages = {stage: _stage(home / stage) for stage in layout.STAGES if stage != "train"}
    if cells:
        stages = {stage: stages.get(stage, {}) for stage in layout.STAGES}
        every = "running" if fits["running"] else "partly" if fits["done"] else "missing"
        every = "done" if fits["done"] == len(cells) else every
        took = standing.spent
        stages["train"] = {"state": every, "seconds": None if took is None else round(took, 1)}
    return {"name": study.name, "stages": stages, "fits": fits, "spent": spent(study, home)}


def _stage(folder: Path) -> dict[str, Any]:
    finished = manifest(folder)
    return {"state": state(folder), "seconds": finished.seconds if finished else None}


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
