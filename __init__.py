"""Wherefore: when does teaching a model why help it predict, and when does it hurt?

>>> import wherefore as wf                      # doctest: +SKIP
>>> study = wf.load("study.toml")               # doctest: +SKIP
>>> wf.run(study)                               # doctest: +SKIP
"""

from typing import Any

__all__ = ["__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    """Load on first use: `import wherefore` stays as light as `wherefore --help`."""
    if name == "load":
        from .study.config import load

        return load
    if name == "run":
        from .cli.run import run

        return run
    if name == "__version__":
        from .study.provenance import release

        return release()
    raise AttributeError(f"module 'wherefore' has no attribute {name!r}")
