"""The wheel holds every folder of code: the list in pyproject.toml is kept by hand, so it is checked here."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_PACKED = {"plugin", "tests", "benchmarks", "build", "dist", "docs", "runs", ".venv"}


def _folders() -> set[str]:
    return {
        ".".join(("wherefore", *path.parent.relative_to(ROOT).parts))
        for path in ROOT.rglob("*.py")
        if not NOT_PACKED & set(path.relative_to(ROOT).parts)
    }


def test_every_folder_is_packed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    assert len(listed) > 8
    assert _folders() == listed


def test_templates_hold_no_code() -> None:
    assert [p.name for p in (ROOT / "templates").rglob("*.py")] == ["__init__.py"]
    assert len(list((ROOT / "templates").rglob("*.*"))) > 5


def test_constraints_meet_the_ranges_of_pyproject() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    wanted = project["dependencies"] + [
        n for extra in project["optional-dependencies"].values() for n in extra
    ]
    for text in wanted:
        need = Requirement(text)
        if need.name in ("wherefore-lab", "ray"):
            continue
        assert need.specifier.contains(pinned[need.name.lower()]), (
            f"{need}: tested {pinned[need.name.lower()]}"
        )


def test_nothing_tells_anybody_to_install_the_other_wherefore() -> None:
    """`wherefore` on the package index is another project: what is installed is called wherefore-lab."""
    wrong = re.compile(r"pip3? install[^\n]*?['\" ]wherefore(?!-lab)(?![\w./-])|wherefore\[")
    texts = [
        path
        for path in ROOT.rglob("*")
        if path.suffix in {".py", ".md", ".toml", ".txt", ".j2", ".jinja", ".yml", ".yaml", ".ipynb", ".cff"}
        and not {".venv", "runs", "build", "dist", ".git"} & set(path.relative_to(ROOT).parts)
    ]
    assert len(texts) > 200
    assert [
        str(p) for p in texts if p.name != "test_packaging.py" and wrong.search(p.read_text("utf-8"))
    ] == []
    assert wrong.search("pip install 'wherefore[train]'")
    assert wrong.search("pip install wherefore")
    assert not wrong.search("pip install 'wherefore-lab[train]'")
