"""The packages that a study runs on, as wheels: exactly the versions that are installed here."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from ...study.config import Study
from ...study.errors import DISTRIBUTION, DataError, ServiceError
from ...study.parts import plugins

ROOT = Path(__file__).parents[2]
"""The package: the checkout's root, or `site-packages/wherefore`."""


def extras_of(study: Study) -> tuple[str, ...]:
    """What of this distribution's extras a study needs."""
    train, grades = study.grid is not None, study.annotate.get("raters") != "simulated"
    wanted = {"train": train, "scale": train and bool(study.train.get("ray")), "grade": grades}
    return tuple(name for name, needed in wanted.items() if needed)


def pinned(extras: Iterable[str]) -> dict[str, str]:
    """Version by name of every installed package that this distribution, some extras and all plugins need.

    Raises:
        DataError: one is not installed here.
    """
    found: dict[str, str] = {}
    todo = [(DISTRIBUTION, frozenset(extras)), *((name, frozenset[str]()) for name in plugins())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, asked = todo.pop()
        if (name, asked) in seen:
            continue
        seen.add((name, asked))
        try:
            package = distribution(name)
        except PackageNotFoundError as e:
            raise DataError(
                f"{name}: not installed here, so it cannot be packed. "
                f"Run: pip install '{DISTRIBUTION}[{','.join(extras)}]'"
            ) from e
        found[_plain(name)] = package.version
        for text in package.requires or ():
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in (*asked, "")):
                todo.append((_plain(need.name), frozenset(need.extras)))
    return dict(sorted(found.items()))


def _plain(name: str) -> str:
    """A package's name as all spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pack_wheels(extras: Iterable[str], part: Path) -> dict[str, str]:
    """Fetch or build a wheel of every package; return version by name.

    They come from where pip takes packages on this machine.

    Raises:
        ServiceError: pip does not get one.
    """
    versions, wheels = pinned(extras), part / "wheels"
    others = [f"{name}=={version}" for name, version in versions.items() if name != DISTRIBUTION]
    (part / "requirements.txt").write_text(
        "\n".join([f"{DISTRIBUTION}=={versions[DISTRIBUTION]}", *others]) + "\n", encoding="utf-8"
    )
    _pip_wheel(wheels, others)
    with TemporaryDirectory() as name:
        source = _source(Path(name) / "wherefore")
        _pip_wheel(wheels, [str(source)] if source else [f"{DISTRIBUTION}=={versions[DISTRIBUTION]}"])
    return versions


def _pip_wheel(to: Path, what: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(to), *what]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (
            [x for x in done.stderr.splitlines() if x.startswith("ERROR")]
            or done.stderr.splitlines()
            or ["no word"]
        )
        raise ServiceError(f"pack: pip could not get the packages: {lines[-1].strip()[:300]}")


def _source(to: Path) -> Path | None:
    """A copy of the checkout's code, to build a wheel from without a trace in the checkout; None outside one."""
    project = ROOT / "pyproject.toml"
    if not project.is_file():
        return None
    packages = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    to.mkdir()
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, to / path.name)
    for name in {p.split(".")[1] for p in packages if "." in p}:
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    return to
