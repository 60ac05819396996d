"""The run folder is described in one place: no stage spells a file name of another stage."""

import re
from pathlib import Path

from wherefore.study import layout

ROOT = Path(__file__).parents[2]
STAGES = (*layout.STAGES, "cli")


def test_no_stage_spells_a_file_of_the_run_folder() -> None:
    names = {f'"{Path(f.path).name}"' for f in layout.FILES if Path(f.path).suffix in (".parquet", ".jsonl")}
    assert len(names) > 15
    sources = [p for stage in STAGES for p in (ROOT / stage).rglob("*.py")]
    spelled = {
        (str(p.relative_to(ROOT)), name) for p in sources for name in names if name in p.read_text("utf-8")
    }
    assert spelled == set()


def test_the_drawing_names_every_file_once() -> None:
    text = layout.drawing()
    assert len(layout.FILES) > 20
    for file in layout.FILES:
        assert re.search(rf"^  {re.escape(file.name)} +{re.escape(file.holds)}$", text, re.MULTILINE), file
