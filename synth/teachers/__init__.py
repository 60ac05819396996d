"""Who writes rationales; one file a teacher, its name the name in the study file.

Another installed package offers a teacher by an entry point in the group `wherefore.teachers`. Beside what
`Teacher` lists, a teacher has `doors` or `collect`, and may have `check`: see `synth/teaching.py`.
"""

from typing import TYPE_CHECKING, Any, Protocol

from ...study.records import Record

if TYPE_CHECKING:
    from ..records import Prompt


class Teacher(Protocol):
    """What a teacher's module has."""

    Options: type[Record]
    """The keys beside `name` in `[synth] teacher`."""

    def title(self, options: Record) -> str:
        """As it may stand in a report: `openai:gpt-5`."""
        ...

    def urls(self, options: Record) -> tuple[str, ...]:
        """Where patient text goes; empty: it stays in this process."""
        ...

    def body(self, options: Record, prompt: "Prompt", seed: int) -> dict[str, Any]:
        """The whole request; what changes an answer stands in it, nothing else does."""
        ...
