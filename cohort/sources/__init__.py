"""Where records come from; one file a source, its name the name in the study file.

Another installed package offers a source by an entry point in the group `wherefore.sources`.
"""

from typing import TYPE_CHECKING, Protocol

from ...study.records import Record

if TYPE_CHECKING:
    from ..events import Place, Records


class Source(Protocol):
    """What a source's module has."""

    Options: type[Record]
    """The keys beside `name` in `[cohort] source`."""

    def read(self, options: Record, place: "Place") -> "Records":
        """The records, a shard of whole people at a time; they can be gone through more than once."""
        ...
