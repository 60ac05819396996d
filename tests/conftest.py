"""What all tests share: record sets beside the checkout where there are any, and threads kept in hand."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores: a test's BLAS may not take both
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public record sets and reference values, which do not travel with the project."""
    folder = Path(os.environ.get("WHEREFORE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the record sets are not on this machine (WHEREFORE_SHARED_DATA)")
    return folder


@pytest.fixture
def in_ci() -> bool:
    """In CI a service that is absent fails the test; at home it skips."""
    return os.environ.get("CI") == "true"
