"""Every benchmark can be started: a name that the package no longer has is noticed here and not a week later."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))

STARTED = """
import ast, contextlib, importlib, io, json, os, runpy, sys, traceback

# Imports of this package, those within functions too: some benchmarks have no others.
def missing(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "wherefore":
            try:
                exec(compile(ast.Module([node], []), node.module, "exec"), {})
            except ImportError as e:
                yield f"line {node.lineno}: {e}"

def wrong(path):
    text = open(path, encoding="utf-8").read()
    yield from missing(text)
    helps = "ArgumentParser(" in text
    sys.argv = [path, "--help"]
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(path, run_name="__main__" if helps else "imported")
    except SystemExit as e:
        if e.code or not out.getvalue().startswith("usage: " + os.path.basename(path)):
            yield f"--help ends with {e.code!r}: {out.getvalue()}"
    except Exception:
        yield traceback.format_exc()
    else:
        if helps:
            yield "--help starts the benchmark"

print(json.dumps({path: found for path in sys.argv[1:] if (found := list(wrong(path)))}))
"""


def faults(*paths: Path) -> dict[str, list[str]]:
    """What keeps each file from starting: its imports, and its `--help` where it has one."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED, *map(str, paths)], capture_output=True, text=True, check=True
    )
    out: dict[str, list[str]] = json.loads(done.stdout)
    return out


def test_every_benchmark_can_be_started() -> None:
    assert len(FILES) > 10
    assert faults(*FILES) == {}


@pytest.mark.parametrize(
    "text", ["from wherefore.study import gone\n", "def f():\n    from wherefore.study.records import gone\n"]
)
def test_a_name_that_is_gone_is_noticed(text: str, tmp_path: Path) -> None:
    file = tmp_path / "old.py"
    file.write_text(text)
    assert any("gone" in fault for fault in faults(file)[str(file)])
