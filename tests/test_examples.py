"""The examples in docstrings, run under the names that users import."""

import doctest
import importlib
import pkgutil

import pytest

import wherefore

SKIP = ("wherefore.tests", "wherefore.benchmarks", "wherefore.__main__", "wherefore.build", "wherefore.docs")
MODULES = sorted(
    m.name for m in pkgutil.walk_packages(wherefore.__path__, "wherefore.") if not m.name.startswith(SKIP)
)
OPTIONAL = {"ray"}


def test_modules_are_found() -> None:
    assert len(MODULES) > 30


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name in OPTIONAL:
            pytest.skip(f"{e.name} is not installed")
        raise
    assert module.__doc__, f"{name} says nothing about itself"
    assert doctest.testmod(module).failed == 0
