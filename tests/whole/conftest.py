"""One small study, run once for all tests that look at its outcome."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ROOT / "examples" / "quick.toml"
WHEREFORE = Path(sys.executable).with_name("wherefore")


def wherefore(*args: object, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as a user calls it."""
    return subprocess.run(
        [WHEREFORE, *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **env},
        timeout=600,
    )


@dataclass(frozen=True)
class Whole:
    """A finished study."""

    runs: Path
    home: Path
    printed: str


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """`wherefore run examples/quick.toml`, from records to report."""
    runs = tmp_path_factory.mktemp("whole") / "runs"
    done = wherefore("run", QUICK, "--runs", runs)
    assert done.returncode == 0, done.stderr[-3000:]
    return Whole(runs, runs / "quick", done.stdout)
