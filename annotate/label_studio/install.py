"""Label Studio in an environment of its own under the user's cache folder, made once.

It pins `openai<2`, which this package's teachers cannot use.
"""

import os
import subprocess
import time
import venv
from pathlib import Path

import click

from ...study.errors import ServiceError

VERSION = "1.23.2"
"""The release that the grading pages and the calls in `client.py` were tried with."""
PACKAGES = 160
"""How many it needs, for the progress of an installation."""


def environment(version: str = VERSION) -> Path:
    """The program `label-studio` in an environment of its own, made on the first call (two minutes, one gigabyte).

    Raises:
        ServiceError: it could not be installed.
    """
    folder = _folder(version)
    if not installed(version):
        click.echo(f"installing Label Studio {version} into {folder} (once, about two minutes)", err=True)
        venv.create(folder, with_pip=True, clear=True)
        _pip(folder, version)
    return folder / "bin" / "label-studio"


def _pip(folder: Path, version: str) -> None:
    """Install, and say every few seconds how far it is."""
    words = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--progress-bar",
        "off",
        f"label-studio=={version}",
    ]
    log = folder / "install.log"
    start = reported = time.monotonic()
    collected, last = 0, ""
    with (
        log.open("w") as kept,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            kept.write(line)
            last = line.strip() or last
            collected += line.startswith("Collecting ")
            if time.monotonic() - reported > 5:
                reported = time.monotonic()
                doing = (
                    "installing"
                    if line.startswith("Installing")
                    else f"fetching package {collected} of {PACKAGES}"
                )
                click.echo(f"  {reported - start:.0f} s: {doing}", err=True)
    if pip.returncode:
        raise ServiceError(f"{folder}: Label Studio {version} could not be installed: {last} (log: {log})")
    click.echo(f"  {time.monotonic() - start:.0f} s: done", err=True)


def installed(version: str = VERSION) -> bool:
    """Whether the environment is there and whole: pip installs the package itself after all that it needs."""
    python = _folder(version) / "bin" / "python"
    if not python.exists():
        return False
    ask = "from importlib.metadata import version; print(version('label-studio'))"
    reply = subprocess.run([str(python), "-c", ask], capture_output=True, text=True)
    return reply.stdout.strip() == version


def _folder(version: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "wherefore" / f"label-studio-{version}"
