"""Find a part by the name of its file: source "meds" is the module wherefore.cohort.sources.meds."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError

from .errors import StudyError, not_one_of
from .records import Record, first_fault

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Part(Record):
    """A named part and its own options, side by side: `source = {name = "meds", path = "..."}`."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    name: str
    """The part's file name without `.py`."""

    def options(self, kind: type[R], where: str) -> R:
        """The options, checked by the record of the part itself.

        Raises:
            StudyError: a wrong key or value, with its place in the study file.
        """
        try:
            return kind.model_validate(self.model_extra or {})
        except ValidationError as e:
            raise StudyError(f"{where}.{first_fault(e, kind)}") from e


def names(package: ModuleType) -> list[str]:
    """The parts that a folder offers, without importing them."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def find(package: ModuleType, kind: str, name: str) -> Any:
    """Import one part; only the part asked for is imported, so its SDK need not be there otherwise.

    Raises:
        StudyError: no such part, with what there is.
    """
    known = names(package)
    if name not in known:
        raise StudyError(not_one_of(kind, name, known))
    return importlib.import_module(f"{package.__name__}.{name}")


def pick(table: Mapping[str, T], kind: str, name: str) -> T:
    """The entry of a table at the foot of a module.

    Raises:
        StudyError: no such entry, with what there is.
    """
    if name not in table:
        raise StudyError(not_one_of(kind, name, table))
    return table[name]
