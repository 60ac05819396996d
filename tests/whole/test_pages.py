"""What README and the docs show is run: commands, study files and Python, in the order of the page.

Commands run in a folder that holds `examples/`, a finished `runs/quick`, and `study.toml` and `mine.toml`, which are
`examples/quick.toml`. A block behind `<!-- not run: why -->` needs what a test cannot have (a GPU, a key, people, an
hour); its commands and options must exist nevertheless.
"""

import re
import shlex
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import BaseModel, ValidationError

from wherefore.analysis.settings import Settings as Analysis
from wherefore.annotate.settings import Settings as Annotate
from wherefore.cli.main import main
from wherefore.cohort import sources
from wherefore.cohort.settings import Settings as Cohort
from wherefore.study import parts
from wherefore.study.config import DataUse
from wherefore.synth import teachers
from wherefore.synth.settings import Settings as Synth
from wherefore.train.settings import Settings as Train

from .conftest import QUICK, ROOT, Whole, wherefore

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTIONS: dict[str, type[BaseModel]] = {
    "cohort": Cohort,
    "synth": Synth,
    "annotate": Annotate,
    "train": Train,
    "analysis": Analysis,
    "data_use": DataUse,
}
_BLOCK = re.compile(r"(?:^<!-- not run: ([^>]+) -->\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    line: int
    language: str
    text: str
    not_run: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, lines that end in a backslash joined, comments left out."""
        text = self.text.replace("\\\n", " ")
        lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        return [shlex.split(line, comments=True) for line in lines]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page that name a language."""
    text = page.read_text(encoding="utf-8")
    return [Block(text[: m.start(2)].count("\n") + 1, m[2], m[3], m[1] or "") for m in _BLOCK.finditer(text)]


def runnable(page: Path) -> list[Block]:
    """The blocks of a page that are run."""
    return [b for b in blocks(page) if not b.not_run and b.language in ("console", "python")]


def test_there_is_something_to_run() -> None:
    found = [b for page in PAGES for b in blocks(page)]
    assert len(PAGES) > 8
    assert sum(len(b.commands) for b in found) > 25
    assert {"console", "toml", "python"} <= {b.language for b in found}
    assert {"make demo", "make test"} <= {" ".join(c) for b in blocks(PAGES[0]) for c in b.commands}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_exist_as_written(page: Path) -> None:
    for block in blocks(page):
        for words in block.commands:
            if words[0] == "wherefore":
                _known(words[1:], f"{page.name}:{block.line}")
            elif words[0] == "make":
                subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, check=True)


def _known(words: list[str], where: str) -> None:
    """Fails where a command or an option does not exist."""
    command: click.Command = main
    context = click.Context(main, info_name="wherefore")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"{where}: no command {words[0]!r}"
        command, words = inner, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    options = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {
        "--help",
        "--version",
    }
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{where}: no option {word!r}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=lambda p: p.name)
def test_blocks_run_as_written(
    page: Path, tmp_path: Path, quick: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copytree(quick.home, tmp_path / "runs" / "quick")
    for name in ("study.toml", "mine.toml"):
        shutil.copy(QUICK, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in runnable(page):
        where = f"{page.name}:{block.line}"
        if block.language == "python":
            exec(compile(block.text, where, "exec"), names)
            continue
        for words in block.commands:
            if words[0] == "wherefore":
                done = wherefore(*words[1:], cwd=tmp_path)
                assert done.returncode == 0, f"{where}: {' '.join(words)}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_study_files_shown_are_right(page: Path) -> None:
    for block in blocks(page):
        if block.language == "toml" and not block.not_run:
            shown = tomllib.loads(block.text)
            for section, kind in SECTIONS.items():
                if section in shown:
                    _fits(shown[section], kind, f"{page.name}:{block.line}: {section}")
            for group, package in (("cohort.source", sources), ("synth.teacher", teachers)):
                stage, key = group.split(".")
                part = shown.get(stage, {}).get(key)
                if isinstance(part, dict) and "name" in part:
                    found = parts.find(package, key, part["name"])
                    options = {k: v for k, v in part.items() if k != "name"}
                    _fits(options, found.Options, f"{page.name}:{block.line}: {group}")


def _fits(shown: Any, kind: type[BaseModel], where: str) -> None:
    """A part of a section may leave out what the section needs, but all it says must be right."""
    try:
        kind.model_validate(shown)
    except ValidationError as e:
        wrong = [f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors() if x["type"] != "missing"]
        assert not wrong, f"{where}: {wrong}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_and_pictures_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#\s]+)", text) if not t.startswith("http")]
    for target in targets:
        if "reference/generated/" not in target:  # written when the site is built
            assert (page.parent / target).exists(), f"{page.name}: {target}"
