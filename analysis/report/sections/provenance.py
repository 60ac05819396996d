"""What made the numbers: versions, commit, hardware, folders and their keys."""

from typing import Any

from ....study import layout
from ....study.provenance import provenance
from ..material import Material
from ..section import Section


def section(m: Material) -> dict[str, Any]:
    """Of the report now, and of each stage when it was done."""
    stages = {stage: manifest for stage in layout.STAGES[:-1] if (manifest := m.manifest(stage)) is not None}
    fits = [f for s in m.tables.cells if (f := m.manifest(f"train/{s.cell.id}")) is not None]
    machines = sorted({_machine(f.provenance) for f in fits})
    return {
        "now": provenance(),
        "stages": stages,
        "fits": len(fits),
        "seconds": sum(f.seconds for f in fits),
        "machines": machines,
        "seed": m.study.seed,
    }


def _machine(of: dict[str, Any]) -> str:
    gpu = f", {of['gpu']}" if of.get("gpu") else ""
    return f"{of.get('system', '?')}, {of.get('cores', '?')} cores{gpu}"


SECTION = Section("Provenance", section, "provenance.html.j2")
