"""Record sets of every format, each by a study file: what is read equals what is known of them."""

from pathlib import Path

import pytest

from wherefore.cohort.run import counted, run
from wherefore.study.config import Study, load

pytestmark = pytest.mark.shared

STUDIES = Path(__file__).parent / "records"

KNOWN = {
    # people, with an onset code, deaths, and a few counts that their PROVENANCE gives
    # 172,248 first occurrences + 7,142 with a sex + 1,903 deaths = the 181,293 rows of the original
    "delphi_ukb_synth": (7143, 368, 1903, {"condition": 172_248, "demographic": 7_142}),
    # 916,166 rows = 916,035 events + 100 births + 31 deaths
    "mimic_iv_demo_meds": (100, 7, 31, {"condition": 4506}),
    "synpuf50_omop52": (50, 16, 4, {"condition": 5121, "drug": 2140, "visit": 1847}),
    "eunomia_synthea27_omop54": (28, 1, 3, {"condition": 470, "visit": 1791}),
    "paquid500": (500, 128, 0, {"condition": 128, "measurement": 2214}),
    # 25,155 conditions and 145 allergies
    "synthea_py_fhir_bulk120": (120, 17, 85, {"condition": 25_300, "visit": 21_499}),
    # 2,424 conditions and the allergies; nobody has dementia
    "synthea2025_fhir97": (95, 0, 6, {"visit": 3423}),
    "synthea2025_csv": (112, 2, 12, {"visit": 5598}),
}


def study(name: str, shared: Path, tmp: Path) -> Study:
    text = (STUDIES / f"{name}.toml").read_text().replace("DATA", str(shared))
    (tmp / "study.toml").write_text(text)
    return load(tmp / "study.toml")


def test_every_study_file_is_tried() -> None:
    assert {p.stem for p in STUDIES.glob("*.toml")} == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_counts(name: str, shared_data: Path, tmp_path: Path) -> None:
    people, ill, deaths, kinds = KNOWN[name]
    found = counted(study(name, shared_data, tmp_path))
    assert (found["people"], found["with_onset_code"], found["deaths"]) == (people, ill, deaths)
    assert {k: found["events_by_kind"][k] for k in kinds} == kinds


def test_paquid_has_the_published_cases_and_losses(shared_data: Path, tmp_path: Path) -> None:
    import pandas as pd

    run(study("paquid500", shared_data, tmp_path), tmp_path / "home")
    flow = pd.read_csv(tmp_path / "home/cohort/flow.csv").set_index("step")["people"]
    cases = pd.read_parquet(tmp_path / "home/cohort/cases.parquet")
    assert (cases["label"] == 1).sum() == 28
    assert flow["lost_to_followup"] == 126
