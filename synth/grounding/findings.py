"""What the rules found of one claim so far."""

from .facts import HistoryLine


class Findings:
    """Facts that hold, faults, and doubts, in the order in which they were found."""

    __slots__ = ("doubts", "facts", "faults", "named", "unread")

    def __init__(self) -> None:
        self.facts = 0
        """Facts of the record that were checked and hold."""
        self.faults: list[tuple[str, str, bool]] = []
        """Names in `FAULTS`, each with its reason and whether it stands although words are left unread."""
        self.doubts: list[tuple[str, str]] = []
        """Names in `DOUBTS`, each with its reason."""
        self.named: set[str] = set()
        """Ids of lines that the claim names."""
        self.unread = False
        """Whether words are left that no rule reads: then what was read may mean something else."""

    def holds(self, *lines: HistoryLine, facts: int = 1) -> None:
        """Count facts, and take lines for named."""
        self.facts += facts
        self.named.update(x.id for x in lines)

    def fault(self, name: str, why: str, sure: bool = False) -> None:
        """The evidence says otherwise; `sure`: whatever else the claim says."""
        self.faults.append((name, why, sure))

    def doubt(self, name: str, why: str) -> None:
        """Rules cannot tell."""
        self.doubts.append((name, why))
