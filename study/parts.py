"""Find a part by its name: our own, and those that other installed packages offer.

Sources and teachers are modules: `"meds"` is `wherefore.cohort.sources.meds`. Targets, read-outs, coefficients,
metrics and report sections are entries of a table. Both kinds can also come from another distribution that declares
an entry point (`[project.entry-points."wherefore.sources"]`); `examples/plugin/` is such a distribution. A part is
imported when it is asked for, and one that does not fit its Protocol or type is refused in one line.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError
from typing_extensions import get_protocol_members, is_protocol

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
            raise StudyError(f"{where}.{first_fault(e, kind)}".replace(".the row:", ":")) from e


@cache
def offered(group: str) -> dict[str, EntryPoint]:
    """Parts that other installed distributions offer under an entry point group such as `wherefore.sources`."""
    return {e.name: e for e in entry_points(group=group)}


def origin(entry: EntryPoint) -> str:
    """The distribution that offers a part, with its version: `wherefore-example 0.1`."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def plugins() -> dict[str, str]:
    """Every distribution that offers a part, and its version; part of what made a result."""
    groups = (g for g in entry_points().groups if g.startswith("wherefore."))
    distributions = (e.dist for g in groups for e in offered(g).values() if e.dist)
    return {d.name: d.version for d in distributions}


def _own_alone(group: str, kind: str, name: str) -> None:
    """Refuse a part of ours whose name another package took as well: a study would not say which of the two it means.

    Raises:
        StudyError: naming the package.
    """
    if (entry := offered(group).get(name)) is not None:
        raise StudyError(
            f"{kind} {name!r}: {origin(entry)} offers one of this name too, which is taken by a part of Wherefore. "
            "Rename or uninstall that part."
        )


def _load(entry: EntryPoint, kind: str, shape: type) -> Any:
    """What an entry point leads to, checked against the shape of its kind.

    Raises:
        StudyError: it cannot be imported or does not fit; the line names the distribution.
    """
    where = f"{kind} {entry.name!r} of {origin(entry)}"
    try:
        part = entry.load()
    except Exception as e:  # whatever another package does on import is reported as its fault
        raise StudyError(f"{where}: cannot be imported: {type(e).__name__}: {e}.") from e
    if problem := misfit(part, shape):
        raise StudyError(f"{where}: {problem}. See examples/plugin.")
    return part


def misfit(part: object, shape: type) -> str | None:
    """Why a part does not have the shape of its kind; None where it does.

    Args:
        part: a module, an instance or a function.
        shape: a Protocol (its members are looked for, and how many arguments they take) or a class.

    >>> misfit("a word", int)
    'a str, not an int'
    """
    if not is_protocol(shape):
        article = "an" if shape.__name__[0] in "AEIOUaeio" else "a"
        fits = isinstance(part, shape)
        return None if fits else f"a {type(part).__name__}, not {article} {shape.__name__}"
    for name in sorted(get_protocol_members(shape)):
        if name == "__call__":
            member: object = part
        elif not hasattr(part, name):
            return f"has no {name!r}"
        else:
            member = getattr(part, name)
        declared = inspect.getattr_static(shape, name, None)
        if inspect.isfunction(declared) and (why := _takes(member, declared)):
            return f"{name!r} {why}" if name != "__call__" else why
    return None


def _takes(member: object, declared: Callable[..., Any]) -> str | None:
    """Whether `member` can be called as `declared` says, but for `self`."""
    if not callable(member):
        return "cannot be called"
    wanted = list(inspect.signature(declared).parameters.values())
    if wanted and wanted[0].name == "self":
        wanted = wanted[1:]
    try:
        inspect.signature(member).bind(*[None] * len(wanted))
    except TypeError:
        return f"does not take ({', '.join(p.name for p in wanted)})"
    except ValueError:  # a built-in function without a signature
        return None
    return None


class Catalogue(Mapping[str, T]):
    """The parts of one kind by name: our own, then those that other distributions offer.

    Reads like a dict. A part from elsewhere is imported and checked when it is looked up.
    """

    def __init__(self, group: str, kind: str, shape: type[T], own: Mapping[str, T]) -> None:
        self.group, self.kind, self.shape, self.own = group, kind, shape, own

    def __getitem__(self, name: str) -> T:
        if name in self.own:
            _own_alone(self.group, self.kind, name)
            return self.own[name]
        entry = offered(self.group).get(name)
        if entry is None:
            raise KeyError(name)
        part: T = _load(entry, self.kind, self.shape)
        return part

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (name for name in sorted(offered(self.group)) if name not in self.own)

    def __len__(self) -> int:
        return len(set(self.own) | set(offered(self.group)))


def names(package: ModuleType, group: str = "") -> list[str]:
    """The parts that a folder offers, and those of the entry point group; none is imported."""
    own = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    return sorted(own | set(offered(group) if group else ()))


def find(package: ModuleType, kind: str, name: str, shape: type | None = None) -> Any:
    """Import one part; only the part asked for is imported, so its SDK need not be there otherwise.

    Args:
        package: its folder.
        kind: "source", "teacher": also the entry point group, `wherefore.sources`.
        name: as in the study file.
        shape: the Protocol of its kind, which parts from elsewhere must fit.
    Raises:
        StudyError: no such part, with what there is; one that does not fit; or a name that two packages took.
    """
    group = f"wherefore.{kind}s"
    if name in names(package):
        _own_alone(group, kind, name)
        return importlib.import_module(f"{package.__name__}.{name}")
    if shape is not None and name in offered(group):
        return _load(offered(group)[name], kind, shape)
    raise StudyError(not_one_of(kind, name, names(package, group)))


def pick(table: Mapping[str, T], kind: str, name: str) -> T:
    """The entry of a table at the foot of a module.

    Raises:
        StudyError: no such entry, with what there is.
    """
    if name not in table:
        raise StudyError(not_one_of(kind, name, table))
    return table[name]
