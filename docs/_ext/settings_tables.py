"""The keys of the study file, as tables, from the settings classes: key, type, default, meaning."""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


class SettingKey(NamedTuple):
    """One key of the study file."""

    name: str
    type: str
    default: str
    meaning: str


class SettingsSection(NamedTuple):
    """A table of the study file."""

    heading: str
    about: str
    keys: tuple[SettingKey, ...]


def sections(
    heading: str, kind: type[BaseModel], hidden: frozenset[str] = frozenset()
) -> Iterator[SettingsSection]:
    """A settings class and, after it, every settings class inside it.

    Args:
        heading: its table in the study file, such as `cohort`.
        kind: the class.
        hidden: fields that are no keys.
    """
    meanings = field_docs(kind)
    inside: dict[str, type[BaseModel]] = {}
    keys = []
    for name, field in kind.model_fields.items():
        if field.exclude or name in hidden:
            continue
        about = meanings.get(name, "")
        for nested in _records(field.annotation):
            inside.setdefault(f"{heading}.{name}", nested)
            about = about or _oneline(inspect.getdoc(nested) or "").split(". ")[0]
        keys.append(SettingKey(name, type_text(field.annotation), default_text(field), limits(field, about)))
    yield SettingsSection(heading, _oneline(inspect.getdoc(kind) or ""), tuple(keys))
    for path, nested in inside.items():
        yield from sections(path, nested)


@cache
def field_docs(kind: type[BaseModel]) -> dict[str, str]:
    """What is written under each field of a class and of its bases."""
    docs: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        if not (isinstance(cls, type) and issubclass(cls, BaseModel)) or cls is BaseModel:
            continue
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(node, ast.ClassDef)
        for statement, following in zip(node.body, node.body[1:], strict=False):
            described = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and described:
                docs[statement.target.id] = _oneline(inspect.cleandoc(str(following.value.value)))  # type: ignore[attr-defined]
    return docs


def type_text(kind: Any) -> str:
    """A type as a reader of TOML knows it: text, number, list of text, one of several words.

    >>> type_text(tuple[str, ...]), type_text(Literal["a", "b"]), type_text(float | None)
    ('list of text', '`"a"`, `"b"`', 'number')
    """
    if get_origin(kind) in (Union, types.UnionType):
        parts = [type_text(k) for k in get_args(kind) if k is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    if get_origin(kind) is Literal:
        return ", ".join(f"`{_toml(v)}`" for v in get_args(kind))
    if get_origin(kind) in (tuple, list, frozenset):
        (first, *_) = get_args(kind)
        return f"list of {type_text(first)}"
    if get_origin(kind) is dict:
        return "table"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "table"
    known = {str: "text", bool: "true or false", int: "whole number", float: "number"}
    return known.get(kind, getattr(kind, "__name__", str(kind)).lower())


def default_text(field: FieldInfo) -> str:
    """The default as it would stand in the study file; `required` where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return "–"
    if isinstance(value, BaseModel) or (
        isinstance(value, tuple) and any(isinstance(v, BaseModel) for v in value)
    ):
        return "see below"
    return f"`{_toml(value)}`"


def limits(field: FieldInfo, meaning: str) -> str:
    """The meaning, and behind it what values are allowed where the type does not say it."""
    words = {
        "gt": "above",
        "ge": "at least",
        "lt": "below",
        "le": "at most",
        "min_length": "at least (entries)",
    }
    bounds = [
        f"{word} {getattr(rule, name):g}"
        for rule in field.metadata
        for name, word in words.items()
        if getattr(rule, name, None) is not None
    ]
    return f"{meaning} ({', '.join(bounds)})" if bounds else meaning


def table(section: SettingsSection) -> str:
    """A section in Markdown."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{k.name}` | {_cell(k.type)} | {_cell(k.default)} | {_cell(k.meaning)} |" for k in section.keys
    ]
    return "\n".join(rows)


def _records(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _records(inner)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _oneline(text: str) -> str:
    return " ".join(text.split())
