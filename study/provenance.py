"""What made a result: versions, commit, hardware. No host name, no user name, no path."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .errors import DISTRIBUTION
from .parts import plugins

PACKAGES = (
    DISTRIBUTION,
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "pydantic",
    "jinja2",
    "openai",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "label-studio-sdk",
    "krippendorff",
    "matplotlib",
)


def release() -> str:
    """The installed version of this distribution."""
    return version(DISTRIBUTION)


@cache
def provenance() -> dict[str, Any]:
    """Versions of what counts, the commit of this package's own checkout where it is one, and the hardware."""
    return {
        "python": platform.python_version(),
        "plugins": plugins(),
        "packages": {name: version for name in PACKAGES if (version := _version(name)) is not None},
        "commit": _commit(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "gpu": _gpu(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Commit of the checkout, `+` appended where files differ from it; None outside a checkout."""
    here = Path(__file__).parent.parent

    def git(*args: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *args], capture_output=True, text=True, check=True
        ).stdout.strip()

    if not (here / ".git").exists():
        return None
    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (
        OSError,
        subprocess.CalledProcessError,
    ):  # no git, or a checkout without a commit: nothing to name
        return None


def _gpu() -> str | None:
    """The GPU's name where torch is loaded already; torch is not loaded for this."""
    torch = sys.modules.get("torch")
    return torch.cuda.get_device_name(0) if torch is not None and torch.cuda.is_available() else None
