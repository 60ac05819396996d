"""`wherefore check`: everything resolved, counted and priced; nothing run."""

from importlib import import_module
from pathlib import Path

import click

from ..study import layout
from . import _common


@click.command()
@_common.with_study
@_common.as_json
def command(study: Path, runs: Path, json_out: bool) -> None:
    """Check STUDY: look up every name, count and price the work, run nothing.

    The price rests on the cohort's cases if they exist, otherwise on what the source declares.
    """
    s = _common.opened(study)
    cells = s.grid.cells() if s.grid else []
    said = [import_module(f"wherefore.{stage}.run").describe(s, runs / s.name) for stage in layout.STAGES]
    data = {"name": s.name, "cells": len(cells), "stages": dict(zip(layout.STAGES, said, strict=True))}
    lines = [f"{s.name}: {len(cells)} fits; nothing is wrong with the study file."]
    lines += [f"  {stage:<9}{text}" for stage, text in zip(layout.STAGES, said, strict=True)]
    _common.say("\n".join(lines), data, json_out)
