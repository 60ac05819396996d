"""Real formats from end to end: the worked study file for MEDS records, pointed at a MEDS folder."""

from pathlib import Path

import pytest

from .conftest import ROOT, wherefore


@pytest.mark.slow
@pytest.mark.shared
def test_a_meds_folder_becomes_a_report_that_names_the_data(shared_data: Path, tmp_path: Path) -> None:
    """As a user does it: path and name in `examples/meds.toml` are changed, and a small model is asked for."""
    text = (ROOT / "examples" / "meds.toml").read_text()
    for old, new in {
        'path = "records"': f'path = "{shared_data / "delphi_ukb_synth" / "meds"}"',
        "the name of your data set, as it should stand in the report": "Delphi synthetic histories",
        "hidden = 96": "hidden = 32\nheads = 2\npasses = 1",
        "epochs = 3": "epochs = 1\nmax_new_tokens = 48",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "meds.toml").write_text(text)
    done = wherefore("run", tmp_path / "meds.toml", "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stderr[-3000:]
    page = (tmp_path / "runs" / "meds" / "analysis" / "report.html").read_text()
    assert "Delphi synthetic histories" in page
    assert "label only" in done.stdout
