"""`wherefore --help` answers at once: what is heavy stays out until it is needed."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from wherefore.cli.main import main

HEAVY = [
    "torch",
    "transformers",
    "peft",
    "openai",
    "label_studio_sdk",
    "matplotlib",
    "ray",
    "pandas",
    "sklearn",
    "scipy",
]

LOADED = """
import json, sys
from click.testing import CliRunner
from wherefore.cli.main import main
assert CliRunner().invoke(main, ["--help"]).exit_code == 0
print(json.dumps(sorted(m for m in sys.modules if "." not in m)))
"""


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_check_resolves_every_name_without_loading_torch() -> None:
    code = LOADED.replace('["--help"]', '["check", "examples/demo.toml"]')
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & {
        "torch",
        "transformers",
        "peft",
        "label_studio_sdk",
        "matplotlib",
    }


COMMANDS = sorted(main.list_commands(None))  # type: ignore[arg-type]


def test_commands_of_the_design_exist() -> None:
    wanted = {
        "demo",
        "check",
        "run",
        "cohort",
        "synth",
        "annotate",
        "agree",
        "train",
        "evaluate",
        "report",
        "status",
    }
    assert wanted <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 4


def test_unknown_command_is_one_line_with_what_there_is() -> None:
    shown = CliRunner().invoke(main, ["chekc"])
    assert shown.exit_code == 2
    assert "chekc" in shown.output
