"""Every error a user can cause, one tree. Catch `WhereforeError` to catch them all.

WhereforeError
  StudyError       the study file asks for what does not exist or does not fit
  DataError        a record, a table or a file breaks its own rules
  StaleError       something on disk was made from other inputs than those asked for now
  BusyError        another process is working in the same folder
  ServiceError     a server did not do what was asked: unreachable, refused, wrong key
  MissingPartError  an optional dependency is not installed
  PendingError     the next step waits for people (grading is under way)

Each message is one line: where, what was found, what is allowed, what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class WhereforeError(Exception):
    """Base of every error whose cause is outside this package."""


class StudyError(WhereforeError, ValueError):
    """The study file asks for something that does not exist or does not fit."""


class DataError(WhereforeError, ValueError):
    """A record, a table or a file breaks its own rules."""


class StaleError(WhereforeError, RuntimeError):
    """A finished result belongs to other inputs than the ones in use."""


class BusyError(WhereforeError, RuntimeError):
    """Another process holds the folder."""


class ServiceError(WhereforeError, RuntimeError):
    """A server (teacher, Label Studio) did not do what was asked."""


class PendingError(WhereforeError, RuntimeError):
    """The next step waits for people; run the command again when they are done."""


class MissingPartError(WhereforeError, ImportError):
    """An optional dependency is not installed."""


DISTRIBUTION = "wherefore-lab"
"""The name on the package index; `wherefore` there is somebody else's project."""


def not_installed(where: str, package: str, extra: str) -> MissingPartError:
    """What to install where an optional dependency is not there.

    Args:
        where: what asks for it.
        package: what is missing.
        extra: of this distribution, that brings it.

    >>> str(not_installed("synth.job.ray", "Ray", "scale"))
    "synth.job.ray: Ray is not installed. Run: pip install 'wherefore-lab[scale]'"
    """
    return MissingPartError(
        f"{where}: {package} is not installed. Run: pip install '{DISTRIBUTION}[{extra}]'"
    )


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """The tail of an error about a name: the nearest one, then all that are known.

    >>> did_you_mean("free_rational", ["free_rationale", "label_only"])
    "did you mean 'free_rationale'? Known: free_rationale, label_only."
    >>> did_you_mean("xyz", ["a", "b"])
    'known: a, b.'
    """
    known = sorted(allowed)
    near = get_close_matches(name, known, n=1)
    names = f"nown: {', '.join(known)}."
    return f"did you mean {near[0]!r}? K{names}" if near else f"k{names}"


def not_one_of(what: str, name: str, allowed: Iterable[str]) -> str:
    """One sentence about a name that does not exist.

    >>> not_one_of("teacher", "ecoh", ["echo", "openai"])
    "'ecoh' is not a teacher; did you mean 'echo'? Known: echo, openai."
    """
    return f"{name!r} is not a {what}; {did_you_mean(name, allowed)}"
