"""`wherefore status`: what is done, running, failed, missing and spent."""

import json
from pathlib import Path
from typing import Any

import click

from ..study import layout
from ..study.config import Study
from ..study.runs import failure, manifest, state
from . import _common


@click.command()
@_common.with_study
@_common.as_json
def command(study: Path, runs: Path, json_out: bool) -> None:
    """Show what is done, running, failed or missing in STUDY, and what was spent."""
    s = _common.opened(study)
    overview = status(s, runs / s.name)
    lines = [f"{s.name}: {runs / s.name}"]
    for stage, row in overview["stages"].items():
        lines.append(f"  {stage:<10}{row['state']:<9}{_seconds(row['seconds'])}")
    fits = overview["fits"]
    if fits["total"]:
        counted = ", ".join(f"{n} {what}" for what, n in fits.items() if n and what != "failures")
        lines.append(f"  fits      {counted}")
    lines += [f"    failed {cell}: {why}" for cell, why in fits["failures"].items()]
    if overview["spent"]:
        lines.append(
            "  spent     " + ", ".join(f"{name} {value}" for name, value in overview["spent"].items())
        )
    _common.say("\n".join(lines), overview, json_out)


def status(study: Study, home: Path) -> dict[str, Any]:
    """State of every stage and fit, and the teacher's account."""
    cells = study.grid.cells() if study.grid else []
    fits: dict[str, Any] = {
        "total": len(cells),
        "done": 0,
        "running": 0,
        "failed": 0,
        "missing": 0,
        "failures": {},
    }
    for cell in cells:
        folder = home / "train" / cell.id
        now = state(folder)
        fits[now] += 1
        if now == "failed" and (why := failure(folder)):
            fits["failures"][cell.id] = why.line
    stages = {stage: _stage(home / stage) for stage in layout.STAGES if stage != "train"}
    if cells:
        stages = {stage: stages.get(stage, {}) for stage in layout.STAGES}
        every = "running" if fits["running"] else "partly" if fits["done"] else "missing"
        every = "done" if fits["done"] == len(cells) else every
        stages["train"] = {"state": every, "seconds": _spent_seconds(home, [c.id for c in cells])}
    return {
        "name": study.name,
        "stages": stages,
        "fits": fits,
        "spent": _spent(layout.SYNTH_SUMMARY.at(home)),
    }


def _stage(folder: Path) -> dict[str, Any]:
    finished = manifest(folder)
    return {"state": state(folder), "seconds": finished.seconds if finished else None}


def _spent_seconds(home: Path, cells: list[str]) -> float | None:
    done = [m.seconds for c in cells if (m := manifest(home / "train" / c)) is not None]
    return round(sum(done), 1) if done else None


def _spent(summary: Path) -> dict[str, Any]:
    """Requests, tokens and money from the synth stage's account; empty before it ends."""
    if not summary.exists():
        return {}
    data: dict[str, Any] = json.loads(summary.read_text())
    return {
        name: data[name]
        for name in ("requests", "prompt_tokens", "completion_tokens", "cost")
        if data.get(name)
    }


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
