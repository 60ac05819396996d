"""What a section of the report is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .material import Material


@dataclass(frozen=True)
class Section:
    """A part of the page. Whatever it reads through `Material` is recorded, so that a change makes the page again."""

    title: str
    """In the list of sections, and as its heading unless the template has one of its own."""
    make: Callable[[Material], dict[str, Any] | None]
    """What its template shows; None: the study has nothing of the kind."""
    template: str
    """A name in `templates/report/sections/`, or, from another package, the template's own text."""
    absent: str = ""
    """What the page says where `make` gives None; empty: nothing."""
