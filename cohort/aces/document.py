"""YAML 1.2 as ACES reads it: `yes` and `on` are words, and a key that stands twice is refused."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from ...study.errors import DataError

_CORE = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN"),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("tag:yaml.org,2002:merge", r"<<", "<"),
)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Safe, with the words of the core schema of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [str(key.value) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = next((k for k in keys if keys.count(k) > 1), None)
        if twice is not None:
            raise yaml.YAMLError(f"the key {twice!r} stands there twice (line {node.start_mark.line + 1})")
        out: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return out


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node))  # 010 is ten; YAML 1.1 made it eight


_Loader.add_constructor("tag:yaml.org,2002:int", _decimal)
for _tag, _words, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_words})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])


def load(path: Path, key: str) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Args:
        path: of the file.
        key: of the study file that names it, for errors.
    Raises:
        DataError: not there, not YAML, or no mapping.
    """
    if not path.is_file():
        raise DataError(f"{key}: {path}: not there. Give the path of the ACES file, from the study file.")
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as e:
        mark = getattr(e, "problem_mark", None)
        said = getattr(e, "problem", None) or str(e).splitlines()[0]
        where = f" in line {mark.line + 1}" if mark else ""
        raise DataError(f"{path.name}: no YAML: {said}{where}. Correct the file.") from e
    if not isinstance(found, dict):
        raise DataError(f"{path.name}: holds {type(found).__name__}, not the keys of an ACES file.")
    return found
