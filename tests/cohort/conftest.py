"""A tiny MEDS folder whose every row is written down."""

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def meds(tmp_path: Path) -> Path:
    """Three people: p1 has dementia at 73, p2 dies at 72, p3 is watched to 80."""
    rows = [
        (1, None, "SEX//Female"),
        (1, "1940-01-01", "MEDS_BIRTH"),
        (1, "2000-01-01", "ICD10/I10"),
        (1, "2013-01-10", "ICD10/G30"),
        (2, None, "GENDER//M"),
        (2, "1940-01-01", "MEDS_BIRTH"),
        (2, "2001-01-01", "ICD10/I10"),
        (2, "2009-12-31", "ICD10/E11"),
        (2, "2010-01-02", "ICD10/I63"),
        (2, "2012-05-05", "MEDS_DEATH"),
        (3, None, "SEX//Male"),
        (3, "1940-01-01", "MEDS_BIRTH"),
        (3, "2002-01-01", "ICD10/J45"),
        (3, "2020-01-01", "ICD10/F03"),
    ]
    frame = pd.DataFrame(rows, columns=["subject_id", "time", "code"]).astype({"time": "datetime64[us]"})
    (tmp_path / "meds" / "data").mkdir(parents=True)
    frame.to_parquet(tmp_path / "meds" / "data" / "0.parquet")
    return tmp_path / "meds"
